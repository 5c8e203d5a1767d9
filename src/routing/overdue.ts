import type { DeploymentIndex } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RoutingState } from '../plan/routing-state.ts';

/** A load may take so many times what loads took before. */
const loadsWaited = 3;
/** A small model's loads vary by more than that: no load is given up sooner. */
const leastMs = 10_000;

/**
 * When a load is no longer waited for where something else can serve; `undefined` where nothing
 * loads. A limit on the first words that is declared for the deployment decides, then what its
 * loads took, then the limit on first words that holds for all.
 */
export function overdueAt(
  { plan, state }: { readonly plan: Plan; readonly state: RoutingState },
  deployment: DeploymentIndex,
): number | undefined {
  const health = state.health[deployment];
  if (health?.kind !== 'loading') return undefined;
  const declared = plan.deployments[deployment]?.timeouts.firstTokenMs;
  const loadMs = state.observations[deployment]?.speeds.loadMs;
  const learned = loadMs === undefined ? undefined : Math.max(leastMs, loadsWaited * loadMs);
  return health.since + (declared ?? learned ?? plan.settings.timeouts.firstTokenMs);
}
