import type { PipelineContext } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';

/** Records how a request ended: once, after its last byte, off the way of others. */
export function settle(context: PipelineContext, request: GatewayRequest): void {
  const endedAt = context.clock.now();
  request.terminal ??= 'rejected';
  const { exchange: _exchange, body: _body, ...kept } = request;
  context.decisions.add({ ...kept, endedAt });
  context.log.settled(request, endedAt);
}
