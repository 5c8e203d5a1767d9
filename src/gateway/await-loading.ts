import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { deploymentAt } from '../plan/plan.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayRequest } from './request.ts';
import { waitFor } from './wait-for.ts';

/**
 * Waits until a deployment's model is loaded, as probes see it: the server itself is not asked
 * meanwhile, since it would only say that it loads. Gives a failure back where the deadline comes
 * or the client leaves first.
 */
export async function awaitLoading(
  dependencies: GatewayDependencies,
  request: GatewayRequest,
  { deployment }: PlannedAttempt,
): Promise<Failure | undefined> {
  const { clock, look } = dependencies;
  const { plan, state } = request.snapshot;
  const { provider, backendModel } = deploymentAt(plan, deployment);
  for (let looks = 0; state.health[deployment]?.kind === 'loading'; looks++) {
    const { since } = state.health[deployment];
    const aboutMs = state.observations[deployment]?.speeds.loadMs;
    request.waiting = { kind: 'loading', deployment, model: backendModel, since, aboutMs };
    // Probes tell the snapshot in force, and of no provider that is not probed: then the server is asked again.
    const isTold = dependencies.current() === request.snapshot && plan.providers.get(provider)?.probe.enabled;
    if (!isTold && looks > 0) break;
    await waitFor(dependencies, request, look(provider));
    if (request.exchange.closed) return failure('client_closed');
    if (clock.now() >= request.deadline)
      return failure('deadline_exceeded', `The model "${request.facts?.asked}" is still loading`);
  }
  request.waiting = undefined;
  return undefined;
}
