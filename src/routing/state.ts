import type { PlannedAttempt, Rotation } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Failure } from '../plan/failure.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import type { DeploymentIndex, Milliseconds, ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import { type Residency, unseenEngine, unseenSpeeds } from '../plan/residency.ts';
import type { DeploymentHealth, Observation, RoutingState } from '../plan/routing-state.ts';
import { drainsOf } from './drain.ts';
import { afterDrain, afterFailure, afterStart, afterSuccess, ready } from './health.ts';
import { createLimitState } from './limit-windows.ts';
import { createPerformanceState, measureAnswer, measureFailure, measureTokens } from './performance.ts';
import { createRetryBudget } from './retry-budget.ts';
import { createSeatState, leaveSeat, seeTurnAnswered, takeOverSeats, takeSeat } from './seats.ts';
import { type Lesson, learn } from './speeds.ts';
import { createSpendingState } from './spending.ts';

/**
 * Creates the state of a plan; what is known of deployments that stay is carried over by their ids.
 * The previous state learns of its successor, where its requests go on to hold their seats.
 */
export function createRoutingState(
  plan: Plan,
  now: Milliseconds,
  previous?: { readonly plan: Plan; readonly state: RoutingState },
): RoutingState {
  const before = new Map(previous?.plan.deployments.map((one) => [one.id, one.index]));
  const known = <Value>(list: readonly Value[] | undefined, id: Deployment['id']): Value | undefined => {
    const index = before.get(id);
    return index === undefined ? undefined : list?.[index];
  };
  const drains = previous === undefined ? new Map<ProviderId, Milliseconds>() : drainsOf(previous);
  const healthOf = (one: Deployment): DeploymentHealth => {
    const health = startingHealth(plan, one, known(previous?.state.health, one.id), now);
    const drainedSince = drains.get(one.provider);
    // A person empties a provider with all that it has, also what only the new plan declares.
    return drainedSince === undefined ? health : afterDrain(health, drainedSince);
  };
  const state: RoutingState = {
    health: plan.deployments.map(healthOf),
    observations: plan.deployments.map((one) => known(previous?.state.observations, one.id) ?? nothingSeen),
    inFlight: new Int32Array(plan.deployments.length),
    groupInFlight: new Int32Array(plan.groups.length),
    rotors: plan.groups.map((group) => new Float64Array(group.members.length)),
    listed: new Map(previous?.state.listed),
    limits: createLimitState(plan, previous?.state.limits),
    seats: createSeatState(plan),
    successor: undefined,
    performance: createPerformanceState(plan, (one) => before.get(one.id), previous?.state.performance),
    spending: createSpendingState(plan, previous?.state.spending),
    retryBudget: previous?.state.retryBudget ?? createRetryBudget(),
  };
  if (previous !== undefined) {
    const place = new Map(plan.deployments.map((one) => [one.id, one.index]));
    const deploymentOf = previous.plan.deployments.map((one) => place.get(one.id));
    previous.state.successor = { plan, state, deploymentOf };
    takeOverSeats(previous.state, previous.state.successor);
  }
  return state;
}

const nothingSeen: Observation = {
  failures: [],
  effectiveContext: undefined,
  residency: undefined,
  speeds: unseenSpeeds,
};

function startingHealth(
  plan: Plan,
  deployment: Deployment,
  before: DeploymentHealth | undefined,
  now: Milliseconds,
): DeploymentHealth {
  if (plan.providers.get(deployment.provider)?.status !== 'active') {
    return before?.kind === 'disabled' ? before : { kind: 'disabled', since: now };
  }
  if (before === undefined || before.kind === 'disabled' || before.kind === 'half_open') return ready;
  return before;
}

/** What the state has to know of an attempt. */
type Attempted = Pick<PlannedAttempt, 'deployment' | 'model' | 'group'>;

/** Marks an attempt as begun: it has its seat. */
export function applyAttemptStarted(state: RoutingState, attempt: Attempted, now: Milliseconds): void {
  const { deployment, group } = attempt;
  takeSeat(state, attempt, now);
  if (group !== undefined) state.groupInFlight[group] = (state.groupInFlight[group] ?? 0) + 1;
  const health = state.health[deployment];
  if (health !== undefined) state.health[deployment] = afterStart(health, now);
}

