import { type GroupIndex, type Milliseconds, milliseconds, type ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { Budget } from '../plan/provider.ts';
import type { SpendingCap, SpendingState } from '../plan/spending.ts';

/** Creates the budgets of a plan, unspent; those that stay keep what was spent. */
export function createSpendingState(plan: Plan, previous?: SpendingState): SpendingState {
  const caps: SpendingCap[] = [];
  const ofProvider = new Map<ProviderId, number>();
  const ofGroup = new Map<GroupIndex, number>();
  const add = (kind: 'provider' | 'name', name: string, { maxUsd, windowMs }: Budget): number =>
    caps.push({ id: `${kind} ${name}`, label: `${kind === 'name' ? '' : 'provider '}"${name}"`, maxUsd, windowMs }) - 1;
  for (const { id, budget } of plan.providers.values())
    if (budget !== undefined) ofProvider.set(id, add('provider', id, budget));
  for (const { index, name, budget } of plan.groups)
    if (budget !== undefined) ofGroup.set(index, add('name', name, budget));
  const usd = new Float64Array(caps.length);
  const since = new Float64Array(caps.length).fill(Number.NaN);
  for (const [index, { id }] of caps.entries()) {
    const before = previous?.caps.findIndex((one) => one.id === id) ?? -1;
    if (previous === undefined || before === -1) continue;
    usd[index] = previous.usd[before] ?? 0;
    since[index] = previous.since[before] ?? Number.NaN;
  }
  return { caps, ofProvider, ofGroup, usd, since };
}

/** A budget of which nothing is left. */
export type SpentCap = { readonly cap: SpendingCap; readonly usd: number; readonly freeInMs: Milliseconds };

/** The budget at a place, if it is spent; its window then ends in `freeInMs`. */
export function spentCap(state: SpendingState, place: number | undefined, now: Milliseconds): SpentCap | undefined {
  const cap = place === undefined ? undefined : state.caps[place];
  if (place === undefined || cap === undefined) return undefined;
  const since = state.since[place] ?? Number.NaN;
  const isRunning = now < since + cap.windowMs;
  const usd = isRunning ? (state.usd[place] ?? 0) : 0;
  if (usd < cap.maxUsd) return undefined;
  return { cap, usd, freeInMs: milliseconds(isRunning ? since + cap.windowMs - now : cap.windowMs) };
}

/** Counts what an answer cost, at its provider and for the names that it was given for. */
export function spend(
  state: SpendingState,
  { provider, groups }: { readonly provider: ProviderId; readonly groups: readonly GroupIndex[] },
  usd: number,
  now: Milliseconds,
): void {
  const places = [state.ofProvider.get(provider), ...groups.map((group) => state.ofGroup.get(group))];
  for (const place of new Set(places)) {
    const cap = place === undefined ? undefined : state.caps[place];
    if (place === undefined || cap === undefined) continue;
    const since = state.since[place] ?? Number.NaN;
    const isRunning = now < since + cap.windowMs;
    state.usd[place] = (isRunning ? (state.usd[place] ?? 0) : 0) + usd;
    if (!isRunning) state.since[place] = now;
  }
}

/** A spent budget in words: what was spent of how much, and when there is more. */
export function spentWords({ cap, usd, freeInMs }: SpentCap): string {
  return `the budget of ${cap.label} is spent: ${dollars(usd)} of ${dollars(cap.maxUsd)}, new in ${Math.ceil(freeInMs / 1000)} s`;
}

/** Small sums keep their digits. */
function dollars(usd: number): string {
  return `$${usd >= 1 || usd === 0 ? usd.toFixed(2) : Number(usd.toPrecision(3))}`;
}
