import type { ComparedSide, ComparedVerdict, CompareReport } from '../../contract/route-play.ts';
import { compareRequests } from '../../ops/route-analysis.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, stateOption } from '../command.ts';
import { fail } from '../fail.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { paint, percent } from '../style.ts';
import type { Terminal } from '../terminal.ts';
import { recordingOf } from './recording.ts';
import { timeCell } from './times.ts';

/** `signalbox route compare --before V --after V`: two sets of recorded requests against each other. */
export const command: Command = defineCommand({
  words: ['route', 'compare'],
  summary: 'compare recorded requests before and after a change',
  details: [
    'A side is a time, a span FROM..TO, or the beginning of the hash of the plan that decided.',
    'Times are held against each other by a rank-sum test, errors by a test of proportions, both at 0.01.',
  ],
  options: {
    config: configOption,
    'state-dir': stateOption,
    before: { kind: 'text', value: 'SIDE', help: '14:30 (all up to it), 30m..10m, or a hash such as 3fa29c' },
    after: { kind: 'text', value: 'SIDE', help: '14:30 (all from it on), 10m..0s, or a hash' },
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox route compare --before 14:30 --after 14:30', does: 'before and after a moment' },
    { line: 'signalbox route compare --before 3fa29c --after 81b0de', does: 'two configurations, by their hashes' },
  ],
  async run({ options }, terminal) {
    const { before, after } = options;
    if (before === undefined || after === undefined)
      return fail({ kind: 'usage', message: 'compare wants both --before and --after' }, terminal, options);
    const recorded = await recordingOf({ ...options, since: undefined }, terminal);
    if (recorded.kind === 'wrong') return fail(recorded.problem, terminal, options);
    const compared = await compareRequests(recorded.recording, { before, after, now: Date.now() });
    if (compared.kind === 'wrong') return fail({ kind: 'usage', message: compared.message }, terminal, options);
    if (options.json) printJson<'route compare'>(terminal, compared.report);
    else for (const line of renderComparison(compared.report, terminal)) terminal.out(line);
    return exitCode.done;
  },
});

function renderComparison({ before, after, latency, errors }: CompareReport, terminal: Terminal): string[] {
  const names = [...new Set([...before.shares, ...after.shares].map(({ provider }) => provider))];
  // Of nothing there is no part, not a part of 0.
  const shareOf = ({ shares }: ComparedSide, name: string): string =>
    shares.length === 0 ? '-' : percent(shares.find(({ provider }) => provider === name)?.share ?? 0);
  const row = (name: string, read: (side: ComparedSide) => string): string[] => [name, read(before), read(after)];
  const rows = [
    row('requests', (side) => String(side.requests)),
    row('answered', (side) => String(side.answered)),
    row('errors', (side) => (side.requests === 0 ? '-' : `${side.errors} (${percent(side.errors / side.requests)})`)),
    row('p50', (side) => timeCell(side.times.p50Ms)),
    row('p95', (side) => timeCell(side.times.p95Ms)),
    row('p99', (side) => timeCell(side.times.p99Ms)),
    row('first token p50', (side) => timeCell(side.firstToken.p50Ms)),
    row('first token p95', (side) => timeCell(side.firstToken.p95Ms)),
    ...names.map((name) => row(`share of ${name}`, (side) => shareOf(side, name))),
  ];
  return [
    `before  ${before.what}`,
    `after   ${after.what}`,
    '',
    ...renderTable(['', 'before', 'after'], rows, terminal),
    '',
    `times   ${verdictText(latency, terminal)}`,
    `errors  ${verdictText(errors, terminal)}`,
  ];
}

function verdictText({ verdict, p, test }: ComparedVerdict, terminal: Terminal): string {
  const by = paint(terminal, 'dim', ` (${p === null ? '' : `p ${p.toPrecision(2)}, `}${test})`);
  switch (verdict) {
    case 'too_few':
      return `the sample is too small to tell${by}`;
    case 'differs':
      return `${paint(terminal, 'yellow', 'differ by more than chance')}${by}`;
    case 'no_difference_shown':
      return `no difference is shown${by}`;
  }
}
