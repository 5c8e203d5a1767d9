import type { Candidate, Rotation } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { ProviderId } from '../plan/ids.ts';
import type { Member, ModelGroup, StrategyName } from '../plan/model-group.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import { type Excluded, exclusionOf, type FilterInput, tagFilter } from './filter.ts';
import { seatFor } from './seats.ts';
import { type Eligible, rotorSteps } from './shares.ts';
import { score } from './strategies.ts';

/** A member that may serve, in its place, with what its strategy compared. */
export type Ranked = Eligible & { readonly numbers: Candidate['numbers'] };

/** Members of a group in the order in which they would serve, and those that cannot with the reason. */
export type Ordered = {
  /** At most {@link mostServing} of them: no request is tried so often. */
  readonly serving: readonly Ranked[];
  /** How many more could serve. */
  readonly further: number;
  readonly excluded: readonly { readonly member: Member; readonly deployment: Deployment; readonly why: Excluded }[];
  /** The turn that a round-robin makes when its first choice is used. */
  readonly rotation: Rotation | undefined;
};

/** Members that are put in order; a pool of thousands has more than any request could try. */
export const mostServing = 100;

/** What ordering needs besides the filters. */
export type OrderInput = FilterInput & {
  readonly random: () => number;
  /** Providers that a rule by metadata puts at the front, the first rule's before the next one's. */
  readonly preferred?: readonly ProviderId[];
};

/**
 * Puts a group's members in order. They fall into ranks first: what a rule prefers before the rest,
 * a lower order before a higher one, near before far, ready before loading, in memory before out of
 * it, weighted before standby, a free seat before none, and what its server does not list behind all. Within a rank the
 * strategy decides.
 */
export function orderGroup(input: OrderInput, group: ModelGroup): Ordered {
  const eligible: Eligible[] = [];
  const excluded: { member: Member; deployment: Deployment; why: Excluded }[] = [];
  const tags = tagFilter(input, group);
  for (let place = 0; place < group.members.length; place++) {
    const member = group.members[place];
    if (member === undefined) continue;
    const deployment = deploymentAt(input.plan, member.deployment);
    const why = exclusionOf(input, deployment, { group, member, tags });
    if (why === undefined) eligible.push({ member, place, deployment });
    else excluded.push({ member, deployment, why });
  }
  const ranks = intoRanks(eligible, input, group);
  const [first = []] = ranks;
  const serving: Ranked[] = [];
  for (const rank of ranks) {
    if (serving.length < mostServing) serving.push(...orderRank(rank, input, group, mostServing - serving.length));
  }
  const further = eligible.length - serving.length;
  return { serving, further, excluded, rotation: rotationOf(input, group, first, serving[0]) };
}

/** Groups members that only the strategy can tell apart, the first to serve first. */
function intoRanks(
  eligible: readonly Eligible[],
  input: OrderInput,
  group: ModelGroup,
): readonly (readonly Eligible[])[] {
  const [first] = eligible;
  if (first === undefined) return [];
  const common = rankOf(first, input, group);
  if (eligible.every((one) => rankOf(one, input, group) === common)) return [eligible];
  const ranks = new Map<number, Eligible[]>();
  for (const one of eligible) {
    const rank = rankOf(one, input, group);
    const peers = ranks.get(rank);
    if (peers === undefined) ranks.set(rank, [one]);
    else peers.push(one);
  }
  return [...ranks].sort(([a], [b]) => a - b).map(([, peers]) => peers);
}

/** One number for what goes before the strategy, its largest part first. */
function rankOf({ member, deployment }: Eligible, input: OrderInput, group: ModelGroup): number {
  const { plan, state, preferred } = input;
  const { preferWarm, geographic } = plan.settings.routing;
  const health = state.health[deployment.index]?.kind;
  const residence = preferWarm.enabled ? state.observations[deployment.index]?.residency?.kind : undefined;
  const isFar = geographic.enabled && geographic.preferLocal && !isLocal(plan, deployment);
  // The strategy that weighs load times against everything else weighs them here too.
  const ranksLoads = group.strategy.name !== 'soonest';
  return (
    (health === 'missing' ? behindEveryOrder : 0) +
    (preferred === undefined ? 0 : placeOf(deployment.provider, preferred) * beforeEveryOrder) +
    member.order * 32 +
    (isFar ? 16 : 0) +
    (ranksLoads && health === 'loading' ? 8 : 0) +
    (ranksLoads && (residence === 'unloaded' || residence === 'loading') ? 4 : 0) +
    (member.weight === 0 ? 2 : 0) +
    (sharing.has(group.strategy.name) && isTaken(input, deployment) ? 1 : 0)
  );
}

/** Strategies that spread requests over equals: there a request does not wait for one while another is idle. */
const sharing: ReadonlySet<StrategyName> = new Set(['simple_shuffle', 'weighted_round_robin']);

/** Whether a request for a deployment would have to wait for a seat now. */
function isTaken(input: OrderInput, { index, backendModel }: Deployment): boolean {
  const queue = input.state.seats.queueOf[index];
  if (queue === undefined || queue.busy === 0) return false;
  return seatFor(input, { deployment: index, model: backendModel }) !== 'free';
}

const beforeEveryOrder = 2 ** 32;
const behindEveryOrder = 2 ** 48;

function placeOf(provider: ProviderId, preferred: readonly ProviderId[]): number {
  const place = preferred.indexOf(provider);
  return place === -1 ? preferred.length : place;
}

function isLocal({ providers }: Plan, { provider }: Deployment): boolean {
  return providers.get(provider)?.tier === 'local';
}

/** The first members of a rank by its group's strategy; equals keep their declared order. */
function orderRank(
  members: readonly Eligible[],
  { plan, state, facts, now, random }: OrderInput,
  group: ModelGroup,
  most: number,
): readonly Ranked[] {
  const { values, numbersAt } = score(members, { plan, state, facts, group, now, random });
  return highest(values, most).flatMap((index) => {
    const one = members[index];
    return one === undefined ? [] : [{ ...one, numbers: numbersAt(index) }];
  });
}

/**
 * Indices of the highest values, the highest first, equals in their order. Each is inserted where it
 * belongs: for the few members of a pool that is three times as quick as a sort with a comparison.
 */
function highest(values: readonly number[], most: number): readonly number[] {
  // Of many, those are left out first that cannot be among the highest.
  const least = values.length > most ? Float64Array.from(values).sort().at(-most) : undefined;
  const indices: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? lowest;
    if (least !== undefined && value < least) continue;
    let at = indices.length;
    for (; at > 0 && (values[indices[at - 1] ?? 0] ?? lowest) < value; at--) indices[at] = indices[at - 1] ?? 0;
    indices[at] = index;
  }
  return indices.length > most ? indices.slice(0, most) : indices;
}

const lowest = Number.NEGATIVE_INFINITY;

/** Only peers of the chosen member turn: what stands behind them gathers no steps for the day it is ready. */
function rotationOf(
  input: OrderInput,
  group: ModelGroup,
  peers: readonly Eligible[],
  chosen: Eligible | undefined,
): Rotation | undefined {
  if (chosen === undefined || group.strategy.name !== 'weighted_round_robin') return undefined;
  return {
    group: group.index,
    chosen: chosen.place,
    eligible: peers.map(({ place }) => place),
    steps: rotorSteps(peers, input),
  };
}
