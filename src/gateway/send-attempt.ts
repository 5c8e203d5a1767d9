import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type DeploymentIndex, type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Dialect, ReadContext, StreamPart, UpstreamRequest, WholeAnswer } from '../providers/provider.ts';
import { wholeToChunks } from '../wire/whole-to-chunks.ts';
import type { CallTimeouts } from './call-limits.ts';
import type { GatewayDependencies } from './dependencies.ts';
import { askedModel, type DecidedRequest } from './request.ts';
import { callUpstream, type UpstreamCall } from './upstream-call.ts';

/** What an attempt came to before anything was sent to the client. */
export type AttemptResult =
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'whole'; readonly answer: Extract<WholeAnswer, { kind: 'answer' }> }
  /** A stream has begun; `call` is absent where all its parts are here (echo). */
  | { readonly kind: 'stream'; readonly parts: readonly StreamPart[]; readonly call: UpstreamCall | undefined };

/** Sends a request to one deployment by its dialect, and waits for its first meaningful words. */
export async function sendAttempt(
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
