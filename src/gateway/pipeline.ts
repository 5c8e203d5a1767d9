import type { Decision } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';
import { seededRandom } from '../plan/seeded.ts';
import { decide } from '../routing/decide.ts';
import { priorityProblem } from '../routing/priority.ts';
import { nextEndMs } from '../routing/speeds.ts';
import { applyBudget, applyRotation } from '../routing/state.ts';
import { attemptInTurn } from './attempt-in-turn.ts';
import { beginRequest } from './begin-request.ts';
import { answerFromCache } from './cached.ts';
import { corsHeaders, hostProblem, originProblem, preflightHeaders } from './cors.ts';
import type { PipelineContext } from './dependencies.ts';
import { findEndpoint } from './endpoints.ts';
import type { Exchange } from './exchange.ts';
import { fail, refuse } from './fail.ts';
import { identify } from './identify.ts';
import { cancelReservation, reserveAttempt } from './rate-limits.ts';
import { BodyError } from './read-body.ts';
import type { GatewayRequest } from './request.ts';
import { settle } from './settle.ts';
import type { Snapshot } from './snapshot.ts';
import { understand } from './understand.ts';
import { waitFor } from './wait-for.ts';

/** Handles one request from its first header to its last byte; never rejects. */
export async function handleExchange(context: PipelineContext, exchange: Exchange): Promise<void> {
  const snapshot = context.current();
  try {
    const { cors } = snapshot.plan.settings.server;
    exchange.extraHeaders = corsHeaders(cors, exchange.header('origin'));
    if (exchange.method === 'OPTIONS') return exchange.answer(204, preflightHeaders(cors, exchange), '');
    const endpoint = findEndpoint(exchange.method, exchange.path);
    const problem = guard(snapshot, exchange);
    if (problem !== undefined) return refuse(exchange, problem);
    const isDraining = context.isDraining();
    if (endpoint.kind === 'open')
      return endpoint.answer({ exchange, snapshot, isDraining, path: exchange.path, now: context.clock.now() });
    if (isDraining && exchange.method === 'POST')
      return refuse(exchange, failure('shutting_down', undefined, { retryAfterMs: milliseconds(1000) }));
    const identified = identify(snapshot.keys, exchange);
    if (identified.kind === 'refused') return refuse(exchange, identified.failure);
    const { principal } = identified;
    switch (endpoint.kind) {
      case 'refused':
        return refuse(exchange, endpoint.failure, endpoint.allow);
      case 'view':
        return endpoint.answer({ exchange, snapshot, isDraining, path: exchange.path, now: context.clock.now() });
      case 'model':
        return await answerModel(
          context,
          beginRequest(context, { snapshot, exchange, endpoint: endpoint.endpoint, principal }),
        );
    }
  } catch (error) {
    context.log.internalError(error, undefined);
    if (!exchange.started) refuse(exchange, failure('internal'));
    else exchange.destroy();
  }
}

/** Whether a request may be looked at at all, by its host and its origin. */
function guard({ keys, plan }: Snapshot, exchange: Exchange): Failure | undefined {
  return (keys.length === 0 ? hostProblem(exchange) : undefined) ?? originProblem(plan.settings.server.cors, exchange);
}

/** The life of a request for a model, whose sender is identified: receive, understand, admit, decide, attempt and relay, settle. */
async function answerModel(context: PipelineContext, request: GatewayRequest): Promise<void> {
  try {
    const problem =
      (await receive(request)) ??
      understandBody(request) ??
      // An equal request may have been answered before: it then uses no limit, no seat and no upstream.
      (await answerFromCache(context, request)) ??
      admit(context, request) ??
      (await decideRoute(context, request));
    if (problem === 'answered') return;
    if (problem === undefined) await attemptInTurn(context, request);
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

async function receive(request: GatewayRequest): Promise<Failure | undefined> {
  const { exchange, snapshot } = request;
  try {
    request.body = await exchange.body(snapshot.plan.settings.server.maxBodyBytes);
    return undefined;
  } catch (error) {
    if (error instanceof BodyError) return error.failure;
    throw error;
  }
}

function understandBody(request: GatewayRequest): Failure | undefined {
  const { exchange, endpoint, body, principal, snapshot } = request;
  if (body === undefined) return failure('internal');
  const understood = understand(exchange, endpoint, body, principal);
  if (understood.kind === 'refused') return understood.failure;
  request.facts = understood.request.facts;
  request.needs = understood.request.needs;
  request.scan = understood.request.scan;
  request.rehearsal = understood.request.rehearsal;
  request.timeouts = understood.request.timeouts;
  request.cacheControls = understood.request.cacheControls;
  return priorityProblem(snapshot.plan, understood.request.facts);
}

/** Work that the gateway as a whole takes at once; limits by model and key stand beside the deployments. */
function admit(context: PipelineContext, request: GatewayRequest): Failure | undefined {
  const most = request.snapshot.plan.settings.server.maxParallelRequests;
  applyBudget(request.snapshot.state, 'requests', request.startedAt);
  if (most === undefined || context.active() <= most) return undefined;
  return failure('overloaded', `The gateway works on ${most} requests already, which is its limit`, {
    retryAfterMs: nextEndMs(request.snapshot.state, most) ?? milliseconds(1000),
  });
}

async function decideRoute(context: PipelineContext, request: GatewayRequest): Promise<Failure | undefined> {
  const { facts, snapshot } = request;
  if (facts === undefined) return failure('internal');
  request.understoodAt = context.clock.now();
  const choose = (): Decision =>
    decide(snapshot.plan, snapshot.state, facts, context.clock.now(), seededRandom(request.seed));
  let decision = choose();
  for (let waits = 0; decision.needsListing !== undefined && waits < 2; waits++) {
    await waitFor(context, request, context.listing(decision.needsListing));
    decision = choose();
  }
  if (decision.needsResidency.length > 0) {
    const limit = snapshot.plan.settings.routing.preferWarm.checkTimeoutMs;
    await waitFor(context, request, context.residency(decision.needsResidency, limit));
    decision = choose();
  }
  request.decision = decision;
  request.decidedAt = context.clock.now();
  if (request.exchange.closed) return failure('client_closed');
  if (decision.needsListing !== undefined)
    return failure('model_not_found', `The model "${facts.asked}" does not exist`, { param: 'model' });
  if (decision.refusal !== undefined) return decision.refusal;
  if (decision.rotation !== undefined) applyRotation(snapshot.state, decision.rotation);
  const first = decision.attempts[0];
  if (first !== undefined) reserveAttempt(context, request, first);
  return undefined;
}
