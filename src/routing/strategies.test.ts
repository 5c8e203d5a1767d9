import { describe, expect, test } from 'vitest';
import { conditionOf, factsOf, type PlanOf, planOf, seededRandom } from '../../test/support/plan-of.ts';
import { chiSquare } from '../analysis/chi-square.ts';
import { groupIndex, milliseconds, seconds, tokens } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { decide } from './decide.ts';
import { applyRotation, createRoutingState } from './state.ts';

type Group = NonNullable<PlanOf['groups']>[string];

/** A group and a request, and the order in which its members would be tried. */
type Row = {
  readonly name: string;
  readonly group: Group;
  readonly deployments?: Exclude<PlanOf['deployments'], readonly string[]>;
  readonly facts?: Partial<RequestFacts>;
  readonly inFlight?: readonly number[];
  readonly health?: readonly (DeploymentHealth | undefined)[];
  readonly order: string;
  /** What the record says was compared, in the order of the deployments. */
  readonly numbers?: readonly Readonly<Record<string, number>>[];
};

const now = milliseconds(1000);
const price = (
  inputUsdPerToken: number,
  outputUsdPerToken: number,
): { price: { inputUsdPerToken: number; outputUsdPerToken: number } } => ({
  price: { inputUsdPerToken, outputUsdPerToken },
});
const missing: DeploymentHealth = { kind: 'missing', since: now };
const loading: DeploymentHealth = { kind: 'loading', since: now, readyAt: undefined };
const degraded: DeploymentHealth = { kind: 'degraded', since: now, why: 'recovering' };

function check({ group, deployments, facts, inFlight = [], health = [], order, numbers }: Row): void {
  const plan = planOf({ deployments: deployments ?? { 'a/m': {}, 'b/m': {}, 'c/m': {} }, groups: { m: group } });
  const state = createRoutingState(plan, now);
  inFlight.forEach((count, index) => {
    state.inFlight[index] = count;
  });
  health.forEach((one, index) => {
    if (one !== undefined) state.health[index] = one;
  });
  const decision = decide(plan, state, factsOf({ asked: 'm', ...facts }), now, () => 0.5);
  const names = decision.attempts.map((one) => plan.deployments[one.deployment]?.provider);
  expect(names.join(' ')).toBe(order);
  const compared = decision.candidates.toSorted((a, b) => a.deployment - b.deployment).map((one) => one.numbers);
  if (numbers !== undefined) expect(compared).toEqual(numbers);
}

const members = ['a/m', 'b/m', 'c/m'];
const threeClasses = { low: 'a/m', medium: 'b/m', high: 'c/m' };

