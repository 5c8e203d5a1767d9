import type { NameReport } from '../../contract/name-report.ts';
import { listNames } from '../../ops/list-names.ts';
import { servedWords } from '../../ops/served-model.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail, unknownName } from '../fail.ts';
import { sayAtRest } from '../known-providers.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { findGateway, targetOf } from '../running-gateway.ts';
import { paintState } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox model list`: the names that clients can ask for, and who answers them. */
export const command: Command = defineCommand({
  words: ['model', 'list'],
  summary: 'list the names that clients can ask for',
  details: ['What a name stands for comes from the files; states come from the running gateway.'],
  options: {
    config: configOption,
    'state-dir': stateOption,
    provider: { kind: 'text', value: 'NAME', help: 'only names that this provider answers' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox model list', does: 'every name, with its members' },
    { line: 'signalbox model list --provider ollama', does: 'what one provider answers' },
  ],
  async run({ options }, terminal) {
    const opened = await openSystem(options, terminal, { lenient: true });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const { plan } = opened;
    const wanted = options.provider;
    const providers: readonly string[] = [...plan.providers.keys()];
    if (wanted !== undefined && !providers.includes(wanted))
      return fail(unknownName('provider', wanted, providers), terminal, options);
    const found = await findGateway(targetOf(options, terminal));
    const status = found.kind === 'running' ? await found.admin.status() : undefined;
    const names = listNames(plan, status).filter(
      (one) => wanted === undefined || one.members.some((member) => member.provider === wanted),
    );
    if (options.json) printJson<'model list'>(terminal, { running: status !== undefined, names });
    else {
      for (const line of renderNames(names, terminal)) terminal.out(line);
      sayAtRest(status !== undefined, terminal);
    }
    return exitCode.done;
  },
});

function renderNames(names: readonly NameReport[], terminal: Terminal): string[] {
  if (names.length === 0) return ['No name is declared: signalbox init'];
  return renderTable(
    ['name', 'kind', 'strategy', 'state', 'loaded', 'answered by'],
    names.map((one) => [
      one.name,
      one.kind,
      one.members.length > 1 ? one.strategy : '',
      paintState(terminal, one.state),
      loadedWords(one),
      one.alias === null
        ? one.members.map(({ provider, model, served }) => `${provider}/${servedWords(model, served)}`).join(', ')
        : `as ${one.alias}`,
    ]),
    terminal,
  );
}

/** Whether a model is in memory, as far as servers tell; of several members, how many. */
function loadedWords({ members }: NameReport): string {
  const known = members.filter((one) => one.loaded !== null);
  const loaded = known.filter((one) => one.loaded).length;
  if (known.length === 0) return 'unknown';
  return known.length === 1 ? (loaded === 1 ? 'yes' : 'no') : `${loaded} of ${known.length}`;
}
