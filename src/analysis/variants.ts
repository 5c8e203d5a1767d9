import type { Member, ModelGroup, StrategyName } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';

/** Another way to share a pool. */
export type PoolChange = {
  readonly strategy: StrategyName;
  /** By member, in the order of the declaration; absent where the strategy uses none. */
  readonly weights: readonly number[] | undefined;
};

/** Strategies that share by weight, each as it is declared. */
const weighted: ReadonlySet<StrategyName> = new Set(['weighted_round_robin', 'simple_shuffle', 'quality_based']);
/** Strategies that look at how servers are instead. */
const observing: readonly StrategyName[] = [
  'least_busy',
  'soonest',
  'latency_based_routing',
  'fastest_response',
  'usage_based',
  'adaptive_weighted',
];

/** Ways to share a pool that are worth a try, besides the present one. */
export function poolChanges({ strategy, members }: ModelGroup): readonly PoolChange[] {
  const byWeight = weighted.has(strategy.name) ? strategy.name : 'weighted_round_robin';
  const present = sharesOf(members);
  const shares = (members.length === 2 ? tenths : shiftsOf(present)).filter(
    (one) => byWeight !== strategy.name || !isSame(one, present),
  );
  return [
    ...shares.map((weights) => ({ strategy: byWeight, weights })),
    ...observing.filter((name) => name !== strategy.name).map((name) => ({ strategy: name, weights: undefined })),
  ];
}

const tenths: readonly (readonly number[])[] = Array.from({ length: 9 }, (_none, index) => [
  (index + 1) / 10,
  (9 - index) / 10,
]);

/** Declared shares; equal where none is declared. */
function sharesOf(members: readonly Member[]): readonly number[] {
  const sum = members.reduce((so, { weight }) => so + (weight ?? 0), 0);
  return members.map(({ weight }) => (sum > 0 ? (weight ?? 0) / sum : 1 / members.length));
}

/** Each member with a tenth or two more or less, taken from or given to the others as they stand, and all equal. */
function shiftsOf(shares: readonly number[]): readonly (readonly number[])[] {
  const equal = shares.map(() => 1 / shares.length);
  const shifted = shares.flatMap((own, place) =>
    [-0.2, -0.1, 0.1, 0.2].flatMap((by) => {
      const wanted = own + by;
      if (wanted < 0 || wanted > 1 || own >= 1) return [];
      return [shares.map((one, at) => (at === place ? wanted : (one * (1 - wanted)) / (1 - own)))];
    }),
  );
  return [equal, ...shifted];
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.every((one, at) => Math.abs(one - (b[at] ?? 0)) < 1e-9);
}

/** A plan whose pool is shared otherwise, and which is the same in everything else. */
export function withChange(plan: Plan, group: ModelGroup, { strategy, weights }: PoolChange): Plan {
  const changed: ModelGroup = {
    ...group,
    strategy: { ...group.strategy, name: strategy },
    members: group.members.map((member, place) =>
      weights === undefined ? member : { ...member, weight: weights[place] ?? 0 },
    ),
  };
  return { ...plan, groups: plan.groups.map((one) => (one === group ? changed : one)) };
}
