import type { PoolAdvice, Variant } from '../../contract/route-play.ts';
import { adviseRequests } from '../../ops/route-analysis.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail } from '../fail.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { count, paint } from '../style.ts';
import type { Terminal } from '../terminal.ts';
import { nothingRecorded, playOptions, recordingOf, seedOption } from './recording.ts';
import { timeCell } from './times.ts';

/** `signalbox route advise`: weights and strategies that would have served the recorded requests better. */
export const command: Command = defineCommand({
  words: ['route', 'advise'],
  summary: 'advise on weights and strategies by recorded requests',
  details: [
    'Recorded requests are played with other weights and strategies of each pool. What is advised takes a tenth',
    'or more off the p95 and fails no more, with three different draws. Nothing is changed.',
  ],
  options: { config: configOption, 'state-dir': stateOption, ...playOptions, json: jsonOption },
  examples: [
    { line: 'signalbox route advise', does: 'every pool that has enough requests' },
    { line: 'signalbox route advise --since 1d --json', does: 'the last day, with all that was tried' },
  ],
  async run({ options }, terminal) {
    const opened = await openSystem(options, terminal, { lenient: true });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const recorded = await recordingOf(options, terminal);
    if (recorded.kind === 'wrong') return fail(recorded.problem, terminal, options);
    const report = await adviseRequests(recorded.recording, { plan: opened.plan, seed: seedOption(options.seed) });
    if (report.requests === 0) return fail(nothingRecorded, terminal, options);
    if (options.json) printJson<'route advise'>(terminal, report);
    else for (const line of report.pools.flatMap((pool) => renderAdvice(pool, terminal))) terminal.out(line);
    if (report.pools.length === 0) terminal.err('No pool of several members was asked for');
    return exitCode.done;
  },
});

/** As many variants as show how the choice falls off. */
const shownVariants = 5;

function renderAdvice(pool: PoolAdvice, terminal: Terminal): string[] {
  const { group, requests, members, verdict, text, present, tried, recordedP95Ms } = pool;
  const painted = verdict === 'better' ? paint(terminal, 'green', text) : text;
  const rows = [present, ...tried.slice(0, shownVariants)].map((one, index) => variantRow(one, index === 0));
  const table =
    tried.length === 0 ? [] : renderTable(['  variant', 'p50', 'p95', 'wait p95', 'failed'], rows, terminal);
  return [
    `${group} (${members.join(', ')}), ${count(requests, 'request')}, recorded p95 ${timeCell(recordedP95Ms)}`,
    `  ${painted}`,
    ...table,
    '',
  ];
}

function variantRow({ change, times, waits, failed }: Variant, isPresent: boolean): readonly string[] {
  const name = `  ${change}${isPresent ? ' (now)' : ''}`;
  return [name, timeCell(times.p50Ms), timeCell(times.p95Ms), timeCell(waits.p95Ms), String(failed)];
}
