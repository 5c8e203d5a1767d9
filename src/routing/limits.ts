import type { PlannedAttempt } from '../plan/decision.ts';
import type { DeploymentIndex } from '../plan/ids.ts';
import { type GroupIndex, type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Limit, LimitIndex, LimitState, Reservation } from '../plan/limit.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { limitRulesOf } from './limit-rules.ts';

/** A minute, and the second that is still going on. */
const slots = 61;
/** Part of a limit from which it counts as nearly full. */
const nearFrom = 0.8;

/** Creates the limits of a plan; those that stay keep what they have counted. */
export function createLimitState(plan: Plan, previous?: LimitState): LimitState {
  const rules = limitRulesOf(plan);
  const count = rules.limits.length;
  const state: LimitState = {
    ...rules,
    requests: new Float64Array(count * slots),
    tokens: new Float64Array(count * slots),
    lastSecond: new Float64Array(count),
    running: new Int32Array(count),
    isNear: new Uint8Array(count),
  };
  rules.limits.forEach(({ label }, index) => {
    const before = previous?.limits.findIndex((one) => one.label === label) ?? -1;
    if (previous === undefined || before === -1) return;
    for (const counts of ['requests', 'tokens'] as const)
      state[counts].set(previous[counts].subarray(before * slots, (before + 1) * slots), index * slots);
    state.lastSecond[index] = previous.lastSecond[before] ?? 0;
  });
  return state;
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
  const asked = limitsOfRequest(state, facts, group).filter(
    (index) => source === 'group' || state.limits[index]?.kind === 'key',
  );
  return [...new Set([...asked, ...limitsOfDeployment(state, deployment)])];
}

/** What every attempt at a deployment counts under. */
export function limitsOfDeployment({ ofDeployment }: LimitState, deployment: DeploymentIndex): readonly LimitIndex[] {
  return ofDeployment[deployment] ?? none;
}

/** A limit that has no room for a request, with its numbers. */
export type FullLimit = {
  readonly limit: Limit;
  readonly unit: 'requests a minute' | 'tokens a minute' | 'requests at the same time';
  readonly most: number;
  readonly used: number;
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
  if (limit === undefined) return undefined;
  const { requestsPerMinute, tokensPerMinute, parallelRequests } = limit.rate;
  const running = state.running[index] ?? 0;
  if (parallelRequests !== undefined && running >= parallelRequests)
    return { limit, unit: 'requests at the same time', most: parallelRequests, used: running, freeInMs: soon };
  if (tokensPerMinute !== undefined) {
    const window = { counts: state.tokens, index, most: tokensPerMinute, wanted: Math.min(tokens, tokensPerMinute) };
    const full = fullWindow(state, window, now);
    if (full !== undefined) return { limit, unit: 'tokens a minute', most: tokensPerMinute, ...full };
  }
  if (requestsPerMinute === undefined) return undefined;
  const window = { counts: state.requests, index, most: requestsPerMinute, wanted: 1 };
  const full = fullWindow(state, window, now);
  return full === undefined ? undefined : { limit, unit: 'requests a minute', most: requestsPerMinute, ...full };
}

/** When one of the requests under way will be over is not known; clients ask again soon. */
const soon = milliseconds(1000);

type Window = {
  readonly counts: Float64Array;
  readonly index: LimitIndex;
  readonly most: number;
  readonly wanted: number;
};

function fullWindow(
  state: LimitState,
  { counts, index, most, wanted }: Window,
  now: Milliseconds,
): Pick<FullLimit, 'used' | 'freeInMs'> | undefined {
  const used = usedIn(state, counts, index, now);
  if (used + wanted <= most) return undefined;
  let left = used;
  let second = secondOf(now) - slots + 1;
  for (const last = state.lastSecond[index] ?? 0; second <= last; second++) {
    left -= counts[slotOf(index, second)] ?? 0;
    if (left + wanted <= most) break;
  }
  return { used, freeInMs: milliseconds((second + slots) * 1000 - now) };
}

