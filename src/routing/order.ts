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
  const serving = ranks.flatMap((members) => orderRank(members, input, group));
  return { serving, excluded, rotation: rotationOf(input.state, group, first, serving[0]) };
}

/** Groups members that only the strategy can tell apart, the first to serve first. */
function intoRanks(eligible: readonly Eligible[], state: RoutingState): readonly (readonly Eligible[])[] {
  const [first] = eligible;
  if (first === undefined) return [];
  const keys = eligible.map((one) => rankKey(one, state));
  const isOne = keys.every((key) => compareKeys(key, keys[0] ?? key) === 0);
  if (isOne) return [eligible];
  const places = eligible.map((_, index) => index);
  const keyAt = (index: number): RankKey => keys[index] ?? [0, 0, 0];
  places.sort((a, b) => compareKeys(keyAt(a), keyAt(b)) || a - b);
  const ranks: Eligible[][] = [];
  let before: RankKey | undefined;
  for (const index of places) {
    const one = eligible[index];
    if (one === undefined) continue;
    if (before === undefined || compareKeys(before, keyAt(index)) !== 0) ranks.push([]);
    ranks.at(-1)?.push(one);
    before = keyAt(index);
  }
  return ranks;
}

type RankKey = readonly [missing: number, order: number, readiness: number];

function rankKey({ member, deployment }: Eligible, state: RoutingState): RankKey {
  const health = state.health[deployment.index]?.kind;
  const standby = member.weight === 0 ? 1 : 0;
  return [health === 'missing' ? 1 : 0, member.order, (health === 'loading' ? 2 : 0) + standby];
}

function compareKeys(a: RankKey, b: RankKey): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function orderRank(members: readonly Eligible[], input: OrderInput, group: ModelGroup): readonly Ranked[] {
  const scores = score(members, {
    plan: input.plan,
    state: input.state,
    facts: input.facts,
    group,
    random: input.random,
  });
  const ranked = members.map((one, index) => ({
    ...one,
    value: scores[index]?.value ?? 0,
    numbers: scores[index]?.numbers ?? {},
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
