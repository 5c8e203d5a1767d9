import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import { seededRandom, seedOf } from '../plan/seeded.ts';
import { decide } from '../routing/decide.ts';
import { degradationOf } from '../routing/degradation.ts';
import { goOn } from '../routing/go-on.ts';
import { applyBudget, applyRotation } from '../routing/state.ts';
import { openAiError, openAiErrorEvent } from '../wire/open-ai-error.ts';
import { answerHeaders } from './answer-headers.ts';
import { type RunningAttempt, runAttempt } from './attempt.ts';
import { awaitLoading } from './await-loading.ts';
import { answerFromCache, keepAnswer } from './cached.ts';
import { corsHeaders, hostProblem, originProblem, preflightHeaders } from './cors.ts';
import type { PipelineContext } from './dependencies.ts';
import { findEndpoint } from './endpoints.ts';
import type { Exchange } from './exchange.ts';
import { startHeartbeat } from './heartbeat.ts';
import { identify } from './identify.ts';
import { cancelReservation, reserveAttempt } from './rate-limits.ts';
import { BodyError } from './read-body.ts';
import { assembleStream, relayStream, sendWhole } from './relay.ts';
import type { GatewayRequest } from './request.ts';
import { settle } from './settle.ts';
import type { Snapshot } from './snapshot.ts';
import { understand } from './understand.ts';
import { waitFor } from './wait-for.ts';

/** Handles one request from its first header to its last byte; never rejects. */
export async function handleExchange(context: PipelineContext, exchange: Exchange): Promise<void> {
  const snapshot = context.current();
  try {
    const { server } = snapshot.plan.settings;
    exchange.extraHeaders = corsHeaders(server.cors, exchange.header('origin'));
    if (exchange.method === 'OPTIONS') return exchange.answer(204, preflightHeaders(server.cors, exchange), '');
    const endpoint = findEndpoint(exchange.method, exchange.path);
    const refusal = guard(context, snapshot, exchange, endpoint.kind === 'open');
    if (refusal !== undefined) return refuse(exchange, refusal);
    switch (endpoint.kind) {
      case 'refused':
        return refuse(exchange, endpoint.failure, endpoint.allow);
      case 'open':
      case 'view':
        return await endpoint.answer({ exchange, snapshot, isDraining: context.isDraining(), path: exchange.path });
      case 'model':
        return await handleModelRequest(context, snapshot, exchange, endpoint.endpoint);
    }
  } catch (error) {
    context.log.internalError(error, undefined);
    if (!exchange.started) refuse(exchange, failure('internal'));
    else exchange.destroy();
  }
}

/** Whether a request may be looked at at all: its host, its origin, and, but for open paths, its key. */
function guard(context: PipelineContext, snapshot: Snapshot, exchange: Exchange, isOpen: boolean): Failure | undefined {
  const problem =
    (snapshot.keys.length === 0 ? hostProblem(exchange) : undefined) ??
    originProblem(snapshot.plan.settings.server.cors, exchange);
  if (problem !== undefined || isOpen) return problem;
  if (context.isDraining() && exchange.method === 'POST')
    return failure('shutting_down', undefined, { retryAfterMs: milliseconds(1000) });
  const identified = identify(snapshot.keys, exchange);
  return identified.kind === 'refused' ? identified.failure : undefined;
}

/** The life of a request for a model: receive, identify, understand, admit, decide, attempt, relay, settle. */
async function handleModelRequest(
  context: PipelineContext,
  snapshot: Snapshot,
  exchange: Exchange,
  endpoint: Endpoint,
): Promise<void> {
  const request = beginRequest(context, snapshot, exchange, endpoint);
  try {
    const { cache } = snapshot;
    // An equal request may have been answered before: it then uses no limit, no seat and no upstream.
    const refused =
      (await receive(request)) ?? (cache === undefined ? undefined : await answerFromCache(context, request, cache));
    if (refused === 'answered') return;
    const problem = refused ?? admit(context, request) ?? (await decideRoute(context, request));
    if (problem === undefined) await attemptAndRelay(context, request);
    else fail(context, request, problem);
  } catch (error) {
    context.log.internalError(error, request.id);
    fail(context, request, failure('internal'));
  } finally {
    cancelReservation(context, request);
    // Who waits for this request goes on alone if it came to nothing.
    request.caching?.flight?.land(undefined);
    settle(context, request);
  }
}

