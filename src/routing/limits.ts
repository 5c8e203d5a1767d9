import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Limit, LimitCounts, LimitIndex, LimitState, WindowCounts } from '../plan/limit.ts';
import type { RateLimit } from '../plan/provider.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { type Counted, count, fullWindow, openSecond, resetOf, secondOf, usedIn } from './limit-windows.ts';
import { nextEndMs } from './speeds.ts';

/** A limit that has no room for a request, with its numbers. */
export type FullLimit = {
  readonly limit: Limit;
  readonly unit: 'requests a minute' | 'tokens a minute' | 'requests at the same time';
  readonly most: number;
  readonly used: number;
  /** What the request would add: one, or about so many tokens. */
  readonly wanted: number;
  readonly freeInMs: Milliseconds;
};

/** The limits, and what runs. */
type WorkingLimits = Pick<RoutingState, 'limits' | 'inFlight' | 'observations'>;

/** Of the limits that have no room for a request of so many tokens the one that is full for longest. */
export function fullLimit(
  state: WorkingLimits,
  indices: readonly LimitIndex[],
  tokens: number,
  now: Milliseconds,
): FullLimit | undefined {
  let longest: FullLimit | undefined;
  for (const index of indices) {
    const full = fullness(state, index, tokens, now);
    if (full !== undefined && full.freeInMs > (longest?.freeInMs ?? -1)) longest = full;
  }
  return longest;
}

/** Of what a limit bounds, that which has no room for longest. */
function fullness(working: WorkingLimits, index: LimitIndex, tokens: number, now: Milliseconds): FullLimit | undefined {
  const { limits: state } = working;
  const limit = state.limits[index];
  const counts = state.counts[index];
  if (limit === undefined || counts === undefined) return undefined;
  const { requestsPerMinute, tokensPerMinute, parallelRequests } = limit.rate;
  const { running } = counts;
  let longest: FullLimit | undefined;
  if (parallelRequests !== undefined && running >= parallelRequests)
    longest = {
      limit,
      unit: 'requests at the same time',
      most: parallelRequests,
      used: running,
      wanted: 1,
      freeInMs: nextEndMs(working, running) ?? soon,
    };
  const look = (unit: Counted, most: number, wanted: number): void => {
    const full = fullWindow(counts, { unit, most, wanted }, now);
    if (full !== undefined && full.freeInMs > (longest?.freeInMs ?? -1))
      longest = { limit, unit: `${unit} a minute`, most, wanted, ...full };
  };
  if (tokensPerMinute !== undefined) look('tokens', tokensPerMinute, Math.min(tokens, tokensPerMinute));
  if (requestsPerMinute !== undefined) look('requests', requestsPerMinute, 1);
  return longest;
}

/** Where nobody knows when one of the requests under way will be over, clients ask again soon. */
const soon = milliseconds(1000);

/** How far a limit is used. */
export type LimitUse = {
  readonly limit: Limit;
  readonly unit: FullLimit['unit'];
  readonly most: number;
  readonly used: number;
  /** When nothing of it will be used any more, if nothing follows. */
  readonly resetMs: Milliseconds;
};

/** How far a limit is used, in each of the units that it bounds in a minute. */
export function usesOf(state: LimitState, index: LimitIndex, now: Milliseconds): readonly LimitUse[] {
  const limit = state.limits[index];
  const counts = state.counts[index];
  if (limit === undefined || counts === undefined) return [];
  const { requestsPerMinute, tokensPerMinute } = limit.rate;
  const use = (unit: Counted, most: number | undefined): readonly LimitUse[] => {
    if (most === undefined) return [];
    const used = usedIn(counts, unit, now);
    return [{ limit, unit: `${unit} a minute`, most, used, resetMs: resetOf(counts, unit, now) }];
  };
  return [...use('requests', requestsPerMinute), ...use('tokens', tokensPerMinute)];
}

/** Part of a limit from which it counts as nearly full. */
const nearFrom = 0.8;
/** Part of a limit below which being nearly full again is worth telling again. */
const wellBelow = 0.5;

/** Limits that have become nearly full and of which nobody was told since they were well below. */
export function takeNearlyFull(
  state: LimitState,
  indices: readonly LimitIndex[],
  now: Milliseconds,
): readonly LimitUse[] {
  let told: LimitUse[] | undefined;
  for (const index of indices) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    const part = fullestPart(counts, state.limits[index]?.rate, now);
    if (part >= nearFrom && !counts.isNear) {
      const near = usesOf(state, index, now).find(({ used, most }) => used >= most * nearFrom);
      if (near !== undefined) told = [...(told ?? []), near];
    }
    if (part >= nearFrom) counts.isNear = true;
    else if (part < wellBelow) counts.isNear = false;
  }
  return told ?? nothingTold;
}

const nothingTold: readonly LimitUse[] = [];

/** The used part of whatever a limit has least of. */
function fullestPart(counts: LimitCounts, rate: RateLimit | undefined, now: Milliseconds): number {
  const part = (unit: Counted, most: number | undefined): number =>
    most === undefined ? 0 : usedIn(counts, unit, now) / most;
  return Math.max(part('requests', rate?.requestsPerMinute), part('tokens', rate?.tokensPerMinute));
}

/** The limits with some of them as full as they can be; those that were given stay as they are. */
export function filledLimits(state: LimitState, indices: readonly LimitIndex[], now: Milliseconds): LimitState {
  const copy = (window: WindowCounts): WindowCounts => ({ ...window, slots: window.slots.slice() });
  const counts = state.counts.map((one) => ({ ...one, requests: copy(one.requests), tokens: copy(one.tokens) }));
  for (const index of indices) {
    const own = counts[index];
    if (own === undefined) continue;
    const { requestsPerMinute = 0, tokensPerMinute = 0, parallelRequests } = state.limits[index]?.rate ?? {};
    const second = secondOf(now);
    openSecond(own, second);
    count(own.requests, second, Math.max(0, requestsPerMinute - usedIn(own, 'requests', now)));
    count(own.tokens, second, Math.max(0, tokensPerMinute - usedIn(own, 'tokens', now)));
    if (parallelRequests !== undefined) own.running = parallelRequests;
  }
  return { ...state, counts };
}
