import { type GroupIndex, type Milliseconds, milliseconds, type ProviderId } from '../plan/ids.ts';
import { dollarWords, waitWords } from '../plan/in-words.ts';
import type { Plan } from '../plan/plan.ts';
import type { Budget } from '../plan/provider.ts';
import type { SpendingCap, SpendingState, Spent } from '../plan/spending.ts';

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
  const before = new Map(previous?.caps.map(({ id }, place) => [id, previous.spent[place]]));
  const spent = caps.map(({ id }): Spent => before.get(id) ?? { usd: 0, since: undefined });
  return { caps, ofProvider, ofGroup, spent };
}

/** A budget of which nothing is left. */
export type SpentCap = { readonly cap: SpendingCap; readonly usd: number; readonly freeInMs: Milliseconds };

/** The budget at a place, if it is spent; its window then ends in `freeInMs`. */
export function spentCap(state: SpendingState, place: number | undefined, now: Milliseconds): SpentCap | undefined {
  const cap = place === undefined ? undefined : state.caps[place];
  const spent = place === undefined ? undefined : state.spent[place];
  if (cap === undefined || spent === undefined) return undefined;
  const endsInMs = timeLeft(cap, spent, now);
  const usd = endsInMs > 0 ? spent.usd : 0;
  if (usd < cap.maxUsd) return undefined;
  return { cap, usd, freeInMs: endsInMs > 0 ? endsInMs : cap.windowMs };
}

/** How long the running window goes on; 0 where none runs. */
function timeLeft({ windowMs }: SpendingCap, { since }: Spent, now: Milliseconds): Milliseconds {
  return milliseconds(since === undefined ? 0 : Math.max(0, since + windowMs - now));
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
    const spent = place === undefined ? undefined : state.spent[place];
    if (cap === undefined || spent === undefined) continue;
    if (timeLeft(cap, spent, now) === 0) {
      spent.usd = 0;
      spent.since = now;
    }
    spent.usd += usd;
  }
}

/** A spent budget in words: what was spent of how much, and when there is more. */
export function spentWords({ cap, usd, freeInMs }: SpentCap): string {
  return `the budget of ${cap.label} is spent: ${dollarWords(usd)} of ${dollarWords(cap.maxUsd)}, new in ${waitWords(freeInMs)}`;
}
