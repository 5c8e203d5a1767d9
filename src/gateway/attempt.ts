import type { AttemptOutcome, PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Milliseconds } from '../plan/ids.ts';
import { deploymentAt } from '../plan/plan.ts';
import type { Failed } from '../routing/path.ts';
import { busyOf, queueSight } from '../routing/seats.ts';
import type { Lesson } from '../routing/speeds.ts';
import { applyFailure, applyLesson, applyPrompt, applySuccess } from '../routing/state.ts';
import type { Rehearsal } from '../wire/rehearsal.ts';
import type { GatewayDependencies, PipelineContext } from './dependencies.ts';
import { cancelReservation, countSent, settleAttempt } from './rate-limits.ts';
import type { DecidedRequest } from './request.ts';
import { type AttemptResult, sendAttempt } from './send-attempt.ts';
import type { UpstreamCall } from './upstream-call.ts';

/** An attempt with the function that must be called exactly once when its answer is over. */
export type RunningAttempt = {
  readonly result: AttemptResult;
  /** Ends the attempt, and what its upstream still sends; a failure counts against its deployment by the rules of routing. */
  finish(failed: Failure | undefined): void;
};

/** Waits for a seat, sends a request to one deployment and waits for its first meaningful words. */
export async function runAttempt(
  dependencies: PipelineContext,
  request: DecidedRequest,
  attempt: PlannedAttempt,
): Promise<RunningAttempt> {
  const { rehearsal } = request.understood;
  const refused = (why: Failure): RunningAttempt => {
    const now = dependencies.clock.now();
    return unsent(dependencies, request, { attempt, failure: why, startedAt: now, endedAt: now });
  };
  if (rehearsal !== undefined && request.outcomes.length === 0) return refused(rehearsed(rehearsal));
  const taken = dependencies.seats.take(request, attempt);
  const seated = taken instanceof Promise ? await taken : taken;
  if (seated.kind === 'refused') return refused(seated.failure);
  const open = openAttempt(dependencies, request, attempt, seated.leave);
  try {
    const result = await sendAttempt(dependencies, request, attempt);
    open.begun(result);
    return { result, finish: open.finish };
  } catch (error) {
    open.finish(failure('internal'));
    throw error;
  } finally {
    request.waiting = undefined;
  }
}

/** An attempt that has its seat. */
type OpenAttempt = {
  /** Its answer has begun, or will not. */
  begun(result: AttemptResult): void;
  finish: RunningAttempt['finish'];
};

/** Begins an attempt: what is known before, and what its end teaches. */
function openAttempt(
  dependencies: PipelineContext,
  request: DecidedRequest,
  attempt: PlannedAttempt,
  leave: () => void,
): OpenAttempt {
  const { plan, state } = request.snapshot;
  const { deployment, model } = attempt;
  const { clock } = dependencies;
  const startedAt = clock.now();
  countSent(dependencies, request);
  const before = beforeAttempt(request, attempt);
  applyPrompt(state, deployment, request.understood.facts.promptTokens, startedAt);
  const isLoading = before.wasLoaded === false;
  if (isLoading) request.waiting = { kind: 'loading', deployment, model, since: startedAt, aboutMs: before.loadMs };
  let ended = false;
  let firstTokenAt: Milliseconds | undefined;
  let call: UpstreamCall | undefined;
  const finish = (failed: Failure | undefined): void => {
    if (ended) return;
    ended = true;
    if (failed !== undefined) call?.cancel();
    const endedAt = clock.now();
    try {
      conclude(dependencies, request, { attempt, failure: failed, startedAt, endedAt });
      if (failed !== undefined) return;
      applyLesson(state, deployment, lessonOf(request, before, { startedAt, firstTokenAt, endedAt }), endedAt);
      // Now its server can tell what it granted: context, memory, how long it stays.
      if (isLoading) dependencies.soon(deploymentAt(plan, deployment).provider);
    } finally {
      // Last, since who waits may take the turn, and what was just seen would then speak of another time.
      leave();
    }
  };
  return {
    finish,
    begun(result) {
      if (result.kind === 'failed') return finish(result.failure);
      const now = clock.now();
      if (result.kind === 'stream') {
        firstTokenAt = now;
        call = result.call;
      }
      // A deployment that is tested has passed with its first words; a long stream must not keep others waiting.
      applySuccess(state, deployment, { now, startedAt });
    },
  };
}

/** An attempt that was not sent (no seat in time, loading for too long, rehearsed), so it says nothing of its deployment. */
export function unsent(dependencies: GatewayDependencies, request: DecidedRequest, failed: Failed): RunningAttempt {
  request.outcomes.push(failed);
  cancelReservation(dependencies, request);
  return { result: { kind: 'failed', failure: failed.failure }, finish: () => {} };
}

function rehearsed({ field, failure: kind }: Rehearsal): Failure {
  return failure(kind, `Nothing was sent: the request asks for this failure with ${field}`);
}

/** What is known of a deployment when an attempt begins, which its answer then tells more of. */
type Before = Pick<Lesson, 'wasLoaded' | 'wasAlone'> & { readonly loadMs: number | undefined };

function beforeAttempt({ snapshot: { plan, state } }: DecidedRequest, { deployment }: PlannedAttempt): Before {
  const observation = state.observations[deployment];
  const residency = observation?.residency;
  const { loading } = queueSight(state, deployment);
  return {
    // Where the server does not tell, a model whose turn begins is known to be out of memory.
    wasLoaded: residency !== undefined ? residency.kind === 'loaded' : loading === undefined ? undefined : false,
    // Its own seat is taken already.
    wasAlone: busyOf(state, deploymentAt(plan, deployment)) === 1,
    loadMs: observation?.speeds.loadMs,
  };
}

type Times = {
  readonly startedAt: Milliseconds;
  readonly firstTokenAt: Milliseconds | undefined;
  readonly endedAt: Milliseconds;
};

function lessonOf({ usage, understood }: DecidedRequest, before: Before, times: Times): Lesson {
  const { startedAt, firstTokenAt, endedAt } = times;
  const estimate = understood.facts.promptTokens;
  return {
    ...before,
    promptTokens: Math.max(0, (usage?.promptTokens ?? estimate) - (usage?.cachedTokens ?? 0)),
    outputTokens: usage?.completionTokens,
    firstTokenMs: firstTokenAt === undefined ? undefined : firstTokenAt - startedAt,
    totalMs: endedAt - startedAt,
    furtherTokens: (usage?.promptTokens ?? estimate) + (usage?.completionTokens ?? 0) - estimate,
  };
}

function conclude(dependencies: GatewayDependencies, request: DecidedRequest, outcome: AttemptOutcome): void {
  const { attempt, failure: failed, endedAt: now } = outcome;
  const { plan, state } = request.snapshot;
  request.outcomes.push(outcome);
  settleAttempt(dependencies, request, failed);
  if (failed === undefined) {
    applySuccess(state, attempt.deployment, { now, startedAt: outcome.startedAt });
    return;
  }
  const alone = request.decision.attempts.every((one) => one.deployment === attempt.deployment);
  const cooled = applyFailure(state, {
    plan,
    deployment: attempt.deployment,
    failure: failed,
    now,
    alone,
    random: dependencies.random(),
  });
  if (cooled === undefined) return;
  dependencies.log.cooldown(request, attempt, cooled);
  if (cooled.why === 'refused') dependencies.soon(deploymentAt(plan, attempt.deployment).provider);
}
