import type { Next } from '../plan/decision.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { goOn } from '../routing/go-on.ts';
import type { Failed } from '../routing/path.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';

/** What follows the last attempt of a request, or would follow if one more had failed. */
export function nextAttempt(
  { clock, random }: Pick<GatewayDependencies, 'clock' | 'random'>,
  { snapshot: { plan, state }, facts, decision, outcomes, deadline }: GatewayRequest,
  supposed?: Failed,
): Next {
  if (facts === undefined || decision === undefined) return { kind: 'stop', failure: failure('internal') };
  const failed = supposed === undefined ? outcomes : [...outcomes, supposed];
  return goOn({ plan, state, facts, decision, outcomes: failed, deadline, now: clock.now(), random });
}
