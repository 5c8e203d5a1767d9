import type { Condition } from '../plan/condition.ts';
import type { Deployment, ModelKind } from '../plan/deployment.ts';
import type { DeploymentIndex, Tokens } from '../plan/ids.ts';
import type { Member, ModelGroup } from '../plan/model-group.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';

/**
 * A deployment as routing looks at it, in a group as its member. What every decision reads of it
 * stands here once more: a pool of thousands is then read from one place in memory.
 */
export type Looked = {
  readonly deployment: Deployment;
  readonly member: Member | undefined;
  readonly index: DeploymentIndex;
  readonly kind: ModelKind | undefined;
  readonly contextTokens: Tokens | undefined;
  readonly condition: Condition | undefined;
};

/** Looks at a deployment. */
export function lookAt(deployment: Deployment, member?: Member): Looked {
  const { index, kind, contextTokens } = deployment;
  return { deployment, member, index, kind, contextTokens, condition: member?.condition };
}

/** A member of a group in its place in the group's list. */
export type Placed = Looked & {
  readonly place: number;
  readonly order: number;
  readonly weight: number | undefined;
  /** Whether its provider stands on this machine or network. */
  readonly isLocal: boolean;
};

/** A plan never changes, so the members of its groups are put together once. */
const known = new WeakMap<Plan, Map<ModelGroup, readonly Placed[]>>();

/** The members of a group in their declared order. */
export function membersOf(plan: Plan, group: ModelGroup): readonly Placed[] {
  const ofPlan = known.get(plan) ?? new Map<ModelGroup, readonly Placed[]>();
  const before = ofPlan.get(group);
  if (before !== undefined) return before;
  const members = group.members.map((member, place): Placed => {
    const deployment = deploymentAt(plan, member.deployment);
    const { order, weight } = member;
    const isLocal = plan.providers.get(deployment.provider)?.tier === 'local';
    return { ...lookAt(deployment, member), place, order, weight, isLocal };
  });
  known.set(plan, ofPlan.set(group, members));
  return members;
}
