import { expect, test } from 'vitest';
import { seededRandom } from '../plan/seeded.ts';
import { compare } from './compare.ts';
import { proportions, rankSum } from './rank-sum.ts';
import type { SeenRequest } from './seen-request.ts';

// Values that R's wilcox.test(exact = FALSE) and prop.test(correct = FALSE) give.
test.each([
  [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 15, 16, 17, 18, 19, 20], 0.0001827],
  [[1, 3, 5, 7, 9, 11, 13, 15, 17, 19], [2, 4, 6, 8, 10, 12, 14, 16, 18, 20], 0.7337],
  [[5, 5, 5], [5, 5, 5], 1],
])('6.2 the rank-sum of %j and %j is met by chance with p %f', (a, b, p) => {
  expect(rankSum(a, b)).toBeCloseTo(p, 4);
});

test.each([
  [15, 100, 30, 100, 0.01109],
  [10, 100, 10, 100, 1],
  [0, 50, 0, 50, 1],
])('6.2 %i of %i against %i of %i is met by chance with p %f', (a, ofA, b, ofB, p) => {
  expect(proportions({ part: a, of: ofA }, { part: b, of: ofB })).toBeCloseTo(p, 3);
});

/** Requests of about so many milliseconds, of which some fail. */
function side(count: number, ms: number, errors = 0): { what: string; requests: readonly SeenRequest[] } {
  const random = seededRandom(count + ms);
  const requests = Array.from({ length: count }, (_none, index): SeenRequest => {
    const isError = index < errors;
    return {
      id: String(index),
      at: index,
      asked: 'm',
      provider: isError ? null : 'a',
      deployment: isError ? null : 'a/m',
      isFallback: false,
      isCached: false,
      state: isError ? 'upstream_error' : 'completed',
      totalMs: ms * (0.5 + random()),
      firstTokenMs: null,
      costUsd: null,
      failed: [],
      plan: null,
    };
  });
  return { what: '', requests };
}

test.each([
  ['slower', side(200, 100), side(200, 150), 'differs', 'no_difference_shown'],
  ['the same', side(200, 100), side(201, 100), 'no_difference_shown', 'no_difference_shown'],
  ['too small', side(20, 100), side(200, 900), 'too_few', 'too_few'],
  ['failing', side(200, 100), side(200, 100, 60), 'no_difference_shown', 'differs'],
  ['failing too seldom to tell', side(200, 100), side(200, 100, 3), 'no_difference_shown', 'too_few'],
] as const)('6.2 a side that is %s', (_name, before, after, latency, errors) => {
  const report = compare(before, after);
  expect([report.latency.verdict, report.errors.verdict]).toEqual([latency, errors]);
  expect(report.before.requests).toBe(before.requests.length);
});
