import { spendAnswer } from '../routing/spending.ts';
import type { GatewayDependencies, PipelineContext, Settled } from './dependencies.ts';
import type { GatewayRequest, SettledRequest } from './request.ts';

/**
 * Creates the place where requests end. Those of one turn of the event loop are written down
 * together at its end, off the way of others that are still being answered.
 */
export function createSettled({ keep, log }: Pick<GatewayDependencies, 'keep' | 'log'>): Settled {
  let ended: SettledRequest[] = [];
  const flush = (): void => {
    const requests = ended;
    ended = [];
    for (const request of requests) {
      try {
        keep(request);
        log.settled(request);
      } catch (error) {
        log.internalError(error, request.id);
      }
    }
  };
  return {
    flush,
    add(request) {
      ended.push(request);
      if (ended.length === 1) setImmediate(flush);
    },
  };
}

/** Ends a request, once, after its last byte. */
export function settle({ clock, settled }: PipelineContext, request: GatewayRequest): void {
  const endedAt = clock.now();
  const { snapshot, answeredBy, usage, decision } = request;
  // Nobody has answered where the cache did, which costs nothing.
  if (answeredBy !== undefined) spendAnswer(snapshot, { attempt: answeredBy, asked: decision?.group, usage }, endedAt);
  settled.add(Object.assign(request, { terminal: request.terminal ?? 'rejected', endedAt, endedWallMs: clock.wall() }));
}