function beginRequest(
  context: PipelineContext,
  snapshot: Snapshot,
  exchange: Exchange,
  endpoint: Endpoint,
): GatewayRequest {
  const startedAt = context.clock.now();
  return {
    id: context.newRequestId(),
    exchange,
    endpoint,
    snapshot,
    startedAt,
    receivedAt: context.clock.wall(),
    deadline: milliseconds(startedAt + snapshot.plan.settings.timeouts.requestMs),
    principal: undefined,
    facts: undefined,
    needs: undefined,
    body: undefined,
    scan: undefined,
    rehearsal: undefined,
    seed: seedOf(context.random()),
    understoodAt: undefined,
    decision: undefined,
    decidedAt: undefined,
    outcomes: [],
    waits: [],
    reservation: undefined,
    answeredBy: undefined,
    degradation: undefined,
    waiting: undefined,
    edits: [],
    firstTokenAt: undefined,
    usage: undefined,
    failure: undefined,
    terminal: undefined,
    caching: undefined,
  };
}

async function receive(request: GatewayRequest): Promise<Failure | undefined> {
  const { exchange, snapshot } = request;
  const identified = identify(snapshot.keys, exchange);
  if (identified.kind === 'refused') return identified.failure;
  request.principal = identified.principal;
  try {
    request.body = await exchange.body(snapshot.plan.settings.server.maxBodyBytes);
  } catch (error) {
    if (error instanceof BodyError) return error.failure;
    throw error;
  }
  const understood = understand(exchange, request.endpoint, request.body, identified.principal);
  if (understood.kind === 'refused') return understood.failure;
  request.facts = understood.request.facts;
  request.needs = understood.request.needs;
  request.scan = understood.request.scan;
  request.rehearsal = understood.request.rehearsal;
  return undefined;
}

/** Work that the gateway as a whole takes at once; limits by model and key stand beside the deployments. */
function admit(context: PipelineContext, request: GatewayRequest): Failure | undefined {
  const most = request.snapshot.plan.settings.server.maxParallelRequests;
  applyBudget(request.snapshot.state, 'requests', request.startedAt);
  if (most === undefined || context.active() <= most) return undefined;
  return failure('overloaded', `The gateway works on ${most} requests already, which is its limit`, {
    retryAfterMs: milliseconds(1000),
  });
}

async function decideRoute(context: PipelineContext, request: GatewayRequest): Promise<Failure | undefined> {
  const { facts, snapshot } = request;
  if (facts === undefined) return failure('internal');
  request.understoodAt = context.clock.now();
  const choose = (): GatewayRequest['decision'] =>
    decide(snapshot.plan, snapshot.state, facts, context.clock.now(), seededRandom(request.seed));
  let decision = choose();
  for (let waits = 0; decision?.needsListing !== undefined && waits < 2; waits++) {
    await waitFor(context, request, context.listing(decision.needsListing));
    decision = choose();
  }
  if (decision !== undefined && decision.needsResidency.length > 0) {
    const limit = snapshot.plan.settings.routing.preferWarm.checkTimeoutMs;
    await waitFor(context, request, context.residency(decision.needsResidency, limit));
    decision = choose();
  }
  request.decision = decision;
  request.decidedAt = context.clock.now();
  if (request.exchange.closed) return failure('client_closed');
  if (decision?.needsListing !== undefined)
    return failure('model_not_found', `The model "${facts.asked}" does not exist`, { param: 'model' });
  if (decision?.refusal !== undefined) return decision.refusal;
  if (decision?.rotation !== undefined) applyRotation(snapshot.state, decision.rotation);
  const first = decision?.attempts[0];
  if (first !== undefined) reserveAttempt(context, request, first);
  return undefined;
}

