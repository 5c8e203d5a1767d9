import { milliseconds } from '../plan/ids.ts';
import { seedOf } from '../plan/seeded.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';

/** A request that has just come: nothing is known of it yet but who sent it and where to. */
export function beginRequest(
  { clock, newRequestId, random }: Pick<GatewayDependencies, 'clock' | 'newRequestId' | 'random'>,
  { snapshot, exchange, endpoint, principal }: Pick<GatewayRequest, 'snapshot' | 'exchange' | 'endpoint' | 'principal'>,
): GatewayRequest {
  const startedAt = clock.now();
  return {
    id: newRequestId(),
    exchange,
    endpoint,
    snapshot,
    startedAt,
    receivedAt: clock.wall(),
    deadline: milliseconds(startedAt + snapshot.plan.settings.timeouts.requestMs),
    principal,
    understood: undefined,
    seed: seedOf(random()),
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
