import type { Decision } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';
import { seededRandom } from '../plan/seeded.ts';
import { decide } from '../routing/decide.ts';
import { priorityProblem } from '../routing/priority.ts';
import { countRequest } from '../routing/retry-budget.ts';
import { nextEndMs } from '../routing/speeds.ts';
import { applyRotation } from '../routing/state.ts';
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
import type { DecidedRequest, GatewayRequest, UnderstoodRequest } from './request.ts';
import { settle } from './settle.ts';
import { shuttingDown } from './shutting-down.ts';
import type { Snapshot } from './snapshot.ts';
import { understand } from './understand.ts';
import { waitFor } from './wait-for.ts';

/** Handles one request from its first header to its last byte; rejects only where a fault of ours cannot be told to the client. */
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
    if (isDraining && exchange.method === 'POST') return refuse(exchange, shuttingDown);
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

/** Answers a request for a model, whose sender is identified, and settles it. */
async function answerModel(context: PipelineContext, request: GatewayRequest): Promise<void> {
  try {
    const refused = await carryOut(context, request);
    if (refused !== undefined) fail(context, request, refused);
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

/** Receives, understands, admits, decides, attempts and relays; gives back why nothing is attempted. */
async function carryOut(context: PipelineContext, request: GatewayRequest): Promise<Failure | undefined> {
  const body = await receive(request);
  if ('failure' in body) return body.failure;
  const read = understand(request, body.bytes);
  if (read.kind === 'refused') return read.failure;
  const understood: UnderstoodRequest = Object.assign(request, { understood: read.request });
  const problem =
    priorityProblem(request.snapshot.plan, read.request.facts) ??
    // An equal request may have been answered before: it then uses no limit, no seat and no upstream.
    (await answerFromCache(context, understood)) ??
    admit(context, request);
  if (problem === 'answered') return undefined;
  if (problem !== undefined) return problem;
  const decided = await decideRoute(context, understood);
  if ('failure' in decided) return decided.failure;
  await attemptInTurn(context, decided.request);
  return undefined;
}

type Refused = { readonly failure: Failure };

async function receive({ exchange, snapshot }: GatewayRequest): Promise<{ readonly bytes: Uint8Array } | Refused> {
  try {
    return { bytes: await exchange.body(snapshot.plan.settings.server.maxBodyBytes) };
  } catch (error) {
    if (error instanceof BodyError) return { failure: error.failure };
    throw error;
  }
}

/** Work that the gateway as a whole takes at once; limits by model and key stand beside the deployments. */
function admit(context: PipelineContext, request: GatewayRequest): Failure | undefined {
  const most = request.snapshot.plan.settings.server.maxParallelRequests;
  countRequest(request.snapshot.state.retryBudget, request.startedAt);
  if (most === undefined || context.active() <= most) return undefined;
  return failure('overloaded', `The gateway works on ${most} requests already, which is its limit`, {
    retryAfterMs: nextEndMs(request.snapshot.state, most) ?? milliseconds(1000),
  });
}

async function decideRoute(
  context: PipelineContext,
  request: UnderstoodRequest,
): Promise<{ readonly request: DecidedRequest } | Refused> {
  const { snapshot } = request;
  const { facts } = request.understood;
  request.understoodAt = context.clock.now();
  const choose = (): Decision =>
    decide(snapshot.plan, snapshot.state, facts, context.clock.now(), seededRandom(request.seed));
  const { defaultProviders } = snapshot.plan.settings.routing;
  let decision = choose();
  for (let waits = 0; decision.needsListing !== undefined && waits < defaultProviders.length; waits++) {
    await waitFor(context, request, context.listing(decision.needsListing));
    decision = choose();
  }
  if (decision.needsResidency.length > 0) {
    const limit = snapshot.plan.settings.routing.preferWarm.checkTimeoutMs;
    await waitFor(context, request, context.residency(decision.needsResidency, limit));
    decision = choose();
  }
  const decided: DecidedRequest = Object.assign(request, { decision, decidedAt: context.clock.now() });
  if (request.exchange.closed) return { failure: failure('client_closed') };
  if (decision.needsListing !== undefined)
    return { failure: failure('model_not_found', `The model "${facts.asked}" does not exist`, { param: 'model' }) };
  if (decision.refusal !== undefined) return { failure: decision.refusal };
  if (decision.rotation !== undefined) applyRotation(snapshot.state, decision.rotation);
  const first = decision.attempts[0];
  if (first !== undefined) reserveAttempt(context, decided, first);
  return { request: decided };
}
