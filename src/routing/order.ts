import type { Candidate, Rotation } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { ProviderId } from '../plan/ids.ts';
import type { ModelGroup, StrategyName } from '../plan/model-group.ts';
import type { Residency } from '../plan/residency.ts';
import { type Excluded, exclusionOf, type FilterInput, tagFilter } from './filter.ts';
import { highest } from './highest.ts';
import { membersOf, type Placed } from './members.ts';
import { seatFor } from './seats.ts';
import { each, type StrategyInput } from './shares.ts';
import { score } from './strategies.ts';

/** A member that may serve, in its place, with what its strategy compared. */
export type Ranked = Placed & { readonly numbers: Candidate['numbers'] };

/** Members of a group in the order in which they would serve, and those that cannot with the reason. */
export type Ordered = {
  /** At most {@link mostServing} of them: no request is tried so often. */
  readonly serving: readonly Ranked[];
  /** How many more could serve. */
  readonly further: number;
  readonly excluded: readonly (Placed & { readonly why: Excluded })[];
  /** The turn that a round-robin makes when its first choice is used. */
  readonly rotation: Rotation | undefined;
};

/** Members that are put in order; a pool of thousands has more than any request could try. */
const mostServing = 100;

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
  const members = membersOf(input.plan, group);
  const within = { group, tags: tagFilter(input, group) };
  const excluded: (Placed & { readonly why: Excluded })[] = [];
  for (const one of members) {
    const why = exclusionOf(input, one, within);
    if (why !== undefined) excluded.push({ ...one, why });
  }
  const eligible = without(members, excluded);
  const scoring = { ...input, group };
  const serving: Ranked[] = [];
  let rotation: Rotation | undefined;
  const rankOf = ranking(input, group);
  const ranks = intoRanks(eligible, rankOf);
  for (const rank of ranks) {
    const most = mostServing - serving.length;
    if (most === 0) break;
    const ordered = orderRank(rank, scoring, most);
    serving.push(...(ranks.length === 1 ? ordered.first : withReasons(ordered.first, rankOf)));
    // Only peers of the chosen member turn: what stands behind them gathers no steps for the day it is ready.
    rotation ??= ordered.rotation;
  }
  return { serving, further: eligible.length - serving.length, excluded, rotation };
}

/** Mostly nobody is out: then the list is what it was. */
function without(members: readonly Placed[], excluded: readonly Placed[]): readonly Placed[] {
  if (excluded.length === 0) return members;
  const out = new Set(excluded.map(({ place }) => place));
  return members.filter(({ place }) => !out.has(place));
}

/** Groups members that only the strategy can tell apart, the first to serve first. */
function intoRanks(eligible: readonly Placed[], rankOf: (one: Placed) => number): readonly (readonly Placed[])[] {
  const [first] = eligible;
  if (first === undefined) return [];
  const common = rankOf(first);
  if (eligible.every((one) => rankOf(one) === common)) return [eligible];
  const ranks = new Map<number, Placed[]>();
  for (const one of eligible) {
    const rank = rankOf(one);
    const peers = ranks.get(rank);
    if (peers === undefined) ranks.set(rank, [one]);
    else peers.push(one);
  }
  return [...ranks].sort(([a], [b]) => a - b).map(([, peers]) => peers);
}

/** What puts a member behind others of its order, whatever the strategy says; each is one bit of its rank. */
const behind = { no_free_seat: 1, standby: 2, not_in_memory: 4, loading: 8, far: 16 } as const;

/** Members of one rank with what put it there: without that their numbers would not explain their place. */
function withReasons(peers: readonly Ranked[], rankOf: (one: Placed) => number): readonly Ranked[] {
  const [first] = peers;
  const rank = first === undefined ? 0 : rankOf(first);
  const bits = rank % 32;
  const reasons = Object.entries(behind).flatMap(([name, bit]) => ((bits & bit) === 0 ? [] : [[name, 1]]));
  if (rank >= behindEveryOrder) reasons.push(['not_listed', 1]);
  if (reasons.length === 0) return peers;
  const told = Object.fromEntries(reasons) as Record<string, number>;
  return peers.map((one) => ({ ...one, numbers: { ...one.numbers, ...told } }));
}

/** One number for what goes before the strategy, its largest part first. */
function ranking(input: OrderInput, { strategy }: ModelGroup): (one: Placed) => number {
  const { plan, state, preferred } = input;
  const { preferWarm, geographic } = plan.settings.routing;
  const ranksFar = geographic.enabled && geographic.preferLocal;
  // The strategy that weighs load times against everything else weighs them here too.
  const ranksLoads = strategy.name !== 'soonest';
  const ranksWarm = ranksLoads && preferWarm.enabled;
  const isSharing = sharing.has(strategy.name);
  return ({ member, deployment, isLocal }) => {
    const health = state.health[deployment.index]?.kind;
    return (
      (health === 'missing' ? behindEveryOrder : 0) +
      (preferred === undefined ? 0 : placeOf(deployment.provider, preferred) * beforeEveryOrder) +
      member.order * 32 +
      (ranksFar && !isLocal ? behind.far : 0) +
      (ranksLoads && health === 'loading' ? behind.loading : 0) +
      (ranksWarm && isCold(state.observations[deployment.index]?.residency) ? behind.not_in_memory : 0) +
      (member.weight === 0 ? behind.standby : 0) +
      (isSharing && isTaken(input, deployment) ? behind.no_free_seat : 0)
    );
  };
}

function isCold(residency: Residency | undefined): boolean {
  return residency?.kind === 'unloaded' || residency?.kind === 'loading';
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

/** A rank's first members by its group's strategy, equals in their declared order, and the turn that choosing the first one makes. */
function orderRank(
  members: readonly Placed[],
  input: StrategyInput,
  most: number,
): { readonly first: readonly Ranked[]; readonly rotation: Rotation | undefined } {
  const { values, numbersAt, steps } = score(members, input);
  const first: Ranked[] = [];
  for (const index of highest(values, most)) {
    const one = members[index];
    if (one !== undefined) first.push({ ...one, numbers: numbersAt(index) });
  }
  const [chosen] = first;
  if (steps === undefined || chosen === undefined) return { first, rotation: undefined };
  const eligible = each(members, ({ place }) => place);
  return { first, rotation: { group: input.group.index, chosen: chosen.place, eligible, steps } };
}
