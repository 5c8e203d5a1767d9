import type { SettingReport } from '../../contract/setting-report.ts';
import { effectiveSettings } from '../../ops/effective-settings.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from '../command.ts';
import { fail, unknownName } from '../fail.ts';
import { openPlan } from '../open-config.ts';
import { printJson } from '../print-json.ts';
import { paint, renderTable } from '../style.ts';

/** `signalbox config show`: every setting in force, and where it comes from. */
export const command: Command = defineCommand({
  words: ['config', 'show'],
  summary: 'show every effective setting with its source',
  details: ['The source is the line that decides, the environment, or the default. Secrets are named, never shown.'],
  arguments: [{ name: 'KEY', help: 'a setting or a section, such as router_settings.num_retries', required: false }],
  options: { config: configOption, lenient: lenientOption, json: jsonOption },
  examples: [
    { line: 'signalbox config show', does: 'all of them' },
    { line: 'signalbox config show router_settings', does: 'one section' },
    { line: 'signalbox config show server_settings.port', does: 'one setting' },
  ],
  async run({ options, arguments: [asked] }, terminal) {
    const opened = await openPlan(options.config, terminal, { lenient: options.lenient });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const all = effectiveSettings(opened.plan, opened.compiled);
    const shown = all.filter(
      ({ key }) => asked === undefined || key === asked || key.startsWith(`${asked}.`) || key.endsWith(`.${asked}`),
    );
    if (shown.length === 0 && asked !== undefined) {
      const keys = all.map(({ key }) => key);
      return fail(unknownName('setting', asked, keys), terminal, options);
    }
    if (options.json) printJson<'config show'>(terminal, { settings: shown });
    else
      for (const line of renderTable(
        ['setting', 'value', 'source'],
        shown.map((one) => rowOf(one, (text) => paint(terminal, 'dim', text))),
        terminal,
      ))
        terminal.out(line);
    return exitCode.done;
  },
});

function rowOf({ key, value, unit, source }: SettingReport, dim: (text: string) => string): readonly string[] {
  const text = Array.isArray(value) ? value.join(', ') || 'none' : String(value);
  return [key, unit === null ? text : `${text} ${unit}`, source === 'default' ? dim(source) : source];
}
