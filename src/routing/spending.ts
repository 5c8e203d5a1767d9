import type { PlannedAttempt } from '../plan/decision.ts';
import { type GroupIndex, type Milliseconds, milliseconds, type ProviderId } from '../plan/ids.ts';
import { dollarWords, waitWords } from '../plan/in-words.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import type { Budget } from '../plan/provider.ts';
import type { SpendingCap, SpendingState, Spent } from '../plan/spending.ts';
import type { Usage } from '../plan/usage.ts';
import { answerUsd } from './cost.ts';

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

/** An answer that was given: by whom, for the name that was asked, with what it used. */
type Answer = {
  readonly attempt: PlannedAttempt;
  readonly asked: GroupIndex | undefined;
  readonly usage: Pick<Usage, 'promptTokens' | 'completionTokens'> | undefined;
};

/** Counts what an answer cost, as far as that is known, and gives it back. */
export function spendAnswer(
  { plan, state }: { readonly plan: Plan; readonly state: { readonly spending: SpendingState } },
  { attempt, asked, usage }: Answer,
  now: Milliseconds,
): number | undefined {
  const deployment = deploymentAt(plan, attempt.deployment);
  const usd = answerUsd(deployment, usage);
  if (usd === undefined || state.spending.caps.length === 0) return usd;
  const groups = [asked, attempt.group].filter((one) => one !== undefined);
  spend(state.spending, { provider: deployment.provider, groups }, usd, now);
  return usd;
}

/** Counts a cost at a provider and for the names that its answer was given for. */
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
