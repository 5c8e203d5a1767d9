import fc from 'fast-check';
import { expect, test } from 'vitest';
import { milliseconds } from '../plan/ids.ts';
import { countRequest, countRetry, createRetryBudget, hasRetryBudget } from './retry-budget.ts';

test.each([
  { requests: 0, retries: 9, ago: 0, has: true },
  { requests: 0, retries: 10, ago: 0, has: false },
  { requests: 50, retries: 10, ago: 0, has: false },
  { requests: 100, retries: 19, ago: 0, has: true },
  { requests: 100, retries: 20, ago: 0, has: false },
  { requests: 100, retries: 20, ago: 10_000, has: false },
  { requests: 100, retries: 20, ago: 11_000, has: true },
  { requests: 5000, retries: 999, ago: 9000, has: true },
  { requests: 5000, retries: 1000, ago: 9000, has: false },
])('2: $retries retries, $requests requests, $ago ms ago: $has', ({ requests, retries, ago, has }) => {
  const now = milliseconds(50_000);
  const budget = createRetryBudget();
  for (let count = 0; count < requests; count++) countRequest(budget, now);
  for (let count = 0; count < retries; count++) countRetry(budget, now);
  expect(hasRetryBudget(budget, milliseconds(now + ago))).toBe(has);
});

test('2: the retry budget is a fifth of what its seconds hold, whatever the gaps between requests', () => {
  const happening = fc.record({
    afterMs: fc.oneof(fc.nat(40), fc.nat(3000), fc.nat(40_000)),
    /** A request is counted when it began. */
    beganAgoMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(20_000)),
    requests: fc.nat(80),
    retries: fc.nat(12),
  });
  fc.assert(
    fc.property(fc.nat(30_000), fc.array(happening, { maxLength: 60 }), (start, happenings) => {
      const budget = createRetryBudget();
      const seen: { readonly second: number; readonly requests: number; readonly retries: number }[] = [];
      let now = start;
      for (const { afterMs, beganAgoMs, requests, retries } of happenings) {
        now += afterMs;
        const began = milliseconds(Math.max(0, now - beganAgoMs));
        for (let count = 0; count < requests; count++) countRequest(budget, began);
        for (let count = 0; count < retries; count++) countRetry(budget, milliseconds(now));
        seen.push({ second: Math.floor(began / 1000), requests, retries: 0 });
        seen.push({ second: Math.floor(now / 1000), requests: 0, retries });
        const sum = (of: 'requests' | 'retries', back: number): number =>
          seen
            .filter(({ second }) => second >= Math.floor(now / 1000) - back)
            .reduce((total, one) => total + one[of], 0);
        const earned = Math.max(10, sum('requests', 9) * 0.2);
        expect(hasRetryBudget(budget, milliseconds(now))).toBe(sum('retries', 10) < earned);
      }
    }),
    { seed: 11, numRuns: 300 },
  );
});
