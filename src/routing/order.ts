import type { Candidate, Rotation } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Member, ModelGroup } from '../plan/model-group.ts';
import { deploymentAt } from '../plan/plan.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { type Excluded, exclusionOf, type FilterInput, tagFilter } from './filter.ts';
import { type Eligible, rotorSteps, score } from './strategies.ts';

/** A member that may serve, in its place, with what its strategy compared. */
export type Ranked = Eligible & { readonly numbers: Candidate['numbers'] };

/** Members of a group in the order in which they would serve, and those that cannot with the reason. */
export type Ordered = {
  readonly serving: readonly Ranked[];
  readonly excluded: readonly { readonly member: Member; readonly deployment: Deployment; readonly why: Excluded }[];
  /** The turn that a round-robin makes when its first choice is used. */
  readonly rotation: Rotation | undefined;
};

/** What ordering needs besides the filters. */
export type OrderInput = FilterInput & { readonly random: () => number };

/**
 * Puts a group's members in order. They fall into ranks first: a lower order before a higher one,
 * ready before loading, weighted before standby, and what its server does not list behind all.
 * Within a rank the strategy decides.
 */
export function orderGroup(input: OrderInput, group: ModelGroup): Ordered {
  const eligible: Eligible[] = [];
  const excluded: { member: Member; deployment: Deployment; why: Excluded }[] = [];
  const tags = tagFilter(input, group);
  group.members.forEach((member, place) => {
    const deployment = deploymentAt(input.plan, member.deployment);
    const why = exclusionOf(input, deployment, { group, member, tags });
    if (why === undefined) eligible.push({ member, place, deployment });
    else excluded.push({ member, deployment, why });
  });
  const ranks = intoRanks(eligible, input.state);
  const [first = []] = ranks;
  const serving =
    ranks.length === 1 ? orderRank(first, input, group) : ranks.flatMap((one) => orderRank(one, input, group));
  return { serving, excluded, rotation: rotationOf(input.state, group, first, serving[0]) };
}

/** Groups members that only the strategy can tell apart, the first to serve first. */
function intoRanks(eligible: readonly Eligible[], state: RoutingState): readonly (readonly Eligible[])[] {
  const [first] = eligible;
  if (first === undefined) return [];
  const common = rankOf(first, state);
  if (eligible.every((one) => rankOf(one, state) === common)) return [eligible];
  const ranks = new Map<number, Eligible[]>();
  for (const one of eligible) {
    const rank = rankOf(one, state);
    const peers = ranks.get(rank);
    if (peers === undefined) ranks.set(rank, [one]);
    else peers.push(one);
  }
  return [...ranks].sort(([a], [b]) => a - b).map(([, peers]) => peers);
}

/** One number for what goes before the strategy: being there at all, then the order, then readiness and standby. */
function rankOf({ member, deployment }: Eligible, state: RoutingState): number {
  const health = state.health[deployment.index]?.kind;
  const missing = health === 'missing' ? behindEveryOrder : 0;
  return missing + member.order * 4 + (health === 'loading' ? 2 : 0) + (member.weight === 0 ? 1 : 0);
}

const behindEveryOrder = 2 ** 40;

function orderRank(members: readonly Eligible[], input: OrderInput, group: ModelGroup): readonly Ranked[] {
  const { plan, state, facts, random } = input;
  const { values, numbersAt } = score(members, { plan, state, facts, group, random });
  const ranked = members.map(({ member, place, deployment }, index) => ({
    member,
    place,
    deployment,
    value: values[index] ?? 0,
    numbers: numbersAt(index),
  }));
  return ranked.sort((a, b) => (a.value === b.value ? a.place - b.place : b.value - a.value));
}

/** Only peers of the chosen member turn: what stands behind them gathers no steps for the day it is ready. */
function rotationOf(
  state: RoutingState,
  group: ModelGroup,
  peers: readonly Eligible[],
  chosen: Eligible | undefined,
): Rotation | undefined {
  if (chosen === undefined || group.strategy.name !== 'weighted_round_robin') return undefined;
  return {
    group: group.index,
    chosen: chosen.place,
    eligible: peers.map(({ place }) => place),
    steps: rotorSteps(peers, state),
  };
}
