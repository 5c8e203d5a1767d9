import type { AttemptOutcome, Decision, Next, PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Target } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import type { PolicyClass } from '../plan/settings.ts';
import { deploymentAt } from './order.ts';
import { groupAt } from './resolve.ts';
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

/** Chooses what follows a failed attempt: another deployment of the group, a fallback, or the end. */
export function goOn(input: GoOnInput): Next {
  const last = input.outcomes.at(-1);
  if (last?.failure === undefined) return stop(input);
  if (input.now >= input.deadline) return { kind: 'stop', failure: withAttempts(input, failure('deadline_exceeded')) };
  switch (last.failure.kind) {
    case 'context_length_exceeded':
      return largerContext(input, last.attempt);
    case 'upstream_content_filter':
      return special(input, (group) => group.contentFallbacks, 'content_fallback');
    default:
      return goesOn(input, last.failure) ? nextAttempt(input, last) : stop(input);
  }
}

/** A number declared for the failure's class decides as written; else the catalogue does. */
function goesOn(input: GoOnInput, failed: Failure): boolean {
  const declared = declaredRetries(input, failed);
  if (declared !== undefined && declared > 0) return true;
  return failureCatalogue[failed.kind].goesOn;
}

function nextAttempt(input: GoOnInput, last: AttemptOutcome): Next {
  const retry = retryInGroup(input, last);
  if (retry !== undefined) return retry;
  const followed = fallbacksTaken(input);
  const next = input.decision.attempts.find(
    (one) => one.source !== 'group' && !isTried(input, one) && isUsable(input, one),
  );
  if (next === undefined) return stop(input);
  const isNewGroup = !input.outcomes.some(
    (one) => one.attempt.source !== 'group' && one.attempt.group === next.group && next.group !== undefined,
  );
  if (isNewGroup && followed >= input.plan.settings.retry.maxFallbacks) return stop(input);
  if (!isNewGroup && attemptsIn(input, next) > retriesOf(input, last)) return skipGroup(input, next);
  return { kind: 'attempt', attempt: next, delayMs: next.delayMs, retry: false };
}

/** A fallback group has had its attempts: on to what stands behind it. */
function skipGroup(input: GoOnInput, spent: PlannedAttempt): Next {
  const next = input.decision.attempts.find(
    (one) => one.source !== 'group' && one.group !== spent.group && !isTried(input, one) && isUsable(input, one),
  );
  if (next === undefined || fallbacksTaken(input) >= input.plan.settings.retry.maxFallbacks) return stop(input);
  return { kind: 'attempt', attempt: next, delayMs: next.delayMs, retry: false };
}

/** Other deployments of the group first, then the same again after a wait. */
function retryInGroup(input: GoOnInput, last: AttemptOutcome): Next | undefined {
  if (last.attempt.source !== 'group' && last.attempt.source !== 'desperate') return undefined;
  const made = input.outcomes.filter((one) => one.attempt.source === last.attempt.source).length;
  if (made > retriesOf(input, last)) return undefined;
  const others = input.decision.attempts.filter(
    (one) => one.source === last.attempt.source && !isTried(input, one) && isUsable(input, one),
  );
  const [other] = others;
  if (!hasRetryBudget(input.state, input.now)) return undefined;
  if (other !== undefined) return { kind: 'attempt', attempt: other, delayMs: other.delayMs, retry: true };
  const hasFallback = input.decision.attempts.some((one) => one.source !== last.attempt.source && isUsable(input, one));
  if (hasFallback || !isWorthRepeating(input, last)) return undefined;
  const delayMs = backoff(input, last, made);
  return input.now + delayMs >= input.deadline
    ? undefined
    : { kind: 'attempt', attempt: last.attempt, delayMs, retry: true };
}

/** Asking the same server again helps after a passing fault, not after a refused key or a missing model. */
function isWorthRepeating(input: GoOnInput, last: AttemptOutcome): boolean {
  if (last.failure === undefined) return false;
  if ((declaredRetries(input, last.failure) ?? 0) > 0) return true;
  const health = input.state.health[last.attempt.deployment];
  if (health?.kind === 'down' || health?.kind === 'disabled' || health?.kind === 'draining') return false;
  return failureCatalogue[last.failure.kind].clientMayRetry && last.failure.kind !== 'upstream_refused';
}

const firstBackoffMs = 500;
const longestBackoffMs = 8000;
/** A longer Retry-After is not waited for within a request. */
const longestWaitMs = 60_000;

/** Retry-After where the server gave one, else doubling from half a second, with jitter downwards. */
function backoff({ plan, random }: GoOnInput, last: AttemptOutcome, made: number): Milliseconds {
  const asked = last.failure?.retryAfterMs;
  if (asked !== undefined && asked <= longestWaitMs) return asked;
  const wait = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (made - 1)) * (1 - random() * 0.25);
  return milliseconds(Math.max(plan.settings.retry.retryAfterMs, wait));
}

function retriesOf(input: GoOnInput, last: AttemptOutcome): number {
  const declared = last.failure === undefined ? undefined : declaredRetries(input, last.failure);
  const own = deploymentAt(input.plan, last.attempt.deployment).retries;
  return declared ?? input.facts.retries ?? own ?? input.plan.settings.retry.retries;
}

