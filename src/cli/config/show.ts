import type { SettingReport } from '../../contract/setting-report.ts';
import { effectiveSettings } from '../../ops/effective-settings.ts';
import { nearest } from '../../plan/nearest.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from '../command.ts';
import { openConfig } from '../open-config.ts';
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
    const opened = await openConfig(options.config, terminal, { lenient: options.lenient });
    const plan = opened.kind === 'opened' ? opened.compiled.value : undefined;
    if (opened.kind === 'missing' || plan === undefined) {
      const message =
        opened.kind === 'missing' ? opened.message : `${opened.path} does not compile: signalbox validate`;
      if (options.json) terminal.out(JSON.stringify({ error: message }));
      else terminal.err(message);
      return exitCode.failed;
    }
    const all = effectiveSettings(plan, opened.compiled);
    const shown = all.filter(
      ({ key }) => asked === undefined || key === asked || key.startsWith(`${asked}.`) || key.endsWith(`.${asked}`),
    );
    if (shown.length === 0 && asked !== undefined) {
      const [near] = nearest(
        asked,
        all.map(({ key }) => key),
        1,
      );
      terminal.err(`No setting is called "${asked}"${near === undefined ? '' : `: did you mean "${near}"?`}`);
      return exitCode.failed;
    }
    if (options.json) terminal.out(JSON.stringify({ settings: shown }));
    else
      for (const line of renderTable(
        ['setting', 'value', 'source'],
        shown.map((one) => rowOf(one, (text) => paint(terminal, 'dim', text))),
      ))
        terminal.out(line);
    return exitCode.done;
  },
});

function rowOf({ key, value, unit, source }: SettingReport, dim: (text: string) => string): readonly string[] {
  const text = Array.isArray(value) ? value.join(', ') || 'none' : String(value);
  return [key, unit === null ? text : `${text} ${unit}`, source === 'default' ? dim(source) : source];
}
