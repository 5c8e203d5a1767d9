import type { Failure } from '../plan/failure.ts';
import { openAiError, openAiErrorEvent } from '../wire/open-ai-error.ts';
import { answerHeaders } from './answer-headers.ts';
import type { PipelineContext } from './dependencies.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayRequest } from './request.ts';

/** The one door by which failures leave. */
export function fail(context: PipelineContext, request: GatewayRequest, failed: Failure): void {
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

/** Answers what was refused before it was a request for a model. */
export function refuse(exchange: Exchange, failed: Failure, allow?: string): void {
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
