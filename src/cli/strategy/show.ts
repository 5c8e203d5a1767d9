import type { DeclaredStrategy, NameStrategy, StrategyList } from '../../contract/strategy-report.ts';
import { describeStrategies } from '../../ops/strategies.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption } from '../command.ts';
import { fail, unknownName } from '../fail.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { paint } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox strategy show [NAME]`: what puts deployments in order, and where that is written. */
export const command: Command = defineCommand({
  words: ['strategy', 'show'],
  summary: 'show which strategy each name has, and where it is declared',
  details: [
    'With a name, its members with their weights and everything that could be set instead.',
    'The name "default" stands for all names that declare none.',
  ],
  arguments: [{ name: 'NAME', help: 'one name instead of all', required: false }],
  options: { config: configOption, json: jsonOption },
  examples: [
    { line: 'signalbox strategy show', does: 'all names' },
    { line: 'signalbox strategy show fast', does: 'one, with what is offered besides' },
  ],
  async run({ options, arguments: [name] }, terminal) {
    const opened = await openSystem(options, terminal, { lenient: true });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const list = describeStrategies(opened.plan, opened.compiled);
    const names = list.names.filter((one) => name === undefined || one.name === name);
    if (names.length === 0 && name !== undefined && name !== usualWord) {
      const known = [...list.names.map((one) => one.name), usualWord];
      return fail(unknownName('name', name, known), terminal, options);
    }
    if (options.json) printJson<'strategy show'>(terminal, { ...list, names });
    else for (const line of render(name, { ...list, names }, terminal)) terminal.out(line);
    return exitCode.done;
  },
});

/** What `strategy set` calls the strategy of names that declare none. */
const usualWord = 'default';

function render(name: string | undefined, list: StrategyList, terminal: Terminal): readonly string[] {
  const [one] = list.names;
  if (name === undefined) return renderAll(list, terminal);
  const shown = one ?? { ...list.usual, name, from: 'usual', members: [] };
  return renderOne(shown, list, terminal);
}

function renderAll({ usual, names, offered }: StrategyList, terminal: Terminal): readonly string[] {
  const word = wordOf(offered);
  const rows = [
    ...names.map((one) => [one.name, String(one.members.length), word(one), placeOf(one), one.does]),
    [usualWord, '', word(usual), placeOf({ ...usual, from: 'usual' }), usual.does],
  ];
  return [
    ...renderTable(['name', 'members', 'strategy', 'declared', 'who goes first'], rows, terminal),
    '',
    paint(
      terminal,
      'dim',
      `${usualWord} is what holds for names that declare none. Another one: signalbox strategy set NAME STRATEGY`,
    ),
  ];
}

/** A strategy as its file spells it, else as it is offered. */
function wordOf(offered: StrategyList['offered']): (one: DeclaredStrategy) => string {
  return ({ spelling, strategy }) =>
    spelling ?? offered.find((one) => one.strategy === strategy)?.spellings[0] ?? strategy;
}

function placeOf({ file, line, from }: Pick<DeclaredStrategy, 'file' | 'line'> & Pick<NameStrategy, 'from'>): string {
  if (file === null) return 'nowhere';
  const place = `${file}:${line}`;
  return from === 'section' ? `${place} (usual there)` : place;
}

function renderOne(one: NameStrategy, { offered }: StrategyList, terminal: Terminal): readonly string[] {
  const members = one.members.map(({ deployment, weight, order }) => [
    deployment,
    weight === null ? '-' : String(weight),
    order === 1 ? '' : `only when no better one can serve (${order})`,
  ]);
  const others = offered.map(({ strategy, spellings, does }) => [
    `${strategy === one.strategy ? '→' : ' '} ${spellings[0] ?? strategy}`,
    does,
    spellings.slice(1).join(', '),
  ]);
  return [
    `${one.name}  ${wordOf(offered)(one)}  ${paint(terminal, 'dim', placeOf(one))}`,
    `goes first: ${one.does}`,
    '',
    ...(members.length === 0 ? [] : [...renderTable(['member', 'weight', ''], members, terminal), '']),
    ...renderTable(['  offered', 'who goes first', 'also spelled'], others, terminal),
  ];
}
