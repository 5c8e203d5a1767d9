import type { Next } from '../plan/decision.ts';
import { goOn } from '../routing/go-on.ts';
import type { Failed } from '../routing/path.ts';
import type { Clock } from './clock.ts';
import type { DecidedRequest } from './request.ts';

/** What a choice takes besides what is known. */
export type Choosing = { readonly clock: Clock; readonly random: () => number };

/** What follows the last attempt of a request, or would follow if one more had failed. */
export function nextAttempt(
  { clock, random }: Choosing,
  { snapshot: { plan, state }, understood, decision, outcomes, deadline }: DecidedRequest,
  supposed?: Failed,
): Next {
  const failed = supposed === undefined ? outcomes : [...outcomes, supposed];
  const { facts } = understood;
  return goOn({ plan, state, facts, decision, outcomes: failed, deadline, now: clock.now(), random });
}