/** The number that a retry_policy gives for a class of failures, the group's own first. */
function declaredRetries({ plan, decision }: GoOnInput, failed: Failure): number | undefined {
  const name = decision.group === undefined ? undefined : plan.groups[decision.group]?.name;
  const own = name === undefined ? undefined : plan.settings.retry.groupPolicy.get(name);
  const kind = policyClass(failed);
  return own?.get(kind) ?? plan.settings.retry.policy.get(kind);
}

/** The class that LiteLLM gives a failure in its policies. */
export function policyClass(failed: Failure): PolicyClass {
  switch (failed.kind) {
    case 'upstream_auth':
      return 'AuthenticationError';
    case 'upstream_rate_limited':
    case 'upstream_quota_exhausted':
      return 'RateLimitError';
    case 'upstream_content_filter':
      return 'ContentPolicyViolationError';
    case 'upstream_model_missing':
      return 'NotFoundError';
    case 'upstream_bad_request':
    case 'context_length_exceeded':
      return 'BadRequestError';
    case 'upstream_timeout_connect':
    case 'upstream_timeout_first_token':
    case 'upstream_timeout_between_chunks':
    case 'upstream_timeout_total':
      return 'TimeoutError';
    case 'upstream_overloaded':
    case 'upstream_loading':
      return 'ServiceUnavailableError';
    case 'upstream_malformed':
    case 'upstream_truncated':
      return 'BadGatewayError';
    default:
      return 'InternalServerError';
  }
}

function largerContext(input: GoOnInput, tried: PlannedAttempt): Next {
  const declared = special(input, (group) => group.contextFallbacks, 'context_fallback');
  if (declared.kind === 'attempt') return declared;
  const context = contextOf(input, tried);
  if (context === undefined) return stop(input);
  const larger = input.decision.attempts.find(
    (one) => !isTried(input, one) && isUsable(input, one) && (contextOf(input, one) ?? 0) > context,
  );
  return larger === undefined
    ? stop(input)
    : { kind: 'attempt', attempt: larger, delayMs: milliseconds(0), retry: false };
}

function contextOf({ plan, state }: GoOnInput, attempt: PlannedAttempt): number | undefined {
  return (
    state.observations[attempt.deployment]?.effectiveContext ?? deploymentAt(plan, attempt.deployment).contextTokens
  );
}

/** Fallbacks that are declared for one class of failure only. */
function special(
  input: GoOnInput,
  list: (group: ReturnType<typeof groupAt>) => readonly Target[],
  source: 'context_fallback' | 'content_fallback',
): Next {
  const { plan, decision } = input;
  if (decision.group === undefined || input.facts.disableFallbacks) return stop(input);
  for (const target of list(groupAt(plan, decision.group))) {
    for (const attempt of attemptsFor(plan, target, source)) {
      if (!isTried(input, attempt) && isUsable(input, attempt))
        return { kind: 'attempt', attempt, delayMs: milliseconds(0), retry: false };
    }
  }
  return stop(input);
}

function attemptsFor(plan: Plan, target: Target, source: PlannedAttempt['source']): readonly PlannedAttempt[] {
  const make = (deployment: PlannedAttempt['deployment'], group: PlannedAttempt['group']): PlannedAttempt => ({
    deployment,
    model: deploymentAt(plan, deployment).backendModel,
    source,
    group,
    delayMs: milliseconds(0),
  });
  if (target.kind === 'deployment') return [make(target.deployment, undefined)];
  const members = groupAt(plan, target.group).members.toSorted((a, b) => a.order - b.order);
  return members.map((member) => make(member.deployment, target.group));
}

function isTried(input: GoOnInput, attempt: PlannedAttempt): boolean {
  return input.outcomes.some(
    (one) => one.attempt.deployment === attempt.deployment && one.attempt.model === attempt.model,
  );
}

/** Health may have changed since the decision: what is set aside by now is passed over. */
function isUsable({ state, now }: GoOnInput, attempt: PlannedAttempt): boolean {
  const health = state.health[attempt.deployment];
  switch (health?.kind) {
    case 'cooling':
      return now >= health.until || attempt.source === 'desperate';
    case 'down':
    case 'disabled':
    case 'draining':
    case 'half_open':
    case undefined:
      return false;
    default:
      return true;
  }
}

function fallbacksTaken({ outcomes }: GoOnInput): number {
  const taken = new Set(
    outcomes.flatMap(({ attempt }) =>
      attempt.source === 'group' || attempt.source === 'desperate'
        ? []
        : [attempt.group ?? `deployment ${attempt.deployment}`],
    ),
  );
  return taken.size;
}

function attemptsIn({ outcomes }: GoOnInput, next: PlannedAttempt): number {
  return outcomes.filter((one) => one.attempt.source === next.source && one.attempt.group === next.group).length;
}

/** The first failure decides what the client is told; the message names what every attempt came to. */
function stop(input: GoOnInput): Next {
  const first = input.outcomes[0]?.failure ?? failure('internal');
  return { kind: 'stop', failure: input.outcomes.length > 1 ? withAttempts(input, first) : first };
}

function withAttempts({ plan, outcomes }: GoOnInput, failed: Failure): Failure {
  const classes = outcomes.map(
    ({ attempt, failure: one }) => `${deploymentAt(plan, attempt.deployment).provider}: ${one?.kind ?? 'answered'}`,
  );
  return { ...failed, message: `${failed.message} (tried ${classes.join(', ')})` };
}
