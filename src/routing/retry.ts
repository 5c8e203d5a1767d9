import type { AttemptOutcome, Next, PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import { deploymentAt, groupAt } from '../plan/plan.ts';
import { standingOf } from './health.ts';
import { overdueAt } from './overdue.ts';
import { type Failed, type GoOnInput, hasRoom, isOpen, isSame, isSameGroup } from './path.ts';
import { policyClass } from './policy-class.ts';
import { hasRetryBudget } from './retry-budget.ts';

/** Another deployment of the same group, or the same again after a wait. A model that was loading costs no retry of the budget. */
export function retry(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  const isLoading = last.failure.kind === 'upstream_loading';
  const retries = retriesAfter(input, last);
  const made = input.outcomes.filter((one) => isSameGroup(one.attempt, last.attempt));
  const other = path.find((one) => isSameGroup(one, last.attempt) && isOpen(input, one));
  const hasBudget = isLoading || hasRetryBudget(input.state.retryBudget, input.now);
  if (made.length <= retries && hasBudget && other !== undefined)
    return { kind: 'attempt', attempt: other, delayMs: noWait, retry: !isLoading };
  return hasBudget ? repeat(input, last, path) : undefined;
}

/** The delay of what follows at once. */
export const noWait: Milliseconds = milliseconds(0);

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

/** Asks a deployment of the group again: the one that was asked longest ago. */
function repeat(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  const made = input.outcomes.filter((one) => isSameGroup(one.attempt, last.attempt));
  const isFallback = last.attempt.source !== 'group';
  // Fallbacks are asked again only where their chain says so.
  const most = isFallback ? (last.attempt.repeats?.times ?? 0) : retriesAfter(input, last);
  // What a deployment said last is what counts of it.
  const latest = made.filter((one, at) => !made.slice(at + 1).some((later) => isSame(later.attempt, one.attempt)));
  const again = (isFallback ? [last] : latest).find(
    // A failure with fallbacks of its own (a content filter) leaves nobody else to go back to.
    (one) =>
      isWorthRepeating(input, one, path) &&
      (isSame(one.attempt, last.attempt) || path.some((other) => isSame(other, one.attempt))),
  );
  const count = isFallback ? made.filter((one) => isSame(one.attempt, last.attempt)).length : made.length;
  if (again === undefined || count > most) return undefined;
  const delayMs = waitBefore(input, again, count);
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
  const { deployment } = one.attempt;
  switch (standingOf(input.state.health[deployment], input.now)) {
    case 'out':
      return false;
    case 'serves':
      if (input.now < (overdueAt(input, deployment) ?? Number.POSITIVE_INFINITY)) return true;
      break;
    case 'set_aside':
      break;
  }
  // What is set aside, or loads for too long, is waited for only where nothing else can serve.
  return !path.some((other) => isOpen(input, other));
}

/** A longer Retry-After is not waited for within a request. */
const longestWaitMs = 60_000;

/** Where no connection comes about, another try costs the same wait again. */
function isClosedDoor({ kind }: Failure): boolean {
  return kind === 'upstream_refused' || kind === 'upstream_timeout_connect' || kind === 'upstream_unreachable';
}

/** How long to wait before the same is asked again: as its chain says, else the usual backoff. */
function waitBefore(input: GoOnInput, again: AttemptOutcome, made: number): Milliseconds {
  const { repeats } = again.attempt;
  if (repeats === undefined) return backoff(input, again, made);
  const declared = repeats.waitMs * (repeats.doubling ? 2 ** (made - 1) : 1);
  return milliseconds(Math.max(again.failure?.retryAfterMs ?? 0, declared));
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
