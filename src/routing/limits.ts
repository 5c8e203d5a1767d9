import type { PlannedAttempt } from '../plan/decision.ts';
import type { DeploymentIndex } from '../plan/ids.ts';
import { type GroupIndex, type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Limit, LimitCounts, LimitIndex, LimitState, Reservation, WindowCounts } from '../plan/limit.ts';
import type { Plan } from '../plan/plan.ts';
import type { RateLimit } from '../plan/provider.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { limitRulesOf } from './limit-rules.ts';

/** A minute, and the second that is still going on. */
const slots = 61;
/** Part of a limit from which it counts as nearly full. */
const nearFrom = 0.8;
/** Part of a limit below which being nearly full again is worth telling again. */
const wellBelow = 0.5;

/** Creates the limits of a plan; those that stay keep what they have counted. */
export function createLimitState(plan: Plan, previous?: LimitState): LimitState {
  const rules = limitRulesOf(plan);
  const before = new Map(previous?.limits.map(({ label }, index) => [label, previous.counts[index]]));
  return { ...rules, counts: rules.limits.map(({ label }) => before.get(label) ?? newCounts()) };
}

function newCounts(): LimitCounts {
  const window = (): WindowCounts => ({ slots: new Float64Array(slots), used: 0 });
  return { requests: window(), tokens: window(), lastSecond: 0, running: 0, isNear: false };
}

const none: readonly LimitIndex[] = [];

/** Limits that a request meets before any deployment is looked at: by its key, and by the name that it asks for. */
export function limitsOfRequest(
  { limits, ofKey, ofGroup, ofName }: LimitState,
  facts: RequestFacts,
  group: GroupIndex | undefined,
): readonly LimitIndex[] {
  if (limits.length === 0) return none;
  const byKey = ofKey.get(facts.key) ?? none;
  const byGroup = group === undefined ? none : (ofGroup[group] ?? none);
  const byName = ofName.get(facts.asked ?? facts.capability ?? '') ?? none;
  // Mostly at most one of them has any: then nothing is put together.
  if (byGroup.length + byName.length === 0) return byKey;
  if (byKey.length + byName.length === 0) return byGroup;
  return [...byKey, ...byGroup, ...byName];
}

/** What an attempt at a deployment counts under. What a name's own deployments do not serve is no use of the name. */
export function limitsOfAttempt(
  state: LimitState,
  facts: RequestFacts,
  group: GroupIndex | undefined,
  { deployment, source }: Pick<PlannedAttempt, 'deployment' | 'source'>,
): readonly LimitIndex[] {
  if (state.limits.length === 0) return none;
  const own = limitsOfDeployment(state, deployment);
  const asked = limitsOfRequest(state, facts, group);
  if (asked.length === 0) return own;
  const counted = source === 'group' ? asked : asked.filter((index) => state.limits[index]?.kind === 'key');
  // A pool of a model's name counts what reaches the model once.
  return [...counted.filter((index) => !own.includes(index)), ...own];
}

/** What every attempt at a deployment counts under. */
export function limitsOfDeployment({ ofDeployment }: LimitState, deployment: DeploymentIndex): readonly LimitIndex[] {
  return ofDeployment[deployment] ?? none;
}

/** The limits with some of them as full as they can be; those that were given stay as they are. */
export function filledLimits(state: LimitState, indices: readonly LimitIndex[], now: Milliseconds): LimitState {
  const copy = ({ slots: each, used }: WindowCounts): WindowCounts => ({ slots: each.slice(), used });
  const counts = state.counts.map((one) => ({ ...one, requests: copy(one.requests), tokens: copy(one.tokens) }));
  for (const index of indices) {
    const own = counts[index];
    if (own === undefined) continue;
    const { requestsPerMinute = 0, tokensPerMinute = 0, parallelRequests } = state.limits[index]?.rate ?? {};
    const second = secondOf(now);
    openSecond(own, second);
    count(own.requests, second, Math.max(0, requestsPerMinute - own.requests.used));
    count(own.tokens, second, Math.max(0, tokensPerMinute - own.tokens.used));
    if (parallelRequests !== undefined) own.running = parallelRequests;
  }
  return { ...state, counts };
}

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

