import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import type { Milliseconds } from '../plan/ids.ts';
import { degradationOf } from '../routing/degradation.ts';
import { countRetry } from '../routing/retry-budget.ts';
import { type RunningAttempt, runAttempt, unsent } from './attempt.ts';
import { awaitLoading } from './await-loading.ts';
import { keepAnswer } from './cached.ts';
import type { PipelineContext } from './dependencies.ts';
import { fail } from './fail.ts';
import { startHeartbeat } from './heartbeat.ts';
import { nextAttempt } from './next-attempt.ts';
import { reserveAttempt } from './rate-limits.ts';
import { assembleStream, relayStream, sendWhole } from './relay.ts';
import type { DecidedRequest, GatewayRequest } from './request.ts';

/** Attempts one deployment after the other until one answers; nothing is sent before it does. */
export async function attemptInTurn(context: PipelineContext, request: DecidedRequest): Promise<void> {
  const { decision, exchange } = request;
  let attempt = decision.attempts[0];
  if (attempt === undefined) return fail(context, request, failure('internal'));
  const heartbeat = startHeartbeat(context, request);
  let running: RunningAttempt | undefined;
  try {
    for (;;) {
      // It may have left while the choice or a pause took its time.
      if (exchange.closed) return fail(context, request, failure('client_closed'));
      const late = await awaitLoading(context, request, attempt);
      if (late !== undefined && late.failure.kind !== 'upstream_loading') return fail(context, request, late.failure);
      running = late === undefined ? await runAttempt(context, request, attempt) : unsent(context, request, late);
      if (running.result.kind !== 'failed') {
        const failed = await relay(context, request, attempt, running, heartbeat.stop);
        if (failed === undefined) return;
        running.finish(failed);
        forgetAnswer(request);
      }
      const last = request.outcomes.at(-1)?.failure;
      if (exchange.closed || last?.kind === 'client_closed') return fail(context, request, failure('client_closed'));
      if (last !== undefined && failureCatalogue[last.kind].blame !== 'us')
        context.log.upstreamError(request, attempt, last);
      const next = nextAttempt(context, request);
      if (next.kind === 'stop') return fail(context, request, next.failure);
      reserveAttempt(context, request, next.attempt);
      if (next.retry) countRetry(request.snapshot.state.retryBudget, context.clock.now());
      else if (last !== undefined) context.log.fallback(request, { from: attempt, to: next.attempt, reason: last });
      if (next.delayMs > 0) await pause(context, request, next.delayMs);
      attempt = next.attempt;
    }
  } finally {
    heartbeat.stop();
    // Only where something was thrown is an attempt still open here.
    running?.finish(failure('internal'));
  }
}

/** What was learned of an answer that nobody got is no part of the next one. */
function forgetAnswer(request: GatewayRequest): void {
  request.firstTokenAt = undefined;
  request.usage = undefined;
  request.degradation = undefined;
}

/** Waits before an attempt, or until the client leaves. */
function pause(context: PipelineContext, { exchange }: GatewayRequest, delay: Milliseconds): Promise<void> {
  return new Promise((resolve) => {
    const timer = context.clock.after(delay, () => {
      leave();
      resolve();
    });
    const leave = exchange.whenClosed(() => {
      timer.stop();
      resolve();
    });
  });
}

/** Sends an attempt's answer; gives a failure back only where nothing of it reached the client. */
async function relay(
  context: PipelineContext,
  request: DecidedRequest,
  attempt: PlannedAttempt,
  running: RunningAttempt,
  stopHeartbeat: () => void,
): Promise<Failure | undefined> {
  const { result } = running;
  if (result.kind === 'failed') return result.failure;
  request.firstTokenAt = context.clock.now();
  request.degradation = degradationOf(request.snapshot.plan, request.decision, attempt);
  if (result.kind === 'stream' && request.understood.facts.stream) {
    stopHeartbeat();
    request.answeredBy = attempt;
    const { failure: failed } = await relayStream(context, request, attempt, result);
    running.finish(failed);
    request.failure = failed;
    request.terminal =
      failed === undefined ? 'completed' : failed.kind === 'client_closed' ? 'client_closed' : 'truncated';
    if (failed === undefined && request.caching !== undefined) keepAnswer(context, request, attempt, undefined);
    return undefined;
  }
  const whole = result.kind === 'whole' ? { body: result.answer.body } : await assembleStream(request, result);
  if ('failure' in whole) return whole.failure;
  if (result.kind === 'whole') request.usage = result.answer.usage;
  running.finish(undefined);
  request.answeredBy = attempt;
  sendWhole(context, request, attempt, whole.body);
  request.terminal = 'completed';
  if (request.caching !== undefined) keepAnswer(context, request, attempt, whole.body);
  return undefined;
}
