import type { Candidate, Rotation, Source } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { DeploymentIndex } from '../plan/ids.ts';
import type { Member, ModelGroup, Target } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { type Excluded, excludedByCondition, exclusionOf, type FilterInput } from './filter.ts';
import { type Eligible, rotorWeights, score } from './strategies.ts';

/** Members of a group in the order in which they would serve, and those that cannot with the reason. */
export type Ordered = {
  readonly serving: readonly Eligible[];
  readonly candidates: readonly Candidate[];
};

/** What ordering needs besides the filters. */
export type OrderInput = FilterInput & { readonly random: () => number };

/**
 * Puts a group's members in order: lower order first, within it what is ready before what is
 * loading or missing, weighted members before standby, and then as the strategy says.
 */
export function orderGroup(
  input: OrderInput,
  group: ModelGroup,
  source: Source,
  modelOf: (deployment: Deployment) => string,
): Ordered {
  const eligible: Eligible[] = [];
  const excluded: Candidate[] = [];
  group.members.forEach((member, place) => {
    const deployment = deploymentAt(input.plan, member.deployment);
    const reason = exclusionOf(input, deployment) ?? excludedByCondition(input, group, member);
    if (reason === undefined) eligible.push({ member, place, deployment });
    else excluded.push(excludedCandidate({ deployment, model: modelOf(deployment), source, group, member }, reason));
  });
  const scores = score(eligible, {
    plan: input.plan,
    state: input.state,
    facts: input.facts,
    group,
    random: input.random,
  });
  const ranked = eligible.map((one, index) => ({
    one,
    score: scores[index] ?? 0,
    rank: rankOf(one, input.state.health[one.deployment.index]),
  }));
  ranked.sort(
    (a, b) =>
      a.one.member.order - b.one.member.order || a.rank - b.rank || b.score - a.score || a.one.place - b.one.place,
  );
  const serving = ranked.map(
    ({ one, score: value }, position): Candidate => ({
      deployment: one.deployment.index,
      model: modelOf(one.deployment),
      source,
      group: group.index,
      order: one.member.order,
      weight: one.member.weight,
      verdict: { kind: position === 0 ? 'chosen' : 'standby', position },
      numbers: { score: value },
    }),
  );
  return { serving: ranked.map(({ one }) => one), candidates: [...serving, ...excluded] };
}

/** Ready before loading before missing; within each, members with a weight before standby ones. */
function rankOf({ member }: Eligible, health: DeploymentHealth | undefined): number {
  const standby = member.weight === 0 ? 1 : 0;
  if (health?.kind === 'missing') return 4 + standby;
  return health?.kind === 'loading' ? 2 + standby : standby;
}

/** The rotation that a round-robin group makes when its first choice is used; undefined for other strategies. */
export function rotationOf(input: OrderInput, group: ModelGroup, serving: readonly Eligible[]): Rotation | undefined {
  const first = serving[0];
  if (first === undefined || group.strategy.name !== 'weighted_round_robin') return undefined;
  const turning = serving.filter((one) => one.member.order === first.member.order && one.member.weight !== 0);
  return {
    group: group.index,
    chosen: first.place,
    eligible: turning.map((one) => one.place),
    steps: rotorWeights(turning, input.state),
  };
}

/** A single deployment as a candidate, for targets that are no group. */
export function lookAt(
  input: OrderInput,
  target: Extract<Target, { kind: 'deployment' }>,
  source: Source,
  modelOf: (deployment: Deployment) => string,
): Candidate {
  const deployment = deploymentAt(input.plan, target.deployment);
  const reason = exclusionOf(input, deployment);
  const described = { deployment, model: modelOf(deployment), source, group: undefined, member: undefined };
  if (reason !== undefined) return excludedCandidate(described, reason);
  return { ...candidateOf(described), verdict: { kind: 'chosen', position: 0 } };
}

/** The deployment at an index of the plan; the compiler makes only indices that exist. */
export function deploymentAt(plan: Plan, index: DeploymentIndex): Deployment {
  const deployment = plan.deployments[index];
  if (deployment === undefined) throw new RangeError(`The plan has no deployment ${index}`);
  return deployment;
}

type Described = {
  readonly deployment: Deployment;
  readonly model: string;
  readonly source: Source;
  readonly group: ModelGroup | undefined;
  readonly member: Member | undefined;
};

function excludedCandidate(described: Described, excluded: Excluded): Candidate {
  return { ...candidateOf(described), verdict: { kind: 'excluded', ...excluded } };
}

function candidateOf({ deployment, model, source, group, member }: Described): Omit<Candidate, 'verdict'> {
  return {
    deployment: deployment.index,
    model,
    source,
    group: group?.index,
    order: member?.order ?? 1,
    weight: member?.weight,
    numbers: {},
  };
}
