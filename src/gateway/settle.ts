import type { PipelineContext } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';

/** Records how a request ended: once, after its last byte, off the way of others. */
export function settle(context: PipelineContext, request: GatewayRequest): void {
  const endedAt = context.clock.now();
  request.terminal ??= 'rejected';
  context.decisions.add({
    id: request.id,
    snapshot: request.snapshot,
    startedAt: request.startedAt,
    receivedAt: request.receivedAt,
    asked: request.facts?.asked,
    decision: request.decision,
    outcomes: request.outcomes,
    answeredBy: request.answeredBy,
    degradation: request.degradation,
    firstTokenAt: request.firstTokenAt,
    usage: request.usage,
    failure: request.failure,
    terminal: request.terminal,
    endedAt,
  });
  context.log.settled(request, endedAt);
}