/** What stands in a limit's window. */
function usedIn(state: LimitState, counts: Float64Array, index: LimitIndex, now: Milliseconds): number {
  const last = state.lastSecond[index] ?? 0;
  let sum = 0;
  for (let second = secondOf(now) - slots + 1; second <= last; second++) sum += counts[slotOf(index, second)] ?? 0;
  return sum;
}

function secondOf(now: Milliseconds): number {
  return Math.floor(now / 1000);
}

function slotOf(index: LimitIndex, second: number): number {
  return index * slots + (((second % slots) + slots) % slots);
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
    openSecond(state, index, second);
    count(state.requests, slotOf(index, second), 1);
    count(state.tokens, slotOf(index, second), reservedOf(state, index, tokens));
    state.running[index] = (state.running[index] ?? 0) + 1;
  }
  return { limits: indices, second, tokens };
}

/** A request that wants more than a minute has is let through when the minute is empty. */
function reservedOf(state: LimitState, index: LimitIndex, tokens: number): number {
  return Math.min(tokens, state.limits[index]?.rate.tokensPerMinute ?? tokens);
}

/** Empties the slots of the seconds that have passed since a limit was last counted in. */
function openSecond(state: LimitState, index: LimitIndex, second: number): void {
  const last = state.lastSecond[index] ?? 0;
  if (second <= last) return;
  for (let passed = Math.max(last + 1, second - slots + 1); passed <= second; passed++) {
    state.requests[slotOf(index, passed)] = 0;
    state.tokens[slotOf(index, passed)] = 0;
  }
  state.lastSecond[index] = second;
}

function count(counts: Float64Array, slot: number, by: number): void {
  counts[slot] = (counts[slot] ?? 0) + by;
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
    state.running[index] = Math.max(0, (state.running[index] ?? 0) - 1);
    const isLive = (state.lastSecond[index] ?? 0) - reservation.second < slots;
    const slot = slotOf(index, reservation.second);
    const isKnown = settlement.kind === 'unsent' || settlement.tokens !== undefined;
    if (isLive && settlement.kind === 'unsent') count(state.requests, slot, -1);
    if (isLive && isKnown) count(state.tokens, slot, -reservedOf(state, index, reservation.tokens));
    if (settlement.kind === 'unsent' || settlement.tokens === undefined) continue;
    openSecond(state, index, second);
    count(state.tokens, slotOf(index, second), settlement.tokens);
  }
}

/** Limits that have become nearly full and of which nobody was told since they were well below. */
export function takeNearlyFull(
  state: LimitState,
  indices: readonly LimitIndex[],
  now: Milliseconds,
): readonly LimitUse[] {
  const told: LimitUse[] = [];
  for (const index of indices) {
    const uses = usesOf(state, index, now);
    const near = uses.find(({ used, most }) => used >= most * nearFrom);
    if (near !== undefined && state.isNear[index] === 0) told.push(near);
    if (near !== undefined) state.isNear[index] = 1;
    else if (uses.every(({ used, most }) => used < most / 2)) state.isNear[index] = 0;
  }
  return told;
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
  if (limit === undefined) return [];
  const { requestsPerMinute, tokensPerMinute } = limit.rate;
  const use = (unit: LimitUse['unit'], counts: Float64Array, most: number | undefined): readonly LimitUse[] =>
    most === undefined
      ? []
      : [{ limit, unit, most, used: usedIn(state, counts, index, now), resetMs: resetOf(state, counts, index, now) }];
  return [
    ...use('requests a minute', state.requests, requestsPerMinute),
    ...use('tokens a minute', state.tokens, tokensPerMinute),
  ];
}

function resetOf(state: LimitState, counts: Float64Array, index: LimitIndex, now: Milliseconds): Milliseconds {
  for (let second = state.lastSecond[index] ?? 0; second > secondOf(now) - slots; second--) {
    if ((counts[slotOf(index, second)] ?? 0) > 0) return milliseconds((second + slots) * 1000 - now);
  }
  return milliseconds(0);
}
