/**
 * Routing: which deployments answer a request, in which order, and what to do when one fails.
 * Values in, values out: nothing here waits, reads a clock, draws its own random numbers or knows
 * of sockets. `decide` is the only thing in the product that chooses a deployment; live traffic,
 * `route explain` and every play call it. It reads as: resolve the name (resolve.ts), filter
 * (filter.ts) and order (order.ts, strategies.ts) what it means, add what stands behind it
 * (fallbacks.ts, last-resort.ts); what may follow after a failure is go-on.ts. State changes are
 * data, applied by health.ts and state.ts.
 */
import type { Decision } from '../plan/decision.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { addGroup, addTarget, concluded, createDraft, type Draft } from './draft.ts';
import { tokensOf } from './facts.ts';
import { addChain, addFallbacks, addOverflow } from './fallbacks.ts';
import { excludedBy } from './filter.ts';
import { addLastResort } from './last-resort.ts';
import { fullLimit } from './limits.ts';
import { limitsOfDeployment, limitsOfKey, limitsOfRequest } from './limits-of.ts';
import { noneLeft, notAllowed, overBudget, overLimit, unknownModel } from './refusal.ts';
import { isAllowed, resolve } from './resolve.ts';
import { spentCap } from './spending.ts';

/** Decides what may answer a request, in order, with the reason for every candidate. */
export function decide(
  plan: Plan,
  state: RoutingState,
  facts: RequestFacts,
  now: Milliseconds,
  random: () => number,
): Decision {
  const resolution = resolve(plan, state, facts);
  const draft = createDraft({ plan, state, facts, now, random }, resolution);
  if (resolution.kind === 'unknown') return concluded(draft, unknownModel(facts, resolution.nearest));
  if (!isAllowed(plan, facts, resolution)) return concluded(draft, notAllowed(facts));
  const spent = draft.group && spentCap(state.spending, state.spending.ofGroup.get(draft.group.index), now);
  if (spent !== undefined) return concluded(draft, overBudget(spent));
  const full = fullLimit(state, limitsOfRequest(state.limits, facts, draft.group?.index), tokensOf(facts), now);
  // A key's limit holds wherever the request would be sent on to.
  const fullKey = full && fullLimit(state, limitsOfKey(state.limits, facts), tokensOf(facts), now);
  if (full !== undefined && fullKey !== undefined)
    return concluded(draft, overLimit(plan.settings.routing.rateLimitedFallback ? fullKey : full));
  draft.passedOver = full === undefined ? undefined : excludedBy(full);
  switch (resolution.kind) {
    case 'unlisted':
      return { ...concluded(draft, undefined), needsListing: resolution.provider };
    case 'chain':
      addChain(draft, resolution.chain, 'default_fallback');
      break;
    case 'target':
      addTarget(draft, resolution.target, 'group');
      if (!isHeld(draft)) addFallbacks(draft, resolution.fallback, undefined);
      break;
    case 'group':
      if (resolution.first !== undefined) addTarget(draft, resolution.first, 'group');
      addOverflow(draft, resolution.group);
      addGroup(draft, resolution.group, 'group');
      if (!isHeld(draft)) addFallbacks(draft, resolution.group.fallback, resolution.group);
      break;
  }
  if (draft.attempts.length === 0) addLastResort(draft);
  return concluded(draft, draft.attempts.length === 0 ? noneLeft({ ...draft.input, ...draft }) : undefined);
}

/** Whether the limit of a name keeps out what was asked for: then nobody else answers, unless it is declared. */
function isHeld({ input: { plan, state }, attempts, candidates, passedOver }: Draft): boolean {
  if (attempts.length > 0 || plan.settings.routing.rateLimitedFallback) return false;
  if (passedOver !== undefined) return true;
  return candidates.some(
    ({ deployment, verdict }) =>
      verdict.kind === 'excluded' &&
      verdict.reason === 'limit' &&
      limitsOfDeployment(state.limits, deployment).some((index) => state.limits.limits[index]?.kind === 'name'),
  );
}