describe('1.2: strategies', () => {
  test.each<Row>([
    { name: 'direct: as declared', group: members, order: 'a b c' },
    {
      name: 'lower order first',
      group: [
        { at: 'a/m', order: 3 },
        { at: 'b/m', order: 1 },
        { at: 'c/m', order: 2 },
      ],
      order: 'b c a',
    },
    { name: 'weight 0 is standby', group: [{ at: 'a/m', weight: 0 }, 'b/m', 'c/m'], order: 'b c a' },
    {
      name: 'standby of a lower order goes before a higher order',
      group: [{ at: 'a/m', order: 2 }, { at: 'b/m', weight: 0 }, 'c/m'],
      order: 'c b a',
    },
    { name: 'loading behind ready', group: members, health: [loading], order: 'b c a' },
    { name: 'missing behind all', group: ['a/m', { at: 'b/m', order: 2 }], health: [missing], order: 'b a' },

    // Equal draws: the larger weight has the larger draw.
    {
      name: 'simple_shuffle by weight',
      group: { strategy: 'simple_shuffle', members: [{ at: 'a/m', weight: 1 }, { at: 'b/m', weight: 3 }, 'c/m'] },
      order: 'b a c',
    },
    {
      name: 'simple_shuffle by rpm where there is no weight',
      deployments: {
        'a/m': { limit: { requestsPerMinute: 10, tokensPerMinute: 9 } },
        'b/m': { limit: { requestsPerMinute: 20, tokensPerMinute: undefined } },
      },
      group: { strategy: 'simple_shuffle', members: ['a/m', 'b/m'] },
      order: 'b a',
    },
    {
      name: 'simple_shuffle by tpm where there is no rpm',
      deployments: {
        'a/m': { limit: { requestsPerMinute: undefined, tokensPerMinute: 9 } },
        'b/m': { limit: { requestsPerMinute: undefined, tokensPerMinute: 10 } },
      },
      group: { strategy: 'simple_shuffle', members: ['a/m', 'b/m'] },
      order: 'b a',
    },
    {
      name: 'simple_shuffle gives what recovers a small share',
      group: {
        strategy: 'simple_shuffle',
        members: [
          { at: 'a/m', weight: 3 },
          { at: 'b/m', weight: 2 },
        ],
      },
      health: [degraded],
      order: 'b a',
    },
    {
      name: 'nothing but standby is an equal choice',
      group: {
        strategy: 'simple_shuffle',
        members: [
          { at: 'a/m', weight: 0 },
          { at: 'b/m', weight: 0 },
        ],
      },
      order: 'a b',
    },

    {
      name: 'least_busy by requests under way for each seat',
      deployments: { 'a/m': { seats: 1 }, 'b/m': { seats: 4 }, 'c/m': {} },
      group: { strategy: 'least_busy', members },
      inFlight: [1, 3, 2],
      order: 'b a c',
      numbers: [{ busy: 1 }, { busy: 0.75 }, { busy: 2 }],
    },
    {
      name: 'least_busy: equals by weight',
      group: {
        strategy: 'least_busy',
        members: [
          { at: 'a/m', weight: 1 },
          { at: 'b/m', weight: 5 },
        ],
      },
      inFlight: [1, 1],
      order: 'b a',
    },
    {
      name: 'least_busy: a large weight does not outweigh work',
      group: {
        strategy: 'least_busy',
        members: [
          { at: 'a/m', weight: 1 },
          { at: 'b/m', weight: 1e9 },
        ],
      },
      inFlight: [0, 1],
      order: 'a b',
    },

    {
      name: 'cost_based by the price of this request',
      deployments: { 'a/m': price(2, 1), 'b/m': price(1, 3), 'c/m': {} },
      group: { strategy: 'cost_based_routing', members },
      facts: { promptTokens: tokens(1000), maxOutputTokens: tokens(100) },
      order: 'b a c',
      numbers: [{ usd: 2100 }, { usd: 1300 }, {}],
    },
    {
      name: 'cost_based with a long answer',
      deployments: { 'a/m': price(2, 1), 'b/m': price(1, 3), 'c/m': price(0, 0) },
      group: { strategy: 'cost_based_routing', members },
      facts: { promptTokens: tokens(10), maxOutputTokens: tokens(1000) },
      order: 'c a b',
    },
    {
      name: 'most_capacity by context, then by work',
      deployments: {
        'a/m': { contextTokens: tokens(4096) },
        'b/m': { contextTokens: tokens(8192) },
        'c/m': { contextTokens: tokens(8192) },
      },
      group: { strategy: 'most_capacity', members },
      inFlight: [0, 5000, 1],
      order: 'c b a',
      numbers: [
        { context: 4096, busy: 0 },
        { context: 8192, busy: 5000 },
        { context: 8192, busy: 1 },
      ],
    },

    {
      name: 'complexity_based: low',
      group: { strategy: { name: 'complexity_based', classes: threeClasses }, members },
      facts: { promptTokens: tokens(10) },
      order: 'a b c',
    },
    {
      name: 'complexity_based: medium from 50 on',
      group: { strategy: { name: 'complexity_based', classes: threeClasses }, members },
      facts: { promptTokens: tokens(125) },
      order: 'b a c',
    },
    {
      name: 'complexity_based: a stream is a little less',
      group: { strategy: { name: 'complexity_based', classes: threeClasses }, members },
      facts: { promptTokens: tokens(125), stream: true },
      order: 'a b c',
    },
    {
      name: 'complexity_based: code is more',
      group: { strategy: { name: 'complexity_based', classes: threeClasses }, members },
      facts: { promptTokens: tokens(225), hasCodeFence: true },
      order: 'c a b',
    },
    {
      name: 'complexity_based: and so is the capability',
      group: { strategy: { name: 'complexity_based', classes: threeClasses }, members, capability: 'code_generation' },
      facts: { promptTokens: tokens(225) },
      order: 'c a b',
    },
    {
      name: 'complexity_based: so is work under way',
      group: { strategy: { name: 'complexity_based', classes: threeClasses }, members },
      facts: { promptTokens: tokens(100) },
      inFlight: [10, 10, 20],
      order: 'b a c',
    },
    {
      name: 'context_based: past 4096 tokens',
      group: {
        strategy: { name: 'context_based', classes: { large: 'c/m', standard: 'b/m', complex: 'a/m' } },
        members,
      },
      facts: { promptTokens: tokens(4097) },
      order: 'c a b',
    },
    {
      name: 'context_based: 4096 is standard',
      group: { strategy: { name: 'context_based', classes: { large: 'c/m', standard: 'b/m' } }, members },
      facts: { promptTokens: tokens(4096) },
      order: 'b a c',
    },
    {
      name: 'context_based: work in steps is complex',
      group: { strategy: { name: 'context_based', classes: { standard: 'b/m', complex: 'c/m' } }, members },
      facts: { isMultiStep: true },
      order: 'c a b',
    },
    {
      name: 'context_based: work in steps without a class of its own',
      group: { strategy: { name: 'context_based', classes: { standard: 'b/m' } }, members },
      facts: { isMultiStep: true },
      order: 'b a c',
    },
    {
      name: 'quality_based: entries whose condition holds, by weight',
      group: {
        strategy: 'quality_based',
        members: [
          { at: 'a/m', weight: 9, condition: conditionOf('quality_tier', '==', 'premium') },
          { at: 'b/m', weight: 1, condition: conditionOf('length', '<', 1000) },
          { at: 'c/m', weight: 2, condition: conditionOf('length', '<', 1000) },
        ],
      },
      facts: { qualityTier: 'standard' },
      order: 'c b',
    },
    {
      name: 'soonest: the declared order where nothing is known of anybody',
      group: { strategy: 'soonest', members },
      order: 'a b c',
    },
  ])('$name', (row) => check(row));
});

