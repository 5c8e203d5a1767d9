import type { Next } from '../plan/decision.ts';
import { goOn } from '../routing/go-on.ts';
import type { Failed } from '../routing/path.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { DecidedRequest } from './request.ts';

/** What follows the last attempt of a request, or would follow if one more had failed. */
export function nextAttempt(
  { clock, random }: Pick<GatewayDependencies, 'clock' | 'random'>,
  { snapshot: { plan, state }, understood, decision, outcomes, deadline }: DecidedRequest,
  supposed?: Failed,
): Next {
  const failed = supposed === undefined ? outcomes : [...outcomes, supposed];
  const { facts } = understood;
  return goOn({ plan, state, facts, decision, outcomes: failed, deadline, now: clock.now(), random });
}
