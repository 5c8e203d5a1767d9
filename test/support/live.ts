import type { Failure } from '../../src/plan/failure.ts';
import { failure } from '../../src/plan/failure-catalogue.ts';
import { deploymentIndex, milliseconds, seconds } from '../../src/plan/ids.ts';
import type { DeploymentHealth } from '../../src/plan/routing-state.ts';
import { afterProbe, type ProbeSight, shareOf } from '../../src/routing/health.ts';
import {
  applyAttemptEnded,
  applyAttemptStarted,
  applyFailure,
  applySuccess,
  createRoutingState,
} from '../../src/routing/state.ts';
import { type PlanOf, planOf } from './plan-of.ts';

/** What happens to a deployment: a failure of one request, what a probe sees, or a request that begins or is answered. */
export type Event =
  | Failure['kind']
  | 'starts'
  | 'answers'
  | `seen ${'up' | 'unlisted' | 'loading' | 'down'}`
  | { readonly retryAfterS: number }
  | { readonly answerSentAtS: number };

/** Days in the life of one deployment: at which second what happens, and what its state is then. */
export type Life = {
  readonly plan?: Omit<PlanOf, 'deployments'>;
  readonly alone?: boolean;
  /** Where in its spread a cooldown ends, from 0 to 1. */
  readonly random?: number;
  readonly days: readonly (readonly [atS: number, event: Event, state: string])[];
};

/** Lets a deployment live, with the state as the gateway keeps it; gives the states in words. */
export function live({ plan: written, alone = false, random = 0, days }: Life): readonly string[] {
  const plan = planOf({ deployments: ['a/m', 'b/m'], ...written });
  const state = createRoutingState(plan, milliseconds(0));
  const deployment = deploymentIndex(0);
  const attempt = { deployment, model: 'm', group: undefined };
  const fail = (failed: Failure, atS: number): void => {
    applyFailure(state, { plan, deployment, failure: failed, now: seconds(atS), alone, random });
  };
  return days.map(([atS, event]) => {
    const now = seconds(atS);
    const health = state.health[0] ?? { kind: 'ready' };
    if (typeof event === 'object' && 'retryAfterS' in event)
      fail(failure('upstream_rate_limited', undefined, { retryAfterMs: seconds(event.retryAfterS) }), atS);
    else if (typeof event === 'object')
      applySuccess(state, deployment, { now, startedAt: seconds(event.answerSentAtS) });
    else if (isSight(event)) state.health[0] = afterProbe(health, sights[event], now);
    else if (event === 'starts') {
      applyAttemptStarted(state, attempt, now);
      applyAttemptEnded(state, attempt);
    } else if (event === 'answers') applySuccess(state, deployment, { now, startedAt: now });
    else fail(failure(event), atS);
    return words(state.health[0], atS);
  });
}

const sights: Readonly<Record<Extract<Event, `seen ${string}`>, ProbeSight>> = {
  'seen up': { kind: 'up', listed: true },
  'seen unlisted': { kind: 'up', listed: false },
  'seen loading': { kind: 'loading', loadMs: undefined },
  'seen down': { kind: 'down', why: 'no answer in time' },
};

function isSight(event: string): event is keyof typeof sights {
  return event in sights;
}

function words(health: DeploymentHealth | undefined, atS: number): string {
  if (health?.kind === 'cooling') return `cooling until ${health.until / 1000}`;
  if (health?.kind === 'degraded') return `degraded, takes ${shareOf(health, seconds(atS))}`;
  return health?.kind ?? 'none';
}
