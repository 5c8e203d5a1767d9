import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Limit, LimitCounts, LimitState, WindowCounts } from '../plan/limit.ts';
import type { Plan } from '../plan/plan.ts';
import { limitRulesOf } from './limit-rules.ts';

/** A minute, and the second that is still going on. */
const slots = 61;

/** Creates the limits of a plan; those that stay keep what they have counted. */
export function createLimitState(plan: Plan, previous?: LimitState): LimitState {
  const rules = limitRulesOf(plan);
  const before = Map.groupBy(previous?.counts.keys() ?? [], (index) => previous?.limits[index]?.label);
  // One thing may be limited at two places: each goes on with its own count.
  const ownCounts = ({ label }: Limit): LimitCounts =>
    previous?.counts[before.get(label)?.shift() ?? -1] ?? newCounts();
  return { ...rules, counts: rules.limits.map(ownCounts) };
}

function newCounts(): LimitCounts {
  const window = (): WindowCounts => ({ slots: new Float64Array(slots), used: 0, held: 0 });
  return { requests: window(), tokens: window(), lastSecond: 0, running: 0, isNear: false };
}

/** What a window counts. */
export type Counted = 'requests' | 'tokens';

/** The room that a window has, and what is wanted of it. */
type Window = {
  readonly unit: Counted;
  readonly most: number;
  readonly wanted: number;
};

/**
 * How much of a window is used that has no room, and when it will have; undefined where it has.
 * What is held leaves a minute after it has its second, which is now at the soonest.
 */
export function fullWindow(
  counts: LimitCounts,
  { unit, most, wanted }: Window,
  now: Milliseconds,
): { readonly used: number; readonly freeInMs: Milliseconds } | undefined {
  const used = usedIn(counts, unit, now);
  if (used + wanted <= most) return undefined;
  let left = used;
  for (let second = secondOf(now) - slots + 1; second <= counts.lastSecond; second++) {
    left -= countedIn(counts[unit], second);
    if (left + wanted <= most) return { used, freeInMs: goneIn(second, now) };
  }
  return { used, freeInMs: goneIn(secondOf(now), now) };
}

/** When what was counted in a second leaves the window. */
function goneIn(second: number, now: Milliseconds): Milliseconds {
  return milliseconds((second + slots) * 1000 - now);
}

/** What stands in a limit's window: what is held, and what was counted last without what has left since. */
export function usedIn(counts: LimitCounts, unit: Counted, now: Milliseconds): number {
  const { lastSecond: last } = counts;
  let used = counts[unit].used + counts[unit].held;
  const gone = Math.min(last, secondOf(now) - slots);
  for (let second = last - slots + 1; second <= gone; second++) used -= countedIn(counts[unit], second);
  return used;
}

/** The second that a time falls into. */
export function secondOf(now: Milliseconds): number {
  return Math.floor(now / 1000);
}

function slotOf(second: number): number {
  return ((second % slots) + slots) % slots;
}

function countedIn(window: WindowCounts, second: number): number {
  return window.slots[slotOf(second)] ?? 0;
}

/** Empties the slots of the seconds that have passed since a limit was last counted in. */
export function openSecond(counts: LimitCounts, second: number): void {
  const { lastSecond: last, requests, tokens } = counts;
  if (second <= last) return;
  for (let passed = Math.max(last + 1, second - slots + 1); passed <= second; passed++)
    for (const window of [requests, tokens]) count(window, passed, -countedIn(window, passed));
  counts.lastSecond = second;
}

/** Adds to what a window counts in one second. */
export function count(window: WindowCounts, second: number, by: number): void {
  const slot = slotOf(second);
  window.slots[slot] = (window.slots[slot] ?? 0) + by;
  window.used += by;
}

/** When a window will be empty, if nothing follows. */
export function resetOf(counts: LimitCounts, unit: Counted, now: Milliseconds): Milliseconds {
  const { lastSecond: last } = counts;
  if (counts[unit].held > 0) return goneIn(secondOf(now), now);
  for (let second = last; second > Math.max(last, secondOf(now)) - slots; second--)
    if (countedIn(counts[unit], second) > 0) return goneIn(second, now);
  return milliseconds(0);
}
