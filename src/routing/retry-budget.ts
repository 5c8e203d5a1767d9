import type { Milliseconds } from '../plan/ids.ts';
import type { RetryBudget } from '../plan/retry-budget.ts';
import { secondOf } from './limit-windows.ts';

/** Ten seconds, and the one that is still going on. */
const slots = 11;

/** Creates a retry budget in which nothing has been counted. */
export function createRetryBudget(): RetryBudget {
  return { requests: new Int32Array(slots), retries: new Int32Array(slots), lastSecond: 0 };
}

/** Counts a request, which earns a part of a retry. */
export function countRequest(budget: RetryBudget, now: Milliseconds): void {
  count(budget, 'requests', now);
}

/** Counts a retry in the same group. */
export function countRetry(budget: RetryBudget, now: Milliseconds): void {
  count(budget, 'retries', now);
}

/**
 * Whether one more retry in the same group fits: a fifth of the last ten seconds' requests, never less
 * than ten. What falls into a second is not told apart, so the second in which the ten began counts
 * with its retries and without its requests: no ten seconds hold more than the fifth of what they had.
 */
export function hasRetryBudget(budget: RetryBudget, now: Milliseconds): boolean {
  const earned = countedSince(budget, 'requests', secondOf(now) - slots + 2) * 0.2;
  return countedSince(budget, 'retries', secondOf(now) - slots + 1) < Math.max(10, earned);
}

type Counted = 'requests' | 'retries';

/** A request is counted when it began, which may be a while ago. */
function count(budget: RetryBudget, counted: Counted, at: Milliseconds): void {
  const second = secondOf(at);
  const { lastSecond: last } = budget;
  if (second <= last - slots) return;
  for (let passed = Math.max(last + 1, second - slots + 1); passed <= second; passed++) {
    budget.requests[slotOf(passed)] = 0;
    budget.retries[slotOf(passed)] = 0;
  }
  budget.lastSecond = Math.max(last, second);
  budget[counted][slotOf(second)] = (budget[counted][slotOf(second)] ?? 0) + 1;
}

function countedSince(budget: RetryBudget, counted: Counted, from: number): number {
  const { lastSecond: last } = budget;
  let sum = 0;
  for (let second = Math.max(from, last - slots + 1); second <= last; second++)
    sum += budget[counted][slotOf(second)] ?? 0;
  return sum;
}

function slotOf(second: number): number {
  return ((second % slots) + slots) % slots;
}
