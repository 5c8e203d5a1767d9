import type { Next, PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import { deploymentAt } from '../plan/plan.ts';
import { type Failed, type GoOnInput, hasFailedBy, isOpen, isSameGroup, pathOf } from './path.ts';
import { noWait, retry } from './retry.ts';

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

/**
 * What stands in a later order of the group (secondary, tertiary), or is its standby: it is there for
 * the case that the earlier ones fail, so it has its turn however many retries there are.
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
  return (found?.order ?? 1) + (found?.weight === 0 ? behindItsOrder : 0);
}

/** A standby comes behind its order, and before the next one. */
const behindItsOrder = 0.5;

/** The first attempt of a group that was not tried yet. */
function fallBack(input: GoOnInput, last: Failed, path: readonly PlannedAttempt[]): Next | undefined {
  if (!failureCatalogue[last.failure.kind].goesOn) return undefined;
  const tried = input.outcomes.map((one) => one.attempt);
  const taken = tried.filter((one, at) => one.source !== 'group' && at === tried.findIndex((a) => isSameGroup(a, one)));
  const next = path.find((one) => !tried.some((attempt) => isSameGroup(attempt, one)) && isOpen(input, one));
  if (next === undefined || taken.length >= input.plan.settings.retry.maxFallbacks) return undefined;
  return { kind: 'attempt', attempt: next, delayMs: noWait, retry: false };
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
