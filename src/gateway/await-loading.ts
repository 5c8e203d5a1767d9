import type { PlannedAttempt } from '../plan/decision.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { secondsWords } from '../plan/in-words.ts';
import { deploymentAt } from '../plan/plan.ts';
import { overdueAt } from '../routing/overdue.ts';
import { type Failed, isSame } from '../routing/path.ts';
import { awaitLoad } from '../routing/seats.ts';
import type { GatewayDependencies } from './dependencies.ts';
import { nextAttempt } from './next-attempt.ts';
import type { DecidedRequest } from './request.ts';
import { waitFor } from './wait-for.ts';

/**
 * Waits until a deployment's model is loaded, as probes see it: the server itself is not asked
 * meanwhile, since it would only say that it loads. Gives a failed attempt back where the deadline
 * comes or the client leaves first, and one that was loading for too long where another can serve.
 */
export async function awaitLoading(
  dependencies: GatewayDependencies,
  request: DecidedRequest,
  attempt: PlannedAttempt,
): Promise<Failed | undefined> {
  const { health } = request.snapshot.state;
  if (health[attempt.deployment]?.kind !== 'loading') return undefined;
  const leave = awaitLoad(request.snapshot.state, attempt.deployment);
  try {
    return await awaitLoaded(dependencies, request, attempt);
  } finally {
    leave();
    request.waiting = undefined;
  }
}

async function awaitLoaded(
  dependencies: GatewayDependencies,
  request: DecidedRequest,
  attempt: PlannedAttempt,
): Promise<Failed | undefined> {
  const { clock, look } = dependencies;
  const { plan, state } = request.snapshot;
  const { deployment } = attempt;
  const { provider, backendModel } = deploymentAt(plan, deployment);
  const startedAt = clock.now();
  const failed = (why: Failed['failure']): Failed => ({ attempt, failure: why, startedAt, endedAt: clock.now() });
  for (let looks = 0; state.health[deployment]?.kind === 'loading'; looks++) {
    const { since } = state.health[deployment];
    const aboutMs = state.observations[deployment]?.speeds.loadMs;
    request.waiting = { kind: 'loading', deployment, model: backendModel, since, aboutMs };
    const now = clock.now();
    if (now >= (overdueAt(request.snapshot, deployment) ?? Number.POSITIVE_INFINITY)) {
      const why = `The model "${backendModel}" has been loading for ${secondsWords(now - since)}`;
      const late = failed(failure('upstream_loading', why));
      const next = nextAttempt(dependencies, request, late);
      if (next.kind === 'attempt' && !isSame(next.attempt, attempt)) return late;
    }
    // Probes tell the snapshot in force, and of no provider that is not probed: then the server is asked again.
    const isTold = dependencies.current() === request.snapshot && plan.providers.get(provider)?.probe.enabled;
    if (!isTold && looks > 0) break;
    await waitFor(dependencies, request, look(provider));
    if (request.exchange.closed) return failed(failure('client_closed'));
    if (clock.now() >= request.deadline)
      return failed(failure('deadline_exceeded', `The model "${request.understood.facts.asked}" is still loading`));
  }
  return undefined;
}
