import type { CandidateRecord, DecisionRecord } from '../contract/decision-record.ts';
import type { PoolShares } from '../contract/route-stats.ts';
import { chiSquare } from './chi-square.ts';

/** Strategies that choose by weight. */
const byWeight: ReadonlySet<string> = new Set(['weighted_round_robin', 'simple_shuffle', 'quality_based']);

type Tally = { readonly weight: number | null; expected: number; chosen: number };

/** The pools among decisions that share requests by weight, each with how its choices fit its weights. */
export function poolShares(records: readonly DecisionRecord[]): readonly PoolShares[] {
  const weighted = records.filter(({ group, strategy }) => group !== null && byWeight.has(strategy ?? ''));
  const pools = Map.groupBy(weighted, ({ group, strategy }) => `${group} ${strategy}`);
  return [...pools.values()].flatMap((pool) => sharesOf(pool)).toSorted((a, b) => b.requests - a.requests);
}

function sharesOf(records: readonly DecisionRecord[]): readonly PoolShares[] {
  const tallies = new Map<string, Tally>();
  let requests = 0;
  for (const record of records) {
    const members = record.candidates.filter((one) => one.group === record.group && one.source === 'group');
    // Where a rule, an order, an outage or the only free seat leaves one, no weight decides.
    const drawn = rankOfChosen(members);
    if (drawn.length < 2) continue;
    requests++;
    for (const one of drawn) {
      const tally = tallies.get(one.deployment) ?? { weight: one.weight, expected: 0, chosen: 0 };
      tally.expected += one.numbers['share'] ?? 0;
      if (one.position === 0) tally.chosen++;
      tallies.set(one.deployment, tally);
    }
  }
  const [first] = records;
  if (first?.group == null || first.strategy === null || requests === 0) return [];
  const entries = [...tallies];
  const sum = entries.reduce((so, [, { weight }]) => so + (weight ?? 0), 0);
  const members = entries
    .map(([deployment, { weight, expected, chosen }]) => ({
      deployment,
      declared: weight === null || sum === 0 ? null : weight / sum,
      expected,
      chosen,
    }))
    // Decisions list who was chosen first; a pool is to look the same each time.
    .toSorted((a, b) => b.expected - a.expected || a.deployment.localeCompare(b.deployment));
  const fit = chiSquare(
    members.map((one) => one.chosen),
    members.map((one) => one.expected),
  );
  const undecided = records.length - requests;
  return [{ group: first.group, strategy: first.strategy, requests, undecided, members, chiSquare: fit }];
}

/** Members among which the weights decided: those whose shares make up the whole with the chosen one. */
function rankOfChosen(members: readonly CandidateRecord[]): readonly CandidateRecord[] {
  const serving = members
    .filter((one) => one.position !== null && (one.numbers['share'] ?? 0) > 0)
    .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0));
  if (serving[0]?.position !== 0) return [];
  const rank: CandidateRecord[] = [];
  let sum = 0;
  for (const one of serving) {
    if (sum > 0.999_999) break;
    rank.push(one);
    sum += one.numbers['share'] ?? 0;
  }
  return rank;
}
