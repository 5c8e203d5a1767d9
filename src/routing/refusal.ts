import type { Candidate, Exclusion } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { limitWords } from './filter.ts';
import type { FullLimit } from './limits.ts';
import { type SpentCap, spentWords } from './spending.ts';

/** No rule knows what was asked for. */
export function unknownModel({ asked, capability }: RequestFacts, near: readonly string[]): Failure {
  if (asked !== undefined)
    return failure('model_not_found', `The model "${asked}" does not exist`, { param: 'model', nearest: near });
  if (capability !== undefined)
    return failure('model_not_found', `The capability "${capability}" does not exist`, { nearest: near });
  return failure('model_not_found', 'The request names no model, and no default model is configured', {
    param: 'model',
  });
}

/** The key is for other names. */
export function notAllowed({ asked, capability }: RequestFacts): Failure {
  return failure('key_not_allowed', `The key may not ask for "${asked ?? capability ?? 'auto'}"`, { param: 'model' });
}

/** A limit of the key or of the name that was asked for is full. */
export function overLimit(full: FullLimit): Failure {
  const words = limitWords(full);
  return failure('rate_limited', `${words[0]?.toUpperCase()}${words.slice(1)}`, { retryAfterMs: full.freeInMs });
}

/** What may be spent on the name that was asked for is spent. */
export function overBudget(spent: SpentCap): Failure {
  const words = spentWords(spent);
  return failure('rate_limited', `${words[0]?.toUpperCase()}${words.slice(1)}`, { retryAfterMs: spent.freeInMs });
}

/** What a refusal is told from. */
export type RefusalInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly now: Milliseconds;
  readonly candidates: readonly Candidate[];
};

/** Why nothing can serve, as one failure: the reason that a client can act on comes first. */
export function noneLeft({ plan, state, facts, now, candidates }: RefusalInput): Failure {
  const found = candidates.flatMap(({ deployment, verdict, numbers }) =>
    verdict.kind === 'excluded' ? [{ deployment, ...verdict, freeInMs: numbers['freeInMs'] ?? 0 }] : [],
  );
  const isAll = (...reasons: readonly Exclusion[]): boolean =>
    found.length > 0 && found.every((one) => reasons.includes(one.reason));
  const name = facts.asked ?? facts.capability ?? 'auto';
  const first = found[0]?.detail;
  if (isAll('context'))
    return failure('context_length_exceeded', `The prompt is too long for "${name}": ${first}`, { param: 'messages' });
  if (isAll('capability', 'kind', 'tags', 'min_tier', 'condition', 'context'))
    return failure('unsupported_by_group', `No deployment of "${name}" can do this: ${first}`);
  if (isAll('disabled'))
    return failure('provider_disabled', `Every provider of "${name}" is disabled, and no fallback can serve`);
  const limited = found.filter((one) => one.reason === 'limit' || one.reason === 'budget');
  const [soonest] = limited.toSorted((a, b) => a.freeInMs - b.freeInMs);
  if (soonest !== undefined)
    return failure('rate_limited', `Cannot route to "${name}": ${soonest.detail}`, {
      retryAfterMs: milliseconds(soonest.freeInMs),
    });
  const reasons = found.map((one) => `${deploymentAt(plan, one.deployment).provider}: ${one.detail}`);
  const detail = reasons.length === 0 ? 'it has no deployment' : [...new Set(reasons)].join('; ');
  const retryAfterMs = soonestEnd(state, candidates, now);
  return failure(
    'no_deployment_ready',
    `Cannot route to "${name}": ${detail}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}

/** When the first cooldown ends. */
function soonestEnd(
  state: RoutingState,
  candidates: readonly Candidate[],
  now: Milliseconds,
): Milliseconds | undefined {
  const ends = candidates.flatMap(({ deployment }) => {
    const health = state.health[deployment];
    return health?.kind === 'cooling' ? [health.until] : [];
  });
  return ends.length === 0 ? undefined : milliseconds(Math.max(0, Math.min(...ends) - now));
}
