import type { PlannedAttempt } from '../plan/decision.ts';
import type { DeploymentIndex, GroupIndex } from '../plan/ids.ts';
import type { LimitIndex, LimitState } from '../plan/limit.ts';
import type { RequestFacts } from '../plan/request-facts.ts';

const none: readonly LimitIndex[] = [];

/** Limits that a request meets before any deployment is looked at: by its key, and by the name that it asks for. */
export function limitsOfRequest(
  { limits, ofKey, ofGroup, ofName }: LimitState,
  facts: RequestFacts,
  group: GroupIndex | undefined,
): readonly LimitIndex[] {
  if (limits.length === 0) return none;
  const byKey = limitsOfKey({ ofKey }, facts);
  const byGroup = group === undefined ? none : (ofGroup[group] ?? none);
  const byName = ofName.get(facts.asked ?? facts.capability ?? '') ?? none;
  // Mostly at most one of them has any: then nothing is put together.
  if (byGroup.length + byName.length === 0) return byKey;
  if (byKey.length + byName.length === 0) return byGroup;
  return [...byKey, ...byGroup, ...byName];
}

/** Limits of the key that a request came with. */
export function limitsOfKey({ ofKey }: Pick<LimitState, 'ofKey'>, { key }: RequestFacts): readonly LimitIndex[] {
  return ofKey.get(key) ?? none;
}

/** What an attempt at a deployment counts under. What a name's own deployments do not serve is no use of the name. */
export function limitsOfAttempt(
  state: LimitState,
  facts: RequestFacts,
  group: GroupIndex | undefined,
  { deployment, source }: Pick<PlannedAttempt, 'deployment' | 'source'>,
): readonly LimitIndex[] {
  if (state.limits.length === 0) return none;
  const own = limitsOfDeployment(state, deployment);
  const asked = limitsOfRequest(state, facts, group);
  if (asked.length === 0) return own;
  const counted = source === 'group' ? asked : asked.filter((index) => state.limits[index]?.kind === 'key');
  // A pool of a model's name counts what reaches the model once.
  return [...counted.filter((index) => !own.includes(index)), ...own];
}

/** What every attempt at a deployment counts under. */
export function limitsOfDeployment({ ofDeployment }: LimitState, deployment: DeploymentIndex): readonly LimitIndex[] {
  return ofDeployment[deployment] ?? none;
}