type Shares = {
  readonly name: string;
  readonly strategy: 'simple_shuffle' | 'weighted_round_robin';
  readonly weights: readonly (number | undefined)[];
  readonly health?: readonly (DeploymentHealth | undefined)[];
  /** Expected part of the requests for each member. */
  readonly shares: readonly number[];
};

const requests = 6000;

/** How often each member is chosen in many requests, turns of the rotors included. */
function countChosen({ strategy, weights, health = [] }: Shares, many: number): readonly number[] {
  const names = weights.map((_, index) => `p${index}/m`);
  const plan = planOf({
    deployments: names,
    groups: {
      m: {
        strategy,
        members: names.map((at, index) => {
          const weight = weights[index];
          return weight === undefined ? { at } : { at, weight };
        }),
      },
    },
  });
  const state = createRoutingState(plan, now);
  health.forEach((one, index) => {
    if (one !== undefined) state.health[index] = one;
  });
  const random = seededRandom(7);
  const counts = weights.map(() => 0);
  for (let sent = 0; sent < many; sent++) {
    const { attempts, rotation } = decide(plan, state, factsOf({ asked: 'm' }), now, random);
    const first = attempts[0]?.deployment ?? -1;
    counts[first] = (counts[first] ?? 0) + 1;
    if (rotation !== undefined) applyRotation(state, rotation);
  }
  return counts;
}

const shares: readonly Shares[] = [
  {
    name: 'equal',
    strategy: 'simple_shuffle',
    weights: [undefined, undefined, undefined],
    shares: [1 / 3, 1 / 3, 1 / 3],
  },
  { name: '.7 and .3', strategy: 'simple_shuffle', weights: [0.7, 0.3], shares: [0.7, 0.3] },
  { name: '5, 3, 2', strategy: 'simple_shuffle', weights: [5, 3, 2], shares: [0.5, 0.3, 0.2] },
  { name: 'standby', strategy: 'simple_shuffle', weights: [1, 0, 1], shares: [0.5, 0, 0.5] },
  { name: 'standby alone', strategy: 'simple_shuffle', weights: [0, 0], shares: [0.5, 0.5] },
  { name: 'one recovers', strategy: 'simple_shuffle', weights: [1, 1], health: [degraded], shares: [1 / 11, 10 / 11] },
  { name: 'equal', strategy: 'weighted_round_robin', weights: [undefined, undefined], shares: [0.5, 0.5] },
  { name: '.6 and .4', strategy: 'weighted_round_robin', weights: [0.6, 0.4], shares: [0.6, 0.4] },
  { name: '.5, .3, .2', strategy: 'weighted_round_robin', weights: [0.5, 0.3, 0.2], shares: [0.5, 0.3, 0.2] },
  { name: 'standby', strategy: 'weighted_round_robin', weights: [2, 0, 1], shares: [2 / 3, 0, 1 / 3] },
  { name: 'standby alone', strategy: 'weighted_round_robin', weights: [0, 0], shares: [0.5, 0.5] },
  {
    name: 'one recovers',
    strategy: 'weighted_round_robin',
    weights: [1, 1],
    health: [degraded],
    shares: [1 / 11, 10 / 11],
  },
  { name: 'one loads', strategy: 'weighted_round_robin', weights: [1, 1, 1], health: [loading], shares: [0, 0.5, 0.5] },
];