/** Marks an attempt as over, whatever came of it. */
export function applyAttemptEnded(state: RoutingState, { deployment, group }: Attempted): void {
  leaveSeat(state, deployment);
  if (group !== undefined) state.groupInFlight[group] = Math.max(0, (state.groupInFlight[group] ?? 0) - 1);
}

/** Records that a deployment answered, which also proves that its model is in memory. */
export function applySuccess(
  state: RoutingState,
  deployment: DeploymentIndex,
  times: { readonly now: Milliseconds; readonly startedAt: Milliseconds },
): void {
  const health = state.health[deployment];
  const observation = state.observations[deployment];
  seeTurnAnswered(state, deployment);
  if (observation?.residency !== undefined)
    state.observations[deployment] = { ...observation, residency: seenLoaded(observation.residency, times.now) };
  if (health === undefined || health.kind === 'ready') return;
  state.health[deployment] = afterSuccess(health, times);
}

function seenLoaded(residency: Residency, at: Milliseconds): Residency {
  return { kind: 'loaded', at, engine: residency.kind === 'loaded' ? residency.engine : unseenEngine };
}

/** Counts the prompt of an attempt that is sent, by its estimate. */
export function applyPrompt(
  { performance }: RoutingState,
  deployment: DeploymentIndex,
  promptTokens: number,
  now: Milliseconds,
): void {
  measureTokens(performance, deployment, promptTokens, now);
}

/** Records what an attempt that was answered to its end shows of its deployment. */
export function applyLesson(state: RoutingState, deployment: DeploymentIndex, lesson: Lesson, now: Milliseconds): void {
  const observation = state.observations[deployment];
  if (observation === undefined) return;
  state.observations[deployment] = { ...observation, speeds: learn(observation.speeds, lesson) };
  measureAnswer(state.performance, deployment, lesson, now);
}

/** What {@link applyFailure} has to know of the attempt. */
export type FailedAttempt = {
  readonly plan: Plan;
  readonly deployment: DeploymentIndex;
  readonly failure: Failure;
  readonly now: Milliseconds;
  readonly alone: boolean;
  readonly random: number;
};

/** Records a failed attempt; gives the new health where the deployment began to cool, for the log. */
export function applyFailure(
  state: RoutingState,
  attempt: FailedAttempt,
): Extract<DeploymentHealth, { kind: 'cooling' }> | undefined {
  const { plan, deployment, failure, now, alone, random } = attempt;
  const health = state.health[deployment];
  const observation = state.observations[deployment];
  if (health === undefined || observation === undefined) return undefined;
  const isLiteral = plan.deployments[deployment]?.backendModel.includes('*') === true;
  if (isLiteral && failure.kind === 'upstream_model_missing') {
    // The client's own name was passed on, and a server that does not know it answers well.
    applySuccess(state, deployment, { now, startedAt: now });
    return undefined;
  }
  if (failureCatalogue[failure.kind].countsAgainst) measureFailure(state.performance, deployment);
  const after = afterFailure(health, {
    failure,
    now,
    alone,
    random,
    settings: plan.settings.cooldown,
    cooldownMs: plan.deployments[deployment]?.cooldownMs,
    failures: observation.failures,
    loadMs: observation.speeds.loadMs,
  });
  state.health[deployment] = after.health;
  state.observations[deployment] = { ...observation, failures: after.failures };
  const began = after.health.kind === 'cooling' && after.health !== health && after.health.until > now;
  return began && after.health.kind === 'cooling' ? after.health : undefined;
}

/** Turns a group's rotors by one choice. */
export function applyRotation(state: RoutingState, rotation: Rotation): void {
  const rotor = state.rotors[rotation.group];
  if (rotor === undefined) return;
  let sum = 0;
  rotation.eligible.forEach((place, index) => {
    const step = rotation.steps[index] ?? 0;
    rotor[place] = withoutDust((rotor[place] ?? 0) + step);
    sum += step;
  });
  rotor[rotation.chosen] = withoutDust((rotor[rotation.chosen] ?? 0) - sum);
}

/** Thirds do not add up in binary; at the end of each round a rotor is back at nothing, where its dust is left. */
function withoutDust(turn: number): number {
  return Math.abs(turn) < 1e-9 ? 0 : turn;
}
