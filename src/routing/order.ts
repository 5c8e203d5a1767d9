import type { Candidate, Rotation } from '../plan/decision.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import { type Excluded, filterFor, tagFilter } from './filter.ts';
import { highest } from './highest.ts';
import { membersOf, type Placed } from './members.ts';
import { type RankInput, ranking, reasonsFor } from './rank.ts';
import { score } from './strategies.ts';

/** A member that may serve, with what its strategy compared. */
export type Ranked = Pick<Placed, 'deployment' | 'member'> & { readonly numbers: Candidate['numbers'] };

/** A member that cannot serve. */
type Passed = Pick<Placed, 'deployment' | 'member' | 'place'> & { readonly why: Excluded };

/** Members of a group in the order in which they would serve, and those that cannot with the reason. */
export type Ordered = {
  /** At most {@link mostServing} of them: no request is tried so often. */
  readonly serving: readonly Ranked[];
  /** How many more could serve. */
  readonly further: number;
  readonly excluded: readonly Passed[];
  /** The turn that a round-robin makes when its first choice is used. */
  readonly rotation: Rotation | undefined;
};

/** Members that are put in order; a pool of thousands has more than any request could try. */
const mostServing = 50;

/** What ordering needs besides the filters and the ranks. */
export type OrderInput = RankInput & { readonly random: () => number };

/**
 * Puts a group's members in order: what may serve falls into ranks, the best first (rank.ts), and
 * within a rank the strategy decides (strategies.ts).
 */
export function orderGroup(input: OrderInput, group: ModelGroup): Ordered {
  const { eligible, ranks, excluded } = sift(input, group);
  const scoring = { ...input, group };
  const serving: Ranked[] = [];
  let rotation: Rotation | undefined;
  for (const { rank, peers } of ranks) {
    const most = mostServing - serving.length;
    if (most === 0) break;
    const { values, numbersAt, steps } = score(peers, scoring);
    const first = highest(values, most);
    const reasons = ranks.length === 1 ? undefined : reasonsFor(rank);
    for (const index of first) {
      const one = peers[index];
      if (one === undefined) continue;
      const numbers = numbersAt(index);
      serving.push({
        deployment: one.deployment,
        member: one.member,
        numbers: reasons === undefined ? numbers : { ...numbers, ...reasons },
      });
    }
    // Only peers of the chosen member turn: what stands behind them gathers no steps for the day it is ready.
    if (rotation === undefined && steps !== undefined) rotation = turnOf(group, peers, first, steps);
  }
  return { serving, further: eligible.length - serving.length, excluded, rotation };
}

/** Members of one rank: only the strategy tells them apart. */
type Rank = { readonly rank: number; readonly peers: readonly Placed[] };

/** What may serve, by ranks, the first to serve first, and what cannot. Mostly nobody is out and all are of one rank. */
function sift(
  input: OrderInput,
  group: ModelGroup,
): { eligible: readonly Placed[]; ranks: readonly Rank[]; excluded: readonly Passed[] } {
  const members = membersOf(input.plan, group);
  const filter = filterFor(input, { group, tags: tagFilter(input, group) });
  const rankOf = ranking(input, group);
  const excluded: Passed[] = [];
  let common: number | undefined;
  let isCommon = true;
  for (const one of members) {
    const why = filter(one);
    if (why !== undefined) {
      excluded.push({ deployment: one.deployment, member: one.member, place: one.place, why });
      continue;
    }
    const rank = rankOf(one);
    common ??= rank;
    if (rank !== common) isCommon = false;
  }
  const eligible = without(members, excluded);
  if (common === undefined) return { eligible, ranks: [], excluded };
  return { eligible, ranks: isCommon ? [{ rank: common, peers: eligible }] : byRank(eligible, rankOf), excluded };
}

/** The members but for those that are out, in the same order. */
function without(members: readonly Placed[], out: readonly Pick<Placed, 'place'>[]): readonly Placed[] {
  if (out.length === 0) return members;
  let passed = 0;
  return members.filter(({ place }) => {
    if (out[passed]?.place !== place) return true;
    passed++;
    return false;
  });
}

function byRank(eligible: readonly Placed[], rankOf: (one: Placed) => number): readonly Rank[] {
  const ranks = new Map<number, Placed[]>();
  for (const one of eligible) {
    const rank = rankOf(one);
    const peers = ranks.get(rank);
    if (peers === undefined) ranks.set(rank, [one]);
    else peers.push(one);
  }
  return [...ranks].map(([rank, peers]) => ({ rank, peers })).sort((a, b) => a.rank - b.rank);
}

/** The turn that choosing the first of a rank makes. */
function turnOf(
  group: ModelGroup,
  peers: readonly Placed[],
  first: readonly number[],
  steps: Float64Array,
): Rotation | undefined {
  const chosen = peers[first[0] ?? 0];
  if (chosen === undefined) return undefined;
  const eligible = new Float64Array(peers.length);
  let at = 0;
  for (const { place } of peers) eligible[at++] = place;
  return { group: group.index, chosen: chosen.place, eligible, steps };
}