test.each(shares)('1.2: shares of $strategy, $name', (row) => {
  const counts = countChosen(row, requests);
  // Three standard deviations of a binomial share; a rotor is exact.
  row.shares.forEach((share, index) => {
    const slack = row.strategy === 'simple_shuffle' ? 3 * Math.sqrt(requests * share * (1 - share)) : 1;
    expect(Math.abs((counts[index] ?? 0) - requests * share)).toBeLessThanOrEqual(slack);
  });
});

test.each([[[0.7, 0.3]], [[5, 3, 2]], [[1, 1, 1, 1, 96]]])(
  '7: draws by the weights %j are what chance would give',
  (weights) => {
    const counts = countChosen({ name: '', strategy: 'simple_shuffle', weights, shares: [] }, requests);
    const sum = weights.reduce((all, one) => all + one, 0);
    const expected = weights.map((one) => (requests * one) / sum);
    expect(chiSquare(counts, expected).verdict).toBe('fits');
    // The same counts are no chance where all should have had the same.
    if (new Set(weights).size > 1)
      expect(
        chiSquare(
          counts,
          weights.map(() => requests / weights.length),
        ).verdict,
      ).toBe('differs');
  },
);

test('1.2: a round-robin keeps its shares within one request at every moment', () => {
  const weights = [0.5, 0.3, 0.2];
  for (let many = 1; many <= 40; many++) {
    const counts = countChosen({ name: '', strategy: 'weighted_round_robin', weights, shares: [] }, many);
    weights.forEach((weight, index) => {
      expect(Math.abs((counts[index] ?? 0) - weight * many)).toBeLessThanOrEqual(1);
    });
  }
});

test.each([
  [[1, 1, 1], 3],
  [[0.5, 0.3, 0.2], 10],
  [[1, 2, 4], 7],
])('1.2: a round-robin by %j is back at nothing after each %i requests, however many there were', (weights, round) => {
  const names = weights.map((_, index) => `p${index}/m`);
  const members = names.map((at, index) => ({ at, weight: weights[index] ?? 0 }));
  const plan = planOf({ deployments: names, groups: { m: { strategy: 'weighted_round_robin', members } } });
  const state = createRoutingState(plan, now);
  const group = groupIndex(0);
  const steps = Float64Array.from(weights, (one) => one / weights.reduce((sum, other) => sum + other, 0));
  const places = names.map((_, place) => place);
  const eligible = Float64Array.from(places);
  const rotor = state.rotors[0] ?? new Float64Array();
  for (let sent = 0; sent < 30_000 * round; sent++) {
    const after = places.map((place) => (rotor[place] ?? 0) + (steps[place] ?? 0));
    applyRotation(state, { group, eligible, steps, chosen: after.indexOf(Math.max(...after)) });
  }
  expect([...rotor]).toEqual(weights.map(() => 0));
  const { candidates } = decide(plan, state, factsOf({ asked: 'm' }), now, () => 0.5);
  expect(candidates.map(({ numbers }) => numbers['turn'])).toEqual(weights.map(() => 0));
});

test('1.2: what was loading does not get all requests at once when it is ready', () => {
  const plan = planOf({
    deployments: ['a/m', 'b/m'],
    groups: { m: { strategy: 'weighted_round_robin', members: ['a/m', 'b/m'] } },
  });
  const state = createRoutingState(plan, now);
  const chosen: (number | undefined)[] = [];
  const send = (): void => {
    const { attempts, rotation } = decide(plan, state, factsOf({ asked: 'm' }), now, () => 0.5);
    chosen.push(attempts[0]?.deployment);
    if (rotation !== undefined) applyRotation(state, rotation);
  };
  state.health[1] = { kind: 'loading', since: now, readyAt: milliseconds(now + seconds(1)) };
  for (let count = 0; count < 50; count++) send();
  state.health[1] = { kind: 'ready' };
  chosen.length = 0;
  for (let count = 0; count < 8; count++) send();
  expect(chosen.filter((one) => one === 1)).toHaveLength(4);
});
