import type { Assumptions, TimedState } from '../contract/explain.ts';
import { type DeploymentIndex, type Milliseconds, milliseconds, providerId } from '../plan/ids.ts';
import { nearest } from '../plan/nearest.ts';
import type { Plan } from '../plan/plan.ts';
import type { AssumedState, DeploymentHealth, RoutingState } from '../plan/routing-state.ts';
import { filledLimits } from '../routing/limits.ts';

/** A state as it would be, with sentences about what was assumed of things that are not there. */
export type AssumedWorld = { readonly state: RoutingState; readonly notes: readonly string[] };

/** What is assumed, of which system, and when it begins. */
type Assuming = { readonly plan: Plan; readonly state: RoutingState; readonly now: Milliseconds };

/** The state as it would be if things were as assumed; the one that is given stays as it is. */
export function assume({ plan, state, now }: Assuming, assumptions: Assumptions): AssumedWorld {
  const { states = {}, full = [], busy = {}, listed = {} } = assumptions;
  const notes: string[] = [];
  const named = (name: string): readonly DeploymentIndex[] => {
    const found = deploymentsNamed(plan, name);
    if (found.length === 0)
      notes.push(
        `what is assumed of "${name}" changes nothing: no provider or deployment is it${meantWords(name, namesIn(plan))}`,
      );
    return found;
  };
  const health = [...state.health];
  for (const [name, one] of Object.entries(states))
    for (const index of named(name)) health[index] = assumedHealth(one, now);
  const inFlight = state.inFlight.slice();
  for (const [name, count] of Object.entries(busy)) for (const index of named(name)) inFlight[index] = count;
  const limits = full.flatMap((name) => {
    const found = limitsNamed(state, name);
    const known = state.limits.limits.map(({ label }) => /"(.*)"$/.exec(label)?.[1] ?? label);
    if (found.length === 0) notes.push(`no limit of "${name}" is there to be full${meantWords(name, known)}`);
    return found;
  });
  const lists = Object.entries(listed).map(([id, names]) => [providerId(id), new Set(names)] as const);
  return {
    state: {
      ...state,
      health,
      inFlight,
      listed: new Map([...state.listed, ...lists]),
      limits: limits.length === 0 ? state.limits : filledLimits(state.limits, limits, now),
    },
    notes,
  };
}

function meantWords(name: string, known: readonly string[]): string {
  const [near] = nearest(name, known, 1);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

function namesIn({ providers, deployments }: Plan): readonly string[] {
  return [...providers.keys(), ...deployments.map(({ provider, backendModel }) => `${provider}/${backendModel}`)];
}

/** A deployment by its name or id, or all of a provider, a type or a group. */
function deploymentsNamed(plan: Plan, name: string): readonly DeploymentIndex[] {
  const exact = plan.deployments.filter(
    ({ id, provider, backendModel }) => id === name || `${provider}/${backendModel}` === name,
  );
  const own = plan.deployments.filter(({ provider }) => provider === name);
  const grouped = plan.deployments.filter(({ provider }) => plan.providers.get(provider)?.groups.includes(name));
  return ([exact, own, grouped].find((list) => list.length > 0) ?? []).map(({ index }) => index);
}

/** Limits by the word that they stand under: their labels say besides what kind of thing it is. */
function limitsNamed({ limits }: RoutingState, name: string): readonly number[] {
  return limits.limits.flatMap(({ label }, index) =>
    label === name || label === `"${name}"` || label.endsWith(` "${name}"`) ? [index] : [],
  );
}

/** As long as nothing else is said. */
const usualForMs = 60_000;

function assumedHealth(assumed: AssumedState | TimedState, since: Milliseconds): DeploymentHealth {
  const { state, forMs } = typeof assumed === 'string' ? { state: assumed, forMs: undefined } : assumed;
  const until = milliseconds(since + (forMs ?? usualForMs));
  switch (state) {
    case 'ready':
      return { kind: 'ready' };
    case 'disabled':
    case 'draining':
    case 'missing':
      return { kind: state, since };
    case 'loading':
      return { kind: 'loading', since, readyAt: forMs === undefined ? undefined : until };
    case 'cooling':
      return { kind: 'cooling', since, until, why: 'failures', round: 0 };
    case 'rate_limited':
      return { kind: 'cooling', since, until, why: 'rate_limited', round: 0 };
    case 'degraded':
    case 'down':
      return { kind: state, since, why: 'assumed' };
  }
}
