import type { Deployment } from '../plan/deployment.ts';
import type { Member, ModelGroup } from '../plan/model-group.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';

/** A member of a group, with its deployment and its place in the group's list. */
export type Placed = {
  readonly member: Member;
  readonly place: number;
  readonly deployment: Deployment;
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
  const members = group.members.map((member, place) => {
    const deployment = deploymentAt(plan, member.deployment);
    return { member, place, deployment, isLocal: plan.providers.get(deployment.provider)?.tier === 'local' };
  });
  known.set(plan, ofPlan.set(group, members));
  return members;
}
