/**
 * What a decision costs, in microseconds: `node bench/decide/run.ts`. The aim is less than 10 µs
 * with 50 deployments and less than 100 µs with 2,000. A plan of pools of five is what people
 * write; one pool of everything is the worst that they can.
 */
import { milliseconds } from '../../src/plan/ids.ts';
import type { StrategyName } from '../../src/plan/model-group.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { decide } from '../../src/routing/decide.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { factsOf, planOf, seededRandom } from '../../test/support/plan-of.ts';

const poolSize = 5;
const sizes = [50, 2000];
const strategies: readonly StrategyName[] = [
  'direct',
  'simple_shuffle',
  'weighted_round_robin',
  'least_busy',
  'usage_based_routing',
  'usage_based',
  'latency_based_routing',
  'fastest_response',
  'cost_based_routing',
  'most_capacity',
  'complexity_based',
  'context_based',
  'quality_based',
  'adaptive_weighted',
  'soonest',
];

function makePlan(deployments: number, members: number, strategy: StrategyName): Plan {
  const names = Array.from({ length: deployments }, (_, index) => `provider-${index}/model`);
  const pools = Array.from({ length: deployments / members }, (_, pool) => {
    const own = names.slice(pool * members, (pool + 1) * members);
    const fallback = [names[((pool + 1) * members) % deployments] ?? ''];
    return [`pool-${pool}`, { strategy, members: own.map((at, index) => ({ at, weight: (index % 4) + 1 })), fallback }];
  });
  return planOf({ deployments: names, groups: Object.fromEntries(pools) });
}

/**
 * Microseconds of one decision of a gateway that has made some before: the lower quartile of many
 * rounds, since what else the machine does only adds to some of them.
 */
function measure(plan: Plan): number {
  const state = createRoutingState(plan, milliseconds(0));
  const random = seededRandom(1);
  const requests = plan.groups.map((group) => factsOf({ asked: group.name }));
  const rounds = 41;
  const warmUp = 10;
  const perRound = Math.max(40, Math.ceil(20_000 / (plan.groups[0]?.members.length ?? 1)));
  const times: number[] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let count = 0; count < perRound; count++) {
      decide(plan, state, requests[count % requests.length] ?? factsOf(), milliseconds(1), random);
    }
    if (round >= 0) times.push(Number(process.hrtime.bigint() - start) / perRound / 1000);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 4)] ?? Number.NaN;
}

const columns = sizes.flatMap((size) => [
  { title: `${size}, pools of ${poolSize}`, size, members: poolSize },
  { title: `${size}, one pool`, size, members: size },
]);
console.log(['µs a decision'.padEnd(22), ...columns.map(({ title }) => title.padStart(20))].join(''));
for (const strategy of strategies) {
  const cells = columns.map(({ size, members }) =>
    measure(makePlan(size, members, strategy))
      .toFixed(1)
      .padStart(20),
  );
  console.log([strategy.padEnd(22), ...cells].join(''));
}
