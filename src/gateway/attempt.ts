import type { AttemptOutcome, PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type DeploymentIndex, type Milliseconds, milliseconds } from '../plan/ids.ts';
import { deploymentAt } from '../plan/plan.ts';
import type { Dialect, ReadContext, StreamPart, UpstreamRequest, WholeAnswer } from '../providers/provider.ts';
import type { Failed } from '../routing/path.ts';
import { busyOf, queueSight } from '../routing/seats.ts';
import type { Lesson } from '../routing/speeds.ts';
import { applyFailure, applyLesson, applyPrompt, applySuccess } from '../routing/state.ts';
import type { Rehearsal } from '../wire/rehearsal.ts';
import { wholeToChunks } from '../wire/whole-to-chunks.ts';
import type { CallTimeouts } from './call-limits.ts';
import type { GatewayDependencies, PipelineContext } from './dependencies.ts';
import { cancelReservation, settleAttempt } from './rate-limits.ts';
import { askedModel, type DecidedRequest } from './request.ts';
import { callUpstream, type UpstreamCall } from './upstream-call.ts';

/** What an attempt came to before anything was sent to the client. */
export type AttemptResult =
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'whole'; readonly answer: Extract<WholeAnswer, { kind: 'answer' }> }
  /** A stream has begun; `call` is absent where all its parts are here (echo). */
  | { readonly kind: 'stream'; readonly parts: readonly StreamPart[]; readonly call: UpstreamCall | undefined };

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
  const { plan, state } = request.snapshot;
  const { facts, rehearsal } = request.understood;
  if (rehearsal !== undefined && request.outcomes.length === 0) {
    const startedAt = dependencies.clock.now();
    return unsent(dependencies, request, { ...at(startedAt), attempt, failure: rehearsed(rehearsal) });
  }
  const taken = dependencies.seats.take(request, attempt);
  const seated = taken instanceof Promise ? await taken : taken;
  const startedAt = dependencies.clock.now();
  if (seated.kind === 'refused')
    return unsent(dependencies, request, { ...at(startedAt), attempt, failure: seated.failure });
  const before = beforeAttempt(request, attempt);
  applyPrompt(state, attempt.deployment, facts.promptTokens, startedAt);
  let ended = false;
  let firstTokenAt: Milliseconds | undefined;
  let result: AttemptResult | undefined;
  const finish = (failed: Failure | undefined): void => {
    if (ended) return;
    ended = true;
    if (failed !== undefined && result?.kind === 'stream') result.call?.cancel();
    const endedAt = dependencies.clock.now();
    try {
      conclude(dependencies, request, { attempt, failure: failed, startedAt, endedAt });
      if (failed === undefined) {
        applyLesson(
          state,
          attempt.deployment,
          lessonOf(request, before, { startedAt, firstTokenAt, endedAt }),
          endedAt,
        );
        // Now its server can tell what it granted: context, memory, how long it stays.
        if (before.wasLoaded === false) dependencies.soon(deploymentAt(plan, attempt.deployment).provider);
      }
    } finally {
      // Last, since who waits may take the turn, and what was just seen would then speak of another time.
      seated.leave();
    }
  };
  if (before.wasLoaded === false)
    request.waiting = {
      kind: 'loading',
      deployment: attempt.deployment,
      model: attempt.model,
      since: startedAt,
      aboutMs: before.loadMs,
    };
  try {
    result = await send(dependencies, request, attempt);
  } catch (error) {
    finish(failure('internal'));
    throw error;
  } finally {
    request.waiting = undefined;
  }
  if (result.kind === 'stream') firstTokenAt = dependencies.clock.now();
  if (result.kind === 'failed') finish(result.failure);
  // A deployment that is tested has passed with its first words; a long stream must not keep others waiting.
  else applySuccess(state, attempt.deployment, { now: dependencies.clock.now(), startedAt });
  return { result, finish };
}

/** An attempt that was not sent (no seat in time, loading for too long, rehearsed), so it says nothing of its deployment. */
export function unsent(dependencies: GatewayDependencies, request: DecidedRequest, failed: Failed): RunningAttempt {
  request.outcomes.push(failed);
  cancelReservation(dependencies, request);
  return { result: { kind: 'failed', failure: failed.failure }, finish: () => {} };
}

