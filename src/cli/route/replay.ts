import type { Move, ReplayReport } from '../../contract/route-play.ts';
import { replayRequests } from '../../ops/route-analysis.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail } from '../fail.ts';
import { openPlan } from '../open-config.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { count, paint, percent } from '../style.ts';
import type { Terminal } from '../terminal.ts';
import { nothingRecorded, playOptions, recordingOf, seedOption } from './recording.ts';
import { timesText } from './times.ts';

/** `signalbox route replay --plan CANDIDATE`: which recorded requests another configuration would have moved. */
export const command: Command = defineCommand({
  words: ['route', 'replay'],
  summary: 'show which recorded requests another config would move',
  details: [
    'Nothing is sent. Both configurations are played in one world, with the same draws, so what differs is theirs.',
    'Exit code 2 where a request would have moved.',
  ],
  options: {
    config: configOption,
    'state-dir': stateOption,
    plan: { kind: 'text', value: 'PATH', help: 'the other config folder or file' },
    ...playOptions,
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox route replay --plan ./config-new', does: 'who would have moved, from where to where, and why' },
    { line: 'signalbox route replay --plan ./config-new --since 1h --json', does: 'the last hour, for a script' },
  ],
  async run({ options }, terminal) {
    if (options.plan === undefined)
      return fail(
        { kind: 'usage', message: '--plan wants the config folder or file to hold against this one' },
        terminal,
        options,
      );
    const present = await openSystem(options, terminal, { lenient: true });
    if (present.kind === 'none') return fail(present.problem, terminal, options);
    const candidate = await openPlan(options.plan, terminal, { lenient: true });
    if (candidate.kind === 'none') {
      const { problem } = candidate;
      const fix = problem.kind === 'no_config' ? 'Name the folder or file of the other one: --plan PATH' : problem.fix;
      return fail({ ...problem, fix }, terminal, options);
    }
    const recorded = await recordingOf(options, terminal);
    if (recorded.kind === 'wrong') return fail(recorded.problem, terminal, options);
    const plans = { present: present.plan, candidate: candidate.plan, seed: seedOption(options.seed) };
    const report = await replayRequests(recorded.recording, plans);
    if (report.requests === 0) return fail(nothingRecorded, terminal, options);
    if (options.json) printJson<'route replay'>(terminal, report);
    else for (const line of renderReplay(report, terminal)) terminal.out(line);
    return report.moved === 0 ? exitCode.done : exitCode.differences;
  },
});

/** As many kinds of moves as a person reads. */
const shownMoves = 30;

function renderReplay(report: ReplayReport, terminal: Terminal): string[] {
  const { requests, moved, moves, before, after, agreement, otherPlan } = report;
  const left = moves.length - shownMoves;
  return [
    `${moved} of ${count(requests, 'request')} would have gone elsewhere`,
    ...(moves.length === 0 ? [] : ['', ...moveTable(moves.slice(0, shownMoves), terminal)]),
    ...(left > 0 ? [paint(terminal, 'dim', `and ${left} more kinds of moves, which --json shows`)] : []),
    '',
    ...renderTable(
      ['', 'answered', 'failed', 'refused', 'times'],
      [
        ['now', String(before.answered), String(before.failed), String(before.refused), timesText(before.times)],
        ['then', String(after.answered), String(after.failed), String(after.refused), timesText(after.times)],
      ],
      terminal,
    ),
    '',
    paint(
      terminal,
      'dim',
      `the replay of the present config chooses as recorded in ${percent(agreement)}${otherPlan === 0 ? '' : `; another config had decided ${otherPlan} of them`}`,
    ),
    ...(after.guessed === 0
      ? []
      : [
          paint(
            terminal,
            'dim',
            `${count(after.guessed, 'request')} went where none was recorded: others’ times stand for theirs`,
          ),
        ]),
  ];
}

function moveTable(moves: readonly Move[], terminal: Terminal): string[] {
  const rows = moves.map(({ requests, asked, from, to, why }) => [
    String(requests),
    asked ?? 'auto',
    from ?? 'nobody',
    to ?? paint(terminal, 'red', 'nobody'),
    why,
  ]);
  return renderTable(['requests', 'asked', 'from', 'to', 'why'], rows, terminal);
}
