import type { ProviderStatus } from '../../contract/status.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail } from '../fail.ts';
import { providersOf, sayAtRest } from '../known-providers.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { stateText } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox provider list`: the configured providers, with their states where a gateway runs. */
export const command: Command = defineCommand({
  words: ['provider', 'list'],
  summary: 'list the configured providers',
  details: ['States come from the running gateway; where none runs they are unknown.'],
  options: { config: configOption, 'state-dir': stateOption, json: jsonOption },
  examples: [
    { line: 'signalbox provider list', does: 'name, type, state, address' },
    { line: 'signalbox provider list --json | jq -r ".providers[].name"', does: 'names alone' },
  ],
  async run({ options }, terminal) {
    const known = await providersOf(options, terminal);
    if (known.kind === 'none') return fail(known.problem, terminal, options);
    const { running, providers } = known;
    if (options.json) printJson<'provider list'>(terminal, { running, providers });
    else {
      for (const line of renderProviders(providers, terminal)) terminal.out(line);
      sayAtRest(running, terminal);
    }
    return exitCode.done;
  },
});

function renderProviders(providers: readonly ProviderStatus[], terminal: Terminal): string[] {
  if (providers.length === 0) return ['No provider is configured'];
  return renderTable(
    ['provider', 'type', 'address', 'models', 'state'],
    providers.map((one) => [
      one.name,
      one.type,
      one.address,
      String(one.models),
      stateText(terminal, one.state, one.why),
    ]),
    terminal,
  );
}
