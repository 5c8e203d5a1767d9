import type { AttemptOutcome, Decision, Next, PlannedAttempt, Source } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Failure } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Target } from '../plan/model-group.ts';
import { deploymentAt, groupAt, type Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { tokensOf } from './facts.ts';
import { contextOf, exclusionOf } from './filter.ts';
import { fullLimit, limitsOfAttempt } from './limits.ts';
import { orderGroup } from './order.ts';
import { policyClass } from './policy-class.ts';
import { modelNamer } from './resolve.ts';
import { hasRetryBudget } from './state.ts';

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
type Failed = AttemptOutcome & { readonly failure: Failure };

/**
 * Chooses what follows a failed attempt: a retry within the same group (another deployment before
 * the same again), else the next fallback, else the end.
 */
export function goOn(input: GoOnInput): Next {
  const last = input.outcomes.at(-1);
  if (last?.failure === undefined) return stop(input);
  if (input.now >= input.deadline) return { kind: 'stop', failure: withAttempts(input, failure('deadline_exceeded')) };
  const failed: Failed = { ...last, failure: last.failure };
  const path = pathOf(input);
  if (hasFailedBy(input, 'context_length_exceeded')) return afterOverflow(input, failed, path) ?? stop(input);
  return retry(input, failed, path) ?? laterOrder(input, failed, path) ?? fallBack(input, failed, path) ?? stop(input);
}

/** A prompt that is too long goes to what takes more, in the same group or another: each counts as a fallback. */
function afterOverflow(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  const next = path.find((one) => isOpen(input, one));
  const isSpent = input.outcomes.length > input.plan.settings.retry.maxFallbacks;
  if (next === undefined || isSpent || !failureCatalogue[last.failure.kind].goesOn) return undefined;
  return { kind: 'attempt', attempt: next, delayMs: noWait, retry: false };
}

function hasFailedBy({ outcomes }: GoOnInput, kind: Failure['kind']): boolean {
  return outcomes.some((one) => one.failure?.kind === kind);
}

/** What may follow at all, in order: the decision's attempts, or those that are declared for the kind of failure. */
function pathOf(input: GoOnInput): readonly PlannedAttempt[] {
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

/** The largest context that was too small; where none is known, the estimate of the prompt. */
function largestFailed(input: GoOnInput): number {
  const failed = input.outcomes.filter((one) => one.failure?.kind === 'context_length_exceeded');
  return Math.max(input.facts.promptTokens, ...failed.map((one) => contextAt(input, one.attempt)));
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

/** Another deployment of the same group, or the same again after a wait. A model that was loading costs no retry of the budget. */
function retry(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  const isLoading = last.failure.kind === 'upstream_loading';
  const retries = retriesAfter(input, last);
  const made = input.outcomes.filter((one) => isSameGroup(one.attempt, last.attempt));
  const other = path.find((one) => isSameGroup(one, last.attempt) && isOpen(input, one));
  const hasBudget = isLoading || hasRetryBudget(input.state, input.now);
  if (made.length <= retries && hasBudget && other !== undefined)
    return { kind: 'attempt', attempt: other, delayMs: noWait, retry: !isLoading };
  return hasBudget ? repeat(input, last, path) : undefined;
}

const noWait = milliseconds(0);

/** How many further attempts the group gets after a failure; a number declared for its class decides as written. */
function retriesAfter(input: GoOnInput, last: Failed): number {
  // What is rehearsed is that all of the group fails.
  if (last.failure.kind === 'rehearsed') return 0;
  const declared = declaredRetries(input, last.failure);
  if (declared !== undefined) return declared;
  if (!failureCatalogue[last.failure.kind].goesOn) return 0;
  const own = deploymentAt(input.plan, last.attempt.deployment).retries;
  const retries = input.facts.retries ?? own ?? input.plan.settings.retry.retries;
  // That it was loading is no failure: once it is there it is asked again, whatever the settings say of failures.
  return last.failure.kind === 'upstream_loading' ? Math.max(1, retries) : retries;
}

/** The number that a retry_policy gives for a class of failures, the group's own first. */
function declaredRetries({ plan, decision }: GoOnInput, failed: Failure): number | undefined {
  const kind = policyClass(failed);
  if (kind === undefined) return undefined;
  const name = decision.group === undefined ? undefined : groupAt(plan, decision.group).name;
  const own = name === undefined ? undefined : plan.settings.retry.groupPolicy.get(name);
  const { policy } = plan.settings.retry;
  const declared = own?.get(kind) ?? policy.get(kind);
  // The number for everything else is no reason to repeat what only the client can mend.
  if (declared !== undefined || failureCatalogue[failed.kind].blame === 'client') return declared;
  return own?.get('Default') ?? policy.get('Default');
}

/** Asks a deployment of the group again: the one that was asked least. */
function repeat(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  const { repeats, source } = last.attempt;
  const made = input.outcomes.filter((one) => isSameGroup(one.attempt, last.attempt));
  const isFallback = source !== 'group';
  // Fallbacks are asked again only where their chain says so.
  const most = isFallback ? (repeats?.times ?? 0) : retriesAfter(input, last);
  const countOf = (attempt: PlannedAttempt): number => made.filter((one) => isSame(one.attempt, attempt)).length;
  // What a deployment said last is what counts of it.
  const latest = made.filter((one, at) => !made.slice(at + 1).some((later) => isSame(later.attempt, one.attempt)));
  const inTurn = latest.toSorted((a, b) => countOf(a.attempt) - countOf(b.attempt));
  const again = (isFallback ? [last] : inTurn).find(
    // A failure with fallbacks of its own (a content filter) leaves nobody else to go back to.
    (one) =>
      isWorthRepeating(input, one, path) &&
      (isSame(one.attempt, last.attempt) || path.some((other) => isSame(other, one.attempt))),
  );
  const count = isFallback ? countOf(last.attempt) : made.length;
  if (again === undefined || count > most) return undefined;
  const delayMs =
    repeats === undefined
      ? backoff(input, again, made.length)
      : milliseconds(
          Math.max(again.failure?.retryAfterMs ?? 0, repeats.waitMs * (repeats.doubling ? 2 ** (count - 1) : 1)),
        );
  if (input.now + delayMs >= input.deadline) return undefined;
  return { kind: 'attempt', attempt: again.attempt, delayMs, retry: last.failure.kind !== 'upstream_loading' };
}

/** Asking the same server again helps after a passing fault, not after a refused key or a missing model. */
function isWorthRepeating(input: GoOnInput, one: AttemptOutcome, path: readonly PlannedAttempt[]): boolean {
  if (one.failure === undefined) return false;
  const isPassing = failureCatalogue[one.failure.kind].clientMayRetry && !isClosedDoor(one.failure);
  if (!isPassing && (declaredRetries(input, one.failure) ?? 0) === 0) return false;
  if ((one.failure.retryAfterMs ?? 0) > longestWaitMs) return false;
  if (one.failure.kind === 'no_seat' || !hasRoom(input, one.attempt)) return false;
  const health = input.state.health[one.attempt.deployment];
  switch (health?.kind) {
    case 'down':
    case 'disabled':
    case 'draining':
    case 'half_open':
      return false;
    case 'cooling':
      // It is set aside, so it is waited for only where nothing else can serve.
      return input.now >= health.until || !path.some((other) => isOpen(input, other));
    default:
      return true;
  }
}

/** A longer Retry-After is not waited for within a request. */
const longestWaitMs = 60_000;

/** Where no connection comes about, another try costs the same wait again. */
function isClosedDoor({ kind }: Failure): boolean {
  return kind === 'upstream_refused' || kind === 'upstream_timeout_connect' || kind === 'upstream_unreachable';
}

const firstBackoffMs = 500;
const longestBackoffMs = 8000;
/** Retry-After where the server gave one, else doubling from half a second, with jitter downwards. */
function backoff({ plan, random }: GoOnInput, one: AttemptOutcome, made: number): Milliseconds {
  // The gateway asks probes when the model is there, not the model.
  if (one.failure?.kind === 'upstream_loading') return noWait;
  const asked = one.failure?.retryAfterMs;
  if (asked !== undefined && asked > 0) return asked;
  const wait = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (made - 1)) * (1 - random() * 0.25);
  return milliseconds(Math.max(plan.settings.retry.retryAfterMs, wait));
}

/**
 * What stands in a later order of the group (secondary, tertiary): it is there for the case that the
 * earlier ones fail, so it has its turn however many retries there are.
 */
function laterOrder(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  if (last.attempt.source === 'desperate' || !failureCatalogue[last.failure.kind].goesOn) return undefined;
  if (last.failure.kind === 'rehearsed') return undefined;
  const tried = input.outcomes.filter((one) => isSameGroup(one.attempt, last.attempt));
  const latest = Math.max(...tried.map((one) => orderOf(input, one.attempt)));
  const next = path.find((one) => isSameGroup(one, last.attempt) && orderOf(input, one) > latest && isOpen(input, one));
  return next === undefined ? undefined : { kind: 'attempt', attempt: next, delayMs: noWait, retry: false };
}

function orderOf({ decision }: GoOnInput, attempt: PlannedAttempt): number {
  const found = decision.candidates.find(
    (one) => one.deployment === attempt.deployment && one.group === attempt.group && one.verdict.kind !== 'excluded',
  );
  return found?.order ?? 1;
}

/** The first attempt of a group that was not tried yet. */
function fallBack(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  if (!failureCatalogue[last.failure.kind].goesOn) return undefined;
  const tried = input.outcomes.map((one) => one.attempt);
  const taken = tried.filter((one, at) => one.source !== 'group' && at === tried.findIndex((a) => isSameGroup(a, one)));
  const next = path.find((one) => !tried.some((attempt) => isSameGroup(attempt, one)) && isOpen(input, one));
  if (next === undefined || taken.length >= input.plan.settings.retry.maxFallbacks) return undefined;
  return { kind: 'attempt', attempt: next, delayMs: noWait, retry: false };
}

/** A single deployment is a group of its own; what is tried in despair is one together. */
function isSameGroup(a: PlannedAttempt, b: PlannedAttempt): boolean {
  if (a.source === 'desperate' || b.source === 'desperate') return a.source === b.source;
  return a.group === undefined || b.group === undefined ? a.deployment === b.deployment : a.group === b.group;
}

function isSame(a: PlannedAttempt, b: PlannedAttempt): boolean {
  return a.deployment === b.deployment && a.model === b.model;
}

function isOpen(input: GoOnInput, attempt: PlannedAttempt): boolean {
  return (
    !input.outcomes.some((one) => isSame(one.attempt, attempt)) && isUsable(input, attempt) && hasRoom(input, attempt)
  );
}

/** Other requests may have filled a limit since the decision. */
function hasRoom({ state, facts, decision, now }: GoOnInput, attempt: PlannedAttempt): boolean {
  const limits = limitsOfAttempt(state.limits, facts, decision.group, attempt);
  return fullLimit(state.limits, limits, tokensOf(facts), now) === undefined;
}

/** Health may have changed since the decision: what is set aside by now is passed over. */
function isUsable({ state, now }: GoOnInput, { deployment, source }: PlannedAttempt): boolean {
  const health = state.health[deployment];
  switch (health?.kind) {
    case 'cooling':
      return now >= health.until || source === 'desperate';
    case 'half_open':
      return source === 'desperate';
    case 'down':
    case 'disabled':
    case 'draining':
    case undefined:
      return false;
    default:
      return true;
  }
}

/** The first failure decides what the client is told; the message names what every attempt came to. */
function stop(input: GoOnInput): Next {
  const first = input.outcomes[0]?.failure ?? failure('internal');
  const told = missingByRule(input) ?? first;
  return { kind: 'stop', failure: input.outcomes.length > 1 ? withAttempts(input, told) : told };
}

/** A name that only a rule led to a provider, and that no provider knows, does not exist. */
function missingByRule({ decision, outcomes }: GoOnInput): Failure | undefined {
  const { rule, asked } = decision;
  const words = rule.kind === 'pattern' ? `the pattern ${rule.pattern}` : rule.kind === 'size' ? rule.rule : undefined;
  if (words === undefined || outcomes.some((one) => one.failure?.kind !== 'upstream_model_missing')) return undefined;
  return failure('model_not_found', `The model "${asked}" does not exist where ${words} sends it`, { param: 'model' });
}

function withAttempts({ plan, outcomes }: GoOnInput, failed: Failure): Failure {
  const classes = outcomes.map(
    ({ attempt, failure: one }) => `${deploymentAt(plan, attempt.deployment).provider}: ${one?.kind ?? 'answered'}`,
  );
  return { ...failed, message: `${failed.message} (tried ${classes.join(', ')})` };
}