/** Attempts one deployment after the other until one answers; nothing is sent before it does. */
async function attemptAndRelay(context: PipelineContext, request: GatewayRequest): Promise<void> {
  const { facts, decision, exchange } = request;
  let attempt = decision?.attempts[0];
  if (facts === undefined || decision === undefined || attempt === undefined)
    return fail(context, request, failure('internal'));
  const heartbeat = startHeartbeat(context, request);
  let running: RunningAttempt | undefined;
  try {
    for (;;) {
      // It may have left while the choice or a pause took its time.
      if (exchange.closed) return fail(context, request, failure('client_closed'));
      const late = await awaitLoading(context, request, attempt);
      if (late !== undefined) return fail(context, request, late);
      running = await runAttempt(context, request, attempt);
      if (running.result.kind !== 'failed') {
        const failed = await relay(context, request, attempt, running, heartbeat.stop);
        if (failed === undefined) return;
        running.finish(failed);
      }
      const last = request.outcomes.at(-1)?.failure;
      if (exchange.closed || last?.kind === 'client_closed') return fail(context, request, failure('client_closed'));
      if (last !== undefined && failureCatalogue[last.kind].blame !== 'us')
        context.log.upstreamError(request, attempt, last);
      const next = goOn({
        plan: request.snapshot.plan,
        state: request.snapshot.state,
        facts,
        decision,
        outcomes: request.outcomes,
        deadline: request.deadline,
        now: context.clock.now(),
        random: context.random,
      });
      if (next.kind === 'stop') return fail(context, request, next.failure);
      reserveAttempt(context, request, next.attempt);
      if (next.retry) applyBudget(request.snapshot.state, 'retries', context.clock.now());
      else if (last !== undefined) context.log.fallback(request, attempt, next.attempt, last);
      if (next.delayMs > 0) await pause(context, request, next.delayMs);
      attempt = next.attempt;
    }
  } finally {
    heartbeat.stop();
    // Only where something was thrown is an attempt still open here.
    running?.finish(failure('internal'));
  }
}

/** Waits before an attempt, or until the client leaves. */
function pause(
  context: PipelineContext,
  { exchange }: GatewayRequest,
  delay: ReturnType<typeof milliseconds>,
): Promise<void> {
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
  request: GatewayRequest,
  attempt: PlannedAttempt,
  running: RunningAttempt,
  stopHeartbeat: () => void,
): Promise<Failure | undefined> {
  const { result } = running;
  if (result.kind === 'failed') return result.failure;
  request.firstTokenAt = context.clock.now();
  if (request.decision !== undefined)
    request.degradation = degradationOf(request.snapshot.plan, request.decision, attempt);
  if (result.kind === 'stream' && request.facts?.stream === true) {
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

/** The one door by which failures leave. */
function fail(context: PipelineContext, request: GatewayRequest, failed: Failure): void {
  request.failure = failed;
  request.terminal =
    failed.kind === 'client_closed' ? 'client_closed' : request.outcomes.length > 0 ? 'upstream_error' : 'rejected';
  if (failed.kind === 'rate_limited') context.log.limitFull(request, failed);
  const { exchange } = request;
  if (exchange.closed || failed.kind === 'client_closed') return exchange.destroy();
  // After a heartbeat the status is out, and only the stream itself can tell of the failure.
  if (exchange.started) return exchange.end(openAiErrorEvent(failed));
  const { status, headers, body } = openAiError(failed);
  exchange.answer(
    status,
    [
      ...headers,
      'content-length',
      String(Buffer.byteLength(body)),
      ...answerHeaders(request, undefined, context.clock.now()),
      ...exchange.extraHeaders,
    ],
    body,
  );
}

function refuse(exchange: Exchange, failed: Failure, allow?: string): void {
  const { status, headers, body } = openAiError(failed);
  const challenge = status === 401 ? ['www-authenticate', 'Bearer'] : [];
  exchange.answer(
    status,
    [
      ...headers,
      ...challenge,
      ...(allow === undefined ? [] : ['allow', allow]),
      'content-length',
      String(Buffer.byteLength(body)),
      ...exchange.extraHeaders,
    ],
    body,
  );
}