/** Of the limits that have no room for a request of so many tokens the one that is full for longest. */
export function fullLimit(
  state: LimitState,
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

function fullness(state: LimitState, index: LimitIndex, tokens: number, now: Milliseconds): FullLimit | undefined {
  const limit = state.limits[index];
  const counts = state.counts[index];
  if (limit === undefined || counts === undefined) return undefined;
  const { requestsPerMinute, tokensPerMinute, parallelRequests } = limit.rate;
  const { running } = counts;
  if (parallelRequests !== undefined && running >= parallelRequests)
    return {
      limit,
      unit: 'requests at the same time',
      most: parallelRequests,
      used: running,
      wanted: 1,
      freeInMs: soon,
    };
  if (tokensPerMinute !== undefined) {
    const wanted = Math.min(tokens, tokensPerMinute);
    const full = fullWindow(counts, { unit: 'tokens', most: tokensPerMinute, wanted }, now);
    if (full !== undefined) return { limit, unit: 'tokens a minute', most: tokensPerMinute, wanted, ...full };
  }
  if (requestsPerMinute === undefined) return undefined;
  const full = fullWindow(counts, { unit: 'requests', most: requestsPerMinute, wanted: 1 }, now);
  return full === undefined
    ? undefined
    : { limit, unit: 'requests a minute', most: requestsPerMinute, wanted: 1, ...full };
}

/** When one of the requests under way will be over is not known; clients ask again soon. */
const soon = milliseconds(1000);

/** What a window counts. */
type Counted = 'requests' | 'tokens';

type Window = {
  readonly unit: Counted;
  readonly most: number;
  readonly wanted: number;
};

function fullWindow(
  counts: LimitCounts,
  { unit, most, wanted }: Window,
  now: Milliseconds,
): Pick<FullLimit, 'used' | 'freeInMs'> | undefined {
  const used = usedIn(counts, unit, now);
  if (used + wanted <= most) return undefined;
  let left = used;
  let second = secondOf(now) - slots + 1;
  for (; second <= counts.lastSecond; second++) {
    left -= countedIn(counts[unit], second);
    if (left + wanted <= most) break;
  }
  return { used, freeInMs: milliseconds((second + slots) * 1000 - now) };
}

/** What stands in a limit's window: what was counted last, without what has left since. */
function usedIn(counts: LimitCounts, unit: Counted, now: Milliseconds): number {
  const { lastSecond: last } = counts;
  let { used } = counts[unit];
  const gone = Math.min(last, secondOf(now) - slots);
  for (let second = last - slots + 1; second <= gone; second++) used -= countedIn(counts[unit], second);
  return used;
}

function secondOf(now: Milliseconds): number {
  return Math.floor(now / 1000);
}

function slotOf(second: number): number {
  return ((second % slots) + slots) % slots;
}

function countedIn(window: WindowCounts, second: number): number {
  return window.slots[slotOf(second)] ?? 0;
}

/** Takes room for one request and its estimated tokens, which {@link settleReservation} makes true. */
export function reserve(
  state: LimitState,
  indices: readonly LimitIndex[],
  tokens: number,
  now: Milliseconds,
): Reservation | undefined {
  if (indices.length === 0) return undefined;
  const second = secondOf(now);
  for (const index of indices) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    openSecond(counts, second);
    count(counts.requests, second, 1);
    count(counts.tokens, second, reservedOf(state, index, tokens));
    counts.running++;
  }
  return { limits: indices, second, tokens };
}

/** A request that wants more than a minute has is let through when the minute is empty. */
function reservedOf(state: LimitState, index: LimitIndex, tokens: number): number {
  return Math.min(tokens, state.limits[index]?.rate.tokensPerMinute ?? tokens);
}

/** Empties the slots of the seconds that have passed since a limit was last counted in. */
function openSecond(counts: LimitCounts, second: number): void {
  const { lastSecond: last, requests, tokens } = counts;
  if (second <= last) return;
  for (let passed = Math.max(last + 1, second - slots + 1); passed <= second; passed++)
    for (const window of [requests, tokens]) count(window, passed, -countedIn(window, passed));
  counts.lastSecond = second;
}

function count(window: WindowCounts, second: number, by: number): void {
  const slot = slotOf(second);
  window.slots[slot] = (window.slots[slot] ?? 0) + by;
  window.used += by;
}

/** What became of a request that had room: it was never sent, or it used so many tokens; unknown keeps the estimate. */
export type Settlement = { readonly kind: 'unsent' } | { readonly kind: 'sent'; readonly tokens: number | undefined };

/** Ends a reservation. What is used counts when it is known, so a long stream counts at its end. */
export function settleReservation(
  state: LimitState,
  reservation: Reservation,
  settlement: Settlement,
  now: Milliseconds,
): void {
  const second = secondOf(now);
  for (const index of reservation.limits) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    counts.running = Math.max(0, counts.running - 1);
    const isLive = counts.lastSecond - reservation.second < slots;
    const isKnown = settlement.kind === 'unsent' || settlement.tokens !== undefined;
    if (isLive && settlement.kind === 'unsent') count(counts.requests, reservation.second, -1);
    if (isLive && isKnown) count(counts.tokens, reservation.second, -reservedOf(state, index, reservation.tokens));
    if (settlement.kind === 'unsent' || settlement.tokens === undefined) continue;
    openSecond(counts, second);
    count(counts.tokens, second, settlement.tokens);
  }
}

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

function resetOf(counts: LimitCounts, unit: Counted, now: Milliseconds): Milliseconds {
  const { lastSecond: last } = counts;
  for (let second = last; second > Math.max(last, secondOf(now)) - slots; second--)
    if (countedIn(counts[unit], second) > 0) return milliseconds((second + slots) * 1000 - now);
  return milliseconds(0);
}
