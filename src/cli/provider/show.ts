import type { ProviderStatus } from '../../contract/status.ts';
import { servedModel, servedWords } from '../../ops/served-model.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail, unknownName } from '../fail.ts';
import { providersOf, sayAtRest } from '../known-providers.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { residencyWords, speedWords } from '../residency-words.ts';
import { duration, elapsed, paint, stateText } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox provider show NAME`: one provider with its models. */
export const command: Command = defineCommand({
  words: ['provider', 'show'],
  summary: 'show one provider with its models',
  arguments: [{ name: 'NAME', help: 'the provider, as providers.yaml names it', required: true }],
  options: { config: configOption, 'state-dir': stateOption, json: jsonOption },
  examples: [
    { line: 'signalbox provider show ollama', does: 'its state, its last probe, its models' },
    { line: 'signalbox provider show ollama --json | jq .listed', does: 'the models that the server itself lists' },
  ],
  async run({ options, arguments: [name = ''] }, terminal) {
    const known = await providersOf(options, terminal);
    if (known.kind === 'none') return fail(known.problem, terminal, options);
    const names = known.providers.map((one) => one.name);
    const provider = known.providers.find((one) => one.name === name);
    if (provider === undefined) return fail(unknownName('provider', name, names), terminal, options);
    if (options.json) printJson<'provider show'>(terminal, provider);
    else {
      for (const line of renderProvider(provider, terminal)) terminal.out(line);
      sayAtRest(known.running, terminal);
    }
    return exitCode.done;
  },
});

function renderProvider(provider: ProviderStatus, terminal: Terminal): string[] {
  const { state, why, since, version, checkedAt, latencyMs, listed, deployments } = provider;
  const lines = [
    `${paint(terminal, 'bold', provider.name)}, ${provider.type} at ${provider.address}`,
    `  state    ${stateText(terminal, state, why)}${since === null ? '' : `, since ${elapsed(since)}`}`,
    `  version  ${version ?? 'unknown'}`,
    `  probe    ${checkedAt === null ? 'none yet' : `${duration(latencyMs)}, ${elapsed(checkedAt)} ago`}`,
    `  lists    ${listed === null ? 'unknown' : listed.join(', ') || 'nothing'}`,
  ];
  // What stands for any model that the server lists is no model by itself.
  const declared = deployments.filter((one) => !one.model.includes('*'));
  if (declared.length === 0) return [...lines, '', 'It declares no models: names are looked up in what it lists'];
  const table = renderTable(
    ['model', 'state', 'context', 'loaded', 'tokens a second', 'running', 'id'],
    declared.map((one) => [
      servedWords(one.model, servedModel(provider, one)),
      stateText(terminal, one.state, one.why),
      one.context === null ? 'unknown' : String(one.context),
      residencyWords(one),
      speedWords(one),
      one.inFlight === null ? 'unknown' : String(one.inFlight),
      one.id,
    ]),
    terminal,
  );
  return [...lines, '', ...table];
}
