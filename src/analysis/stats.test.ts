import { expect, test } from 'vitest';
import type { DecisionRecord } from '../contract/decision-record.ts';
import { recordOf } from './fixtures/record-of.ts';
import { quantile } from './quantile.ts';
import { seenInLog, seenInRecord } from './seen-request.ts';
import { poolShares } from './shares.ts';
import { routeStats } from './stats.ts';

test.each([
  [[], 0.5, null],
  [[3], 0.99, 3],
  [[4, 1, 3, 2], 0.5, 2],
  [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.95, 10],
  [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0, 1],
])('6.2 of %j the part %f lies below %s', (values, part, wanted) => {
  expect(quantile(values, part)).toBe(wanted);
});

const records: readonly DecisionRecord[] = [
  recordOf({ id: 'one', tried: [['a/m', 'answered', 100]] }),
  recordOf({ id: 'two', tried: [['a/m', 'answered', 300]] }),
  recordOf({
    id: 'three',
    tried: [
      ['a/m', 'upstream_error', 50],
      ['b/m', 'answered', 30_000],
    ],
  }),
  recordOf({ id: 'four', tried: [['a/m', 'upstream_error', 10]], state: 'upstream_error' }),
  recordOf({ id: 'five', tried: [], state: 'rejected' }),
  recordOf({ id: 'six', tried: [['b/m', 'client_closed', 10]], state: 'client_closed' }),
  recordOf({ id: 'seven', tried: [], state: 'completed', cached: 'a/m' }),
];
const statsOf = (all: readonly DecisionRecord[]): ReturnType<typeof routeStats> =>
  routeStats({
    requests: all.flatMap((one) => seenInRecord(one) ?? []),
    records: all,
    since: 0,
    until: 1,
    slowMs: 10_000,
  });

test('6.2 stats count requests, shares, failed attempts, fallbacks and times by provider', () => {
  const stats = statsOf(records);
  expect(stats).toMatchObject({ requests: 7, answered: 3, cached: 1, errors: 1, rejected: 1, clientClosed: 1 });
  expect(stats.providers).toMatchObject([
    { provider: 'a', requests: 2, share: 2 / 3, errors: 2, fallbacks: 0, times: { p50Ms: 100, p95Ms: 300 } },
    { provider: 'b', requests: 1, share: 1 / 3, errors: 0, fallbacks: 1, times: { p50Ms: 30_050 } },
  ]);
});

test('6.2 an answer that broke off, or that its client did not wait for, is none, nor is its time', () => {
  const part = (state: string, outcome: string): DecisionRecord => ({
    ...recordOf({ id: state, tried: [['a/m', outcome, 1]], state }),
    answeredBy: 'a/m',
  });
  const stats = statsOf([
    ...records,
    part('truncated', 'upstream_truncated'),
    part('truncated', 'upstream_truncated'),
    part('client_closed', 'client_closed'),
  ]);
  const { answered, cached, errors, rejected, clientClosed, requests } = stats;
  expect([answered, cached, errors, rejected, clientClosed, requests]).toEqual([3, 1, 3, 1, 2, 10]);
  expect(stats.providers[0]).toMatchObject({ provider: 'a', requests: 2, errors: 4, times: { p50Ms: 100 } });
});

test('6.2 a cost says of how many answers it is not known', () => {
  const priced = { ...recordOf({ id: 'nine', tried: [['a/m', 'answered', 1]] }), costUsd: 0.5 };
  expect(statsOf([...records, priced]).providers).toMatchObject([
    { provider: 'a', costUsd: 0.5, unpriced: 2 },
    { provider: 'b', costUsd: null, unpriced: 1 },
  ]);
});

test('6.2 a request that had no seat is an error, though none of its provider', () => {
  const waited = recordOf({ id: 'eight', tried: [['a/m', 'no_seat', 10]], state: 'upstream_error' });
  const stats = statsOf([...records, waited]);
  expect(stats.errors).toBe(2);
  expect(stats.providers[0]).toMatchObject({ provider: 'a', errors: 2 });
});

test('6.2 M14 models are ranked by their p95, with those that are slow', () => {
  expect(statsOf(records).models).toMatchObject([
    { deployment: 'b/m', slow: true },
    { deployment: 'a/m', slow: false },
  ]);
});

test.each([
  [10, true],
  [11, false],
])('6.2 M14 a model of %i answers of which one is slow counts as slow: %s', (count, slow) => {
  const all = Array.from({ length: count }, (_, index) =>
    recordOf({ id: String(index), tried: [['a/m', 'answered', index === 0 ? 30_000 : 100]] }),
  );
  expect(statsOf(all).models).toMatchObject([{ slow }]);
});

test('6.2 a line of the log tells the same as the record, but for the price', () => {
  const line = {
    event: 'request_routed',
    timestamp: '2026-11-24T08:00:00.350Z',
    request_id: 'three',
    provider: 'b',
    model: 'm',
    backend_model: 'm',
    source: 'fallback',
    state: 'completed',
    latency_ms: 350,
    ttft_ms: 90,
    cache_hit: false,
    attempts: [
      { deployment: 'a/m', source: 'group', ms: 50, outcome: 'upstream_error' },
      { deployment: 'b/m', source: 'fallback', ms: 300, outcome: 'answered' },
    ],
  };
  const record = recordOf({
    id: 'three',
    tried: [
      ['a/m', 'upstream_error', 50],
      ['b/m', 'answered', 300],
    ],
    firstTokenMs: 90,
  });
  expect(seenInLog(line)).toEqual({ ...seenInRecord(record), plan: null });
  expect(seenInLog({ ...line, event: 'cooldown' })).toBeUndefined();
});

const pool = (chosen: 'a/m' | 'b/m', only = false): DecisionRecord =>
  recordOf({
    id: 'pool',
    strategy: 'weighted_round_robin',
    tried: [[chosen, 'answered', 1]],
    members: only
      ? [[chosen, 0.7, 1]]
      : [
          ['a/m', 0.7, 0.7],
          ['b/m', 0.3, 0.3],
        ],
  });
const many = (count: number, one: DecisionRecord): readonly DecisionRecord[] =>
  Array.from({ length: count }, () => one);

test.each([
  ['as declared', [...many(70, pool('a/m')), ...many(30, pool('b/m'))], 100, 'fits'],
  ['the other way round', [...many(30, pool('a/m')), ...many(70, pool('b/m'))], 100, 'differs'],
  ['too few', [pool('a/m'), pool('b/m')], 2, 'too_few'],
  [
    'with times in which one was alone, which no weight decided',
    [...many(70, pool('a/m')), ...many(30, pool('b/m')), ...many(500, pool('a/m', true))],
    100,
    'fits',
  ],
] as const)('6.2 M12 M15 shares of a pool, %s', (_name, all, requests, verdict) => {
  const [shares] = poolShares(all);
  expect(shares).toMatchObject({ group: 'm', requests, undecided: all.length - requests, chiSquare: { verdict } });
  expect(shares?.members.map((one) => one.declared)).toEqual([0.7, 0.3]);
  expect(shares?.members.reduce((sum, one) => sum + one.chosen, 0)).toBe(requests);
});
