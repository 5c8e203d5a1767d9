import type { AttemptOutcome, Decision, PlannedAttempt, Source } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Failure } from '../plan/failure.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Target } from '../plan/model-group.ts';
import { deploymentAt, groupAt, type Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { tokensOf } from './facts.ts';
import { contextOf, exclusionOf } from './filter.ts';
import { standingOf } from './health.ts';
import { fullLimit } from './limits.ts';
import { limitsOfAttempt } from './limits-of.ts';
import { orderGroup } from './order.ts';
import { modelNamer } from './resolve.ts';

/** What going on has to know of a request whose last attempt failed. */
export type GoOnInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly decision: Decision;
  /** Every attempt so far, the failed one last. */
  readonly outcomes: readonly AttemptOutcome[];
  readonly deadline: Milliseconds;
  readonly now: Milliseconds;
  readonly random: () => number;
};

/** An attempt that failed. */
export type Failed = AttemptOutcome & { readonly failure: Failure };

/** What may follow at all, in order: the decision's attempts, or those that are declared for the kind of failure. */
export function pathOf(input: GoOnInput): readonly PlannedAttempt[] {
  const { plan, decision } = input;
  const group = decision.group === undefined ? undefined : groupAt(plan, decision.group);
  const mayFallBack = !input.facts.disableFallbacks;
  if (hasFailedBy(input, 'upstream_content_filter')) {
    return mayFallBack ? plannedFor(input, group?.contentFallbacks ?? [], 'content_fallback') : [];
  }
  if (hasFailedBy(input, 'context_length_exceeded')) {
    const declared = mayFallBack ? plannedFor(input, group?.contextFallbacks ?? [], 'context_fallback') : [];
    const least = largestFailed(input);
    // What a declared fallback takes is its declarer's knowledge; a peer has to show a larger context.
    return [...declared, ...decision.attempts.filter((one) => contextAt(input, one) > least)];
  }
  return decision.attempts;
}

/** Whether any attempt so far failed in this way. */
export function hasFailedBy({ outcomes }: GoOnInput, kind: Failure['kind']): boolean {
  return outcomes.some((one) => one.failure?.kind === kind);
}

/** The largest context that was too small; where none is known, what the prompt has at least. */
function largestFailed(input: GoOnInput): number {
  const failed = input.outcomes.filter((one) => one.failure?.kind === 'context_length_exceeded');
  return Math.max(input.facts.leastPromptTokens, ...failed.map((one) => contextAt(input, one.attempt)));
}

function contextAt({ plan, state }: GoOnInput, { deployment }: PlannedAttempt): number {
  return contextOf(state, deploymentAt(plan, deployment)) ?? 0;
}

/** Attempts of targets that the decision did not need, filtered and ordered as it would have done. */
function plannedFor(input: GoOnInput, targets: readonly Target[], source: Source): readonly PlannedAttempt[] {
  const { plan, decision } = input;
  const modelOf = modelNamer(plan, decision.asked, decision.rule);
  const planned = (deployment: Deployment, group: PlannedAttempt['group']): PlannedAttempt => ({
    deployment: deployment.index,
    model: modelOf(deployment),
    source,
    group,
    repeats: undefined,
  });
  return targets.flatMap((target) => {
    if (target.kind === 'group') {
      const { serving } = orderGroup(input, groupAt(plan, target.group));
      return serving.map(({ deployment }) => planned(deployment, target.group));
    }
    const deployment = deploymentAt(plan, target.deployment);
    return exclusionOf(input, deployment) === undefined ? [planned(deployment, undefined)] : [];
  });
}

/** Whether an attempt was not made yet, and could be made now. */
export function isOpen(input: GoOnInput, attempt: PlannedAttempt): boolean {
  return (
    !input.outcomes.some((one) => isSame(one.attempt, attempt)) && isUsable(input, attempt) && hasRoom(input, attempt)
  );
}

/** Health may have changed since the decision: what is set aside by now is passed over. */
function isUsable({ state, now }: GoOnInput, { deployment, source }: PlannedAttempt): boolean {
  const standing = standingOf(state.health[deployment], now);
  return standing === 'serves' || (standing === 'set_aside' && source === 'desperate');
}

/** Whether the limits of an attempt have room: other requests may have filled one since the decision. */
export function hasRoom({ state, facts, decision, now }: GoOnInput, attempt: PlannedAttempt): boolean {
  const limits = limitsOfAttempt(state.limits, facts, decision.group, attempt);
  return fullLimit(state, limits, tokensOf(facts), now) === undefined;
}

/** A single deployment is a group of its own; what is tried as a last resort is one together. */
export function isSameGroup(a: PlannedAttempt, b: PlannedAttempt): boolean {
  if (a.source === 'desperate' || b.source === 'desperate') return a.source === b.source;
  return a.group === undefined || b.group === undefined ? a.deployment === b.deployment : a.group === b.group;
}

/** Whether two attempts ask one deployment for one model. */
export function isSame(a: PlannedAttempt, b: PlannedAttempt): boolean {
  return a.deployment === b.deployment && a.model === b.model;
}
