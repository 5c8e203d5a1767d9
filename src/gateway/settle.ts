import type { PipelineContext } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';

/** Records how a request ended: once, after its last byte, off the way of others. */
export function settle(context: PipelineContext, request: GatewayRequest): void {
  const endedAt = context.clock.now();
  const settled = Object.assign(request, { terminal: request.terminal ?? 'rejected', endedAt });
  context.keep(settled);
  context.log.settled(settled, endedAt);
}
