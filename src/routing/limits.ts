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
/** Part of a limit below which being nearly full again is worth telling again. */
const wellBelow = 0.5;

/** Creates the limits of a plan; those that stay keep what they have counted. */
export function createLimitState(plan: Plan, previous?: LimitState): LimitState {
  const rules = limitRulesOf(plan);
  const count = rules.limits.length;
  const state: LimitState = {
    ...rules,
    requests: new Float64Array(count * slots),
    tokens: new Float64Array(count * slots),
    requestsUsed: new Float64Array(count),
    tokensUsed: new Float64Array(count),
    lastSecond: new Float64Array(count),
    running: new Int32Array(count),
    isNear: new Uint8Array(count),
  };
  rules.limits.forEach(({ label }, index) => {
    const before = previous?.limits.findIndex((one) => one.label === label) ?? -1;
    if (previous === undefined || before === -1) return;
    for (const counts of ['requests', 'tokens'] as const)
      state[counts].set(previous[counts].subarray(before * slots, (before + 1) * slots), index * slots);
    for (const each of ['requestsUsed', 'tokensUsed', 'lastSecond'] as const)
      state[each][index] = previous[each][before] ?? 0;
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
  const filled: LimitState = {
    ...state,
    requests: state.requests.slice(),
    tokens: state.tokens.slice(),
    requestsUsed: state.requestsUsed.slice(),
    tokensUsed: state.tokensUsed.slice(),
    lastSecond: state.lastSecond.slice(),
    running: state.running.slice(),
  };
  for (const index of indices) {
    const { requestsPerMinute = 0, tokensPerMinute = 0, parallelRequests } = state.limits[index]?.rate ?? {};
    const second = secondOf(now);
    openSecond(filled, index, second);
    const slot = slotOf(index, second);
    const room = (most: number, used: number | undefined): number => Math.max(0, most - (used ?? 0));
    count(filled, { unit: 'requests', index, slot }, room(requestsPerMinute, filled.requestsUsed[index]));
    count(filled, { unit: 'tokens', index, slot }, room(tokensPerMinute, filled.tokensUsed[index]));
    if (parallelRequests !== undefined) filled.running[index] = parallelRequests;
  }
  return filled;
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
  if (limit === undefined) return undefined;
  const { requestsPerMinute, tokensPerMinute, parallelRequests } = limit.rate;
  const running = state.running[index] ?? 0;
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
    const full = fullWindow(state, { unit: 'tokens', index, most: tokensPerMinute, wanted }, now);
    if (full !== undefined) return { limit, unit: 'tokens a minute', most: tokensPerMinute, wanted, ...full };
  }
  if (requestsPerMinute === undefined) return undefined;
  const full = fullWindow(state, { unit: 'requests', index, most: requestsPerMinute, wanted: 1 }, now);
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
  readonly index: LimitIndex;
  readonly most: number;
  readonly wanted: number;
};

function fullWindow(
  state: LimitState,
  { unit, index, most, wanted }: Window,
  now: Milliseconds,
): Pick<FullLimit, 'used' | 'freeInMs'> | undefined {
  const used = usedIn(state, unit, index, now);
  if (used + wanted <= most) return undefined;
  let left = used;
  let second = secondOf(now) - slots + 1;
  for (const last = state.lastSecond[index] ?? 0; second <= last; second++) {
    left -= state[unit][slotOf(index, second)] ?? 0;
    if (left + wanted <= most) break;
  }
  return { used, freeInMs: milliseconds((second + slots) * 1000 - now) };
}

/** What stands in a limit's window: what was counted last, without what has left since. */
function usedIn(state: LimitState, unit: Counted, index: LimitIndex, now: Milliseconds): number {
  const last = state.lastSecond[index] ?? 0;
  let used = (unit === 'requests' ? state.requestsUsed : state.tokensUsed)[index] ?? 0;
  const gone = Math.min(last, secondOf(now) - slots);
  for (let second = last - slots + 1; second <= gone; second++) used -= state[unit][slotOf(index, second)] ?? 0;
  return used;
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
    const slot = slotOf(index, second);
    count(state, { unit: 'requests', index, slot }, 1);
    count(state, { unit: 'tokens', index, slot }, reservedOf(state, index, tokens));
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
    const slot = slotOf(index, passed);
    count(state, { unit: 'requests', index, slot }, -(state.requests[slot] ?? 0));
    count(state, { unit: 'tokens', index, slot }, -(state.tokens[slot] ?? 0));
  }
  state.lastSecond[index] = second;
}

type Place = { readonly unit: Counted; readonly index: LimitIndex; readonly slot: number };

function count(state: LimitState, { unit, index, slot }: Place, by: number): void {
  const used = unit === 'requests' ? state.requestsUsed : state.tokensUsed;
  state[unit][slot] = (state[unit][slot] ?? 0) + by;
  used[index] = (used[index] ?? 0) + by;
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
    if (isLive && settlement.kind === 'unsent') count(state, { unit: 'requests', index, slot }, -1);
    if (isLive && isKnown) count(state, { unit: 'tokens', index, slot }, -reservedOf(state, index, reservation.tokens));
    if (settlement.kind === 'unsent' || settlement.tokens === undefined) continue;
    openSecond(state, index, second);
    count(state, { unit: 'tokens', index, slot: slotOf(index, second) }, settlement.tokens);
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
    const part = fullestPart(state, index, now);
    if (part >= nearFrom && state.isNear[index] === 0) {
      const near = usesOf(state, index, now).find(({ used, most }) => used >= most * nearFrom);
      if (near !== undefined) told = [...(told ?? []), near];
    }
    if (part >= nearFrom) state.isNear[index] = 1;
    else if (part < wellBelow) state.isNear[index] = 0;
  }
  return told ?? nothingTold;
}

const nothingTold: readonly LimitUse[] = [];

/** The used part of whatever a limit has least of. */
function fullestPart(state: LimitState, index: LimitIndex, now: Milliseconds): number {
  const rate = state.limits[index]?.rate;
  const part = (unit: Counted, most: number | undefined): number =>
    most === undefined ? 0 : usedIn(state, unit, index, now) / most;
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
  if (limit === undefined) return [];
  const { requestsPerMinute, tokensPerMinute } = limit.rate;
  const use = (unit: Counted, most: number | undefined): readonly LimitUse[] => {
    if (most === undefined) return [];
    const used = usedIn(state, unit, index, now);
    return [{ limit, unit: `${unit} a minute`, most, used, resetMs: resetOf(state, unit, index, now) }];
  };
  return [...use('requests', requestsPerMinute), ...use('tokens', tokensPerMinute)];
}

function resetOf(state: LimitState, unit: Counted, index: LimitIndex, now: Milliseconds): Milliseconds {
  for (let second = state.lastSecond[index] ?? 0; second > secondOf(now) - slots; second--) {
    if ((state[unit][slotOf(index, second)] ?? 0) > 0) return milliseconds((second + slots) * 1000 - now);
  }
  return milliseconds(0);
}
