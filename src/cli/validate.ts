import { describeDiagnostic } from '../ops/describe-diagnostic.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from './command.ts';
import { countDiagnostics, renderDiagnostics } from './diagnostics.ts';
import { fail } from './fail.ts';
import { openConfig } from './open-config.ts';
import { printJson } from './print-json.ts';
import { count, paint } from './style.ts';

/** `signalbox validate`: every problem of the configuration, with its line and a fix. */
export const command: Command = defineCommand({
  words: ['validate'],
  summary: 'check the config and show every problem with its line',
  details: ['Exit code 0 when the config can run, 1 when it cannot.'],
  options: { config: configOption, lenient: lenientOption, json: jsonOption },
  examples: [
    { line: 'signalbox validate', does: 'check ./config' },
    { line: 'signalbox validate --config litellm_config.yaml --lenient', does: 'check a LiteLLM file' },
    { line: 'signalbox validate --json | jq ".diagnostics[].code"', does: 'for scripts' },
  ],
  async run({ options }, terminal) {
    const opened = await openConfig(options.config, terminal, { lenient: options.lenient });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const { compiled, sources } = opened;
    const isValid = compiled.value !== undefined;
    if (options.json) printJson<'validate'>(terminal, { diagnostics: compiled.diagnostics.map(describeDiagnostic) });
    else {
      for (const line of renderDiagnostics(compiled.diagnostics, sources, terminal)) terminal.out(line);
      const verdict = isValid ? paint(terminal, 'green', 'valid') : paint(terminal, 'red', 'not valid');
      const names =
        compiled.value === undefined
          ? ''
          : `, ${count(compiled.value.groups.filter((group) => group.listed).length, 'name')}`;
      terminal.out(`${opened.path} is ${verdict}: ${countDiagnostics(compiled.diagnostics)}${names}`);
    }
    return isValid ? exitCode.done : exitCode.failed;
  },
});
