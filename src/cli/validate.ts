import { describeDiagnostic } from '../ops/describe-diagnostic.ts';
import { describeResolution } from '../ops/describe-resolution.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from './command.ts';
import { countDiagnostics, renderDiagnostics } from './diagnostics.ts';
import { fail } from './fail.ts';
import { openConfig } from './open-config.ts';
import { printJson } from './print-json.ts';
import { renderResolutions } from './resolutions.ts';
import { count, paint } from './style.ts';

/** `signalbox validate`: every problem of the configuration, with its line and a fix. */
export const command: Command = defineCommand({
  words: ['validate'],
  summary: 'check the config and show every problem with its line',
  details: [
    'Where a reference does not name the thing itself, a line says what it means, and by which rule.',
    'Exit code 0 when the config can run, 1 when it cannot.',
  ],
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
    const resolved = compiled.resolutions.map(describeResolution);
    if (options.json)
      printJson<'validate'>(terminal, { diagnostics: compiled.diagnostics.map(describeDiagnostic), resolved });
    else {
      for (const line of renderDiagnostics(compiled.diagnostics, sources, terminal)) terminal.out(line);
      // Beside errors it would only stand in the way.
      if (isValid) for (const line of renderResolutions(resolved, terminal)) terminal.out(line);
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
