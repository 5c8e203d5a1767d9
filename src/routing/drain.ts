import type { Milliseconds, ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { afterDrain, afterReturn } from './health.ts';

/** A plan with its state. */
type Routed = { readonly plan: Plan; readonly state: RoutingState };

/** Begins to empty a provider: its deployments get no new request. */
export function applyDrain({ plan, state }: Routed, provider: ProviderId, now: Milliseconds): void {
  for (const { index } of plan.deployments.filter((one) => one.provider === provider))
    state.health[index] = afterDrain(state.health[index] ?? { kind: 'ready' }, now);
}

/** Takes a provider back into service. */
export function applyReturn({ plan, state }: Routed, provider: ProviderId): void {
  for (const { index } of plan.deployments.filter((one) => one.provider === provider))
    state.health[index] = afterReturn(state.health[index] ?? { kind: 'ready' });
}

/** Attempts under way at a provider, without those that the plan after this one counts as well. */
export function runningAt({ plan, state }: Routed, provider: ProviderId): number {
  return plan.deployments.reduce((sum, { index, provider: owner }) => {
    const isCountedLater = state.successor?.deploymentOf[index] !== undefined;
    return owner === provider && !isCountedLater ? sum + (state.inFlight[index] ?? 0) : sum;
  }, 0);
}

/** Providers that are being emptied, and since when. */
export function drainsOf({ plan, state }: Routed): ReadonlyMap<ProviderId, Milliseconds> {
  return new Map(
    plan.deployments.flatMap(({ index, provider }) => {
      const health = state.health[index];
      return health?.kind === 'draining' ? [[provider, health.since]] : [];
    }),
  );
}
