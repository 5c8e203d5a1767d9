import type { PlayReport } from '../../contract/route-play.ts';
import type { PoolShares } from '../../contract/route-stats.ts';
import { dollarWords } from '../../plan/in-words.ts';
import { renderTable } from '../render-table.ts';
import { count, paint, percent } from '../style.ts';
import type { Terminal } from '../terminal.ts';
import { timeCell, timesText } from './times.ts';

/** What requests came to, by provider, by tier and by pool. */
export function renderPlay(report: PlayReport, terminal: Terminal): string[] {
  const { requests, answered, failed, refused, refusals, times, waits, costUsd, providers, tiers, pools } = report;
  const rows = providers.map((one) => [...shareCells(one), String(one.fallbacks)]);
  const shares = tiers.map(({ tier, share }) => `${tier} ${percent(share)}`);
  return [
    `${count(requests, 'request')}: ${answered} answered, ${failed} failed, ${refused} refused`,
    ...refusals.map((one) => `       ${one.requests} refused: ${one.message}`),
    `times  ${timesText(times)}`,
    `waits  ${timesText(waits)}`,
    `cost   ${costUsd === null ? 'unknown: a price or a length of answers is missing' : dollarWords(costUsd)}`,
    ...(shares.length === 0 ? [] : [`tiers  ${shares.join(', ')}`]),
    '',
    ...renderTable(['provider', 'requests', 'share', 'errors', 'p50', 'p95', 'fallbacks'], rows, terminal),
    ...pools.flatMap((pool) => ['', ...renderPool(pool, terminal)]),
  ];
}

/** How much of the requests went to a provider, and how it did. */
export function shareCells(one: PlayReport['providers'][number]): readonly string[] {
  return [
    one.provider,
    String(one.requests),
    percent(one.share),
    String(one.errors),
    timeCell(one.times.p50Ms),
    timeCell(one.times.p95Ms),
  ];
}

/** How a pool's choices stand to its weights, with the verdict of the test. */
export function renderPool(pool: PoolShares, terminal: Terminal): string[] {
  const { group, strategy, requests, undecided, members, chiSquare } = pool;
  const others = undecided === 0 ? '' : ` (in ${undecided} more no weight decided)`;
  const rows = members.map((one) => [
    `  ${one.deployment}`,
    one.declared === null ? '-' : percent(one.declared),
    percent(one.expected / requests),
    percent(one.chosen / requests),
    String(one.chosen),
  ]);
  return [
    `pool ${group}, ${strategy}, ${count(requests, 'choice')}${others}: ${fitText(chiSquare, terminal)}`,
    ...renderTable(['  member', 'declared', 'in force', 'chosen', 'requests'], rows, terminal),
  ];
}

function fitText({ verdict, statistic, degrees, p }: PoolShares['chiSquare'], terminal: Terminal): string {
  switch (verdict) {
    case 'too_few':
      return paint(terminal, 'dim', 'too few to hold against the weights');
    case 'fits':
      return paint(terminal, 'green', `as declared (χ² ${statistic.toFixed(2)}, ${degrees} df, p ${p?.toFixed(3)})`);
    case 'differs':
      return paint(terminal, 'red', `not as declared (χ² ${statistic.toFixed(2)}, ${degrees} df, p ${p?.toFixed(4)})`);
  }
}