function at(now: Milliseconds): Pick<AttemptOutcome, 'startedAt' | 'endedAt'> {
  return { startedAt: now, endedAt: now };
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

async function send(
  dependencies: GatewayDependencies,
  request: DecidedRequest,
  attempt: PlannedAttempt,
): Promise<AttemptResult> {
  const { plan, upstreams } = request.snapshot;
  const deployment = plan.deployments[attempt.deployment];
  const provider = deployment === undefined ? undefined : plan.providers.get(deployment.provider);
  const upstream = provider === undefined ? undefined : upstreams.get(provider.id);
  if (deployment === undefined || provider === undefined || upstream === undefined)
    return { kind: 'failed', failure: failure('internal') };
  const { body, scan, facts, needs } = request.understood;
  const dialect = dependencies.dialects[provider.dialect];
  const context = readContext(request, attempt);
  const input = {
    endpoint: request.endpoint,
    provider,
    deployment,
    model: attempt.model,
    body,
    scan,
    isLong: mayOverflow(request, attempt.deployment, facts.promptTokens),
    stream: facts.stream,
    wantsUsage: needs.wantsUsage,
    headers: facts.headers,
  };
  if (dialect.answerLocally !== undefined) return localResult(dialect.answerLocally(input, context));
  const built = dialect.buildRequest(input);
  if (built.kind === 'refused') return { kind: 'failed', failure: built.failure };
  request.edits = built.request.edits;
  const call = callUpstream({
    connections: upstream.connections,
    dialect,
    request: built.request,
    headers: [...dialect.authorize(provider, upstream.key), ...upstream.headers],
    concealed: upstream.concealed,
    context,
    timeouts: timeoutsOf(dependencies, request, attempt, built.request),
    clock: dependencies.clock,
    onFault: (error) => dependencies.log.internalError(error, request.id),
  });
  return firstWords(request, call);
}

/** Part of a context from which a prompt may be longer than its estimate lets expect. */
const nearlyFull = 0.5;
/** What Ollama grants on a small card where nothing else is asked for. */
const leastContext = 4096;

function mayOverflow({ snapshot }: DecidedRequest, deployment: DeploymentIndex, promptTokens: number): boolean {
  const granted = snapshot.state.observations[deployment]?.effectiveContext;
  const asked = snapshot.plan.deployments[deployment]?.options['num_ctx'];
  return promptTokens > (granted ?? (typeof asked === 'number' ? asked : leastContext)) * nearlyFull;
}

async function firstWords(request: DecidedRequest, call: UpstreamCall): Promise<AttemptResult> {
  const { exchange } = request;
  const leave = exchange.whenClosed(() => call.cancel());
  const first = await call.first;
  leave();
  if (exchange.closed) {
    call.cancel();
    return { kind: 'failed', failure: failure('client_closed') };
  }
  switch (first.kind) {
    case 'failed':
      return first;
    case 'parts':
      return { kind: 'stream', parts: first.parts, call };
    case 'whole':
      if (!request.understood.facts.stream) return first;
      // Some servers know no streams; a client that asked for one gets one all the same.
      return { kind: 'stream', parts: wholeToChunks(first.answer.body, first.answer.usage), call: undefined };
  }
}

function localResult(local: ReturnType<NonNullable<Dialect['answerLocally']>>): AttemptResult {
  if (local.kind === 'stream') return { kind: 'stream', parts: local.parts, call: undefined };
  return local.answer.kind === 'failed' ? local.answer : { kind: 'whole', answer: local.answer };
}

function readContext(request: DecidedRequest, attempt: PlannedAttempt): ReadContext {
  return {
    endpoint: request.endpoint,
    askedModel: askedModel(request, attempt),
    model: attempt.model,
    requestId: request.id,
    createdAt: Math.floor(request.receivedAt / 1000),
    encodingFormat: request.understood.needs.encodingFormat,
  };
}

/**
 * The deployment's own limits, else the gateway's. A request's own stand in their place, as LiteLLM
 * has it; none reaches past the request's deadline.
 */
function timeoutsOf(
  dependencies: GatewayDependencies,
  request: DecidedRequest,
  attempt: PlannedAttempt,
  built: UpstreamRequest,
): CallTimeouts {
  const { timeouts } = request.snapshot.plan.settings;
  const own = request.snapshot.plan.deployments[attempt.deployment]?.timeouts;
  const { timeouts: asked, facts } = request.understood;
  const askedFirstMs = facts.stream ? asked?.firstTokenMs : undefined;
  const left = Math.max(1, request.deadline - dependencies.clock.now());
  const within = (limit: Milliseconds): Milliseconds => milliseconds(Math.min(limit, left));
  const planned = within(own?.totalMs ?? timeouts.attemptMs);
  const plannedFirstMs = own?.firstTokenMs ?? timeouts.firstTokenMs;
  const totalMs = asked?.totalMs === undefined ? planned : within(asked.totalMs);
  const firstTokenMs = askedFirstMs ?? (plannedFirstMs < planned ? plannedFirstMs : totalMs);
  return {
    // A whole answer's first byte comes when all of it is made, so only the attempt's limit binds it.
    firstTokenMs: built.streams && firstTokenMs < totalMs ? firstTokenMs : undefined,
    betweenChunksMs: own?.betweenChunksMs ?? timeouts.betweenChunksMs,
    totalMs,
    // What would have been too long by the plan as well is the server's failure.
    firstTokenKind: (askedFirstMs ?? plannedFirstMs) < plannedFirstMs ? askedTooShort : 'upstream_timeout_first_token',
    totalKind: totalMs < planned ? askedTooShort : 'upstream_timeout_total',
  };
}

const askedTooShort = 'upstream_timeout_asked';
