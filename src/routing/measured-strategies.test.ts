import { describe, expect, test } from 'vitest';
import { factsOf, type PlanOf, planOf, seededRandom } from '../../test/support/plan-of.ts';
import { type DeploymentIndex, deploymentIndex, milliseconds, providerId } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { decide } from './decide.ts';
import { measureAnswer, measureFailure, measureTokens, tokensThisMinute } from './performance.ts';
import { createRoutingState } from './state.ts';

type Group = NonNullable<PlanOf['groups']>[string];
type Answer = readonly [totalMs: number, firstTokenMs: number | undefined, outputTokens: number | undefined];

/** What was measured of three deployments, and the order in which they would be tried. */
type Row = {
  readonly name: string;
  readonly group: Group;
  readonly answers?: Readonly<Record<string, readonly Answer[]>>;
  readonly failures?: Readonly<Record<string, number>>;
  readonly tokens?: Readonly<Record<string, number>>;
  readonly prices?: Readonly<Record<string, number>>;
  readonly inFlight?: Readonly<Record<string, number>>;
  readonly seats?: number;
  readonly clouds?: readonly string[];
  readonly facts?: Partial<RequestFacts>;
  readonly order: string;
  /** What the record says was compared. */
  readonly numbers?: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

/** Who would be tried, in order, and the numbers of each. */
type Decided = { readonly order: readonly string[]; readonly numbers: Required<Row>['numbers'] };

const now = milliseconds(120_000);
const names = ['a', 'b', 'c'] as const;

function play(row: Row, random: () => number): readonly string[] {
  return decided(row, random).order;
}

function decided(row: Row, random: () => number): Decided {
  const plan = planOf({
    deployments: Object.fromEntries(
      names.map((name) => [
        `${name}/m`,
        {
          ...(row.prices?.[name] === undefined
            ? {}
            : { price: { inputUsdPerToken: row.prices[name], outputUsdPerToken: row.prices[name] } }),
          ...(row.seats === undefined ? {} : { seats: row.seats }),
        },
      ]),
    ),
    groups: { m: row.group },
    providers: Object.fromEntries((row.clouds ?? []).map((name) => [name, { tier: 'cloud_standard' as const }])),
  });
  const state = createRoutingState(plan, now);
  const at = (name: string): DeploymentIndex => {
    const index = plan.deployments.findIndex((one) => one.provider === providerId(name));
    return deploymentIndex(index);
  };
  for (const [name, list] of Object.entries(row.answers ?? {})) {
    for (const [totalMs, firstTokenMs, outputTokens] of list)
      measureAnswer(state.performance, at(name), { totalMs, firstTokenMs, outputTokens, furtherTokens: 0 }, now);
  }
  for (const [name, count] of Object.entries(row.failures ?? {}))
    for (let failed = 0; failed < count; failed++) measureFailure(state.performance, at(name));
  for (const [name, count] of Object.entries(row.tokens ?? {})) measureTokens(state.performance, at(name), count, now);
  for (const [name, count] of Object.entries(row.inFlight ?? {})) state.inFlight[at(name)] = count;
  const decision = decide(plan, state, factsOf({ asked: 'm', ...row.facts }), now, random);
  const nameOf = (deployment: number): string => plan.deployments[deployment]?.provider ?? '';
  const rounded = (value: number): number => Math.round(value * 1000) / 1000;
  return {
    order: decision.attempts.map((one) => nameOf(one.deployment)),
    numbers: Object.fromEntries(
      decision.candidates.map(({ deployment, numbers }) => [
        nameOf(deployment),
        Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, rounded(value)])),
      ]),
    ),
  };
}

const all = ['a/m', 'b/m', 'c/m'];
const one = (totalMs: number, outputTokens = 10): readonly Answer[] => [[totalMs, undefined, outputTokens]];

describe('1.2 strategies that measure', () => {
  test.each<Row>([
    {
      name: 'usage-based-routing: the fewest tokens this minute',
      group: { strategy: 'usage_based_routing', members: all },
      tokens: { a: 300, b: 100, c: 200 },
      order: 'b c a',
      numbers: { a: { tokens: 300 }, b: { tokens: 100 }, c: { tokens: 200 } },
    },
    {
      name: 'latency-based-routing: the lowest time a token',
      group: { strategy: 'latency_based_routing', members: all },
      answers: { a: one(900), b: one(300), c: one(500) },
      order: 'b c a',
    },
    {
      name: 'latency-based-routing: what was never measured goes first',
      group: { strategy: 'latency_based_routing', members: all },
      answers: { a: one(100), b: one(300) },
      order: 'c a b',
      numbers: { a: { ms: 10 }, b: { ms: 30 }, c: {} },
    },
    {
      name: 'latency-based-routing: for streams the time to the first token',
      group: { strategy: 'latency_based_routing', members: all },
      answers: { a: [[1000, 10, 10]], b: [[500, 300, 10]], c: [[100, 90, 10]] },
      facts: { stream: true },
      order: 'a c b',
    },
    {
      name: 'latency-based-routing: a whole answer is compared by whole answers',
      group: { strategy: 'latency_based_routing', members: all },
      answers: { a: [[1000, 10, 10]], b: [[500, 300, 10]], c: [[100, 90, 10]] },
      order: 'c b a',
    },
    {
      name: 'fastest_response: the lowest 95th percentile to the first token, whatever the usual one is',
      group: { strategy: 'fastest_response', members: all },
      answers: {
        a: Array.from({ length: 20 }, (_none, index): Answer => [1000, index < 17 ? 10 : 2000, 5]),
        b: Array.from({ length: 20 }, (): Answer => [1000, 400, 5]),
        c: Array.from({ length: 20 }, (_none, index): Answer => [1000, index < 19 ? 600 : 9000, 5]),
      },
      order: 'b c a',
    },
    {
      name: 'usage_based: speed, success and cheapness together',
      group: { strategy: 'usage_based', members: all },
      answers: { a: one(100), b: one(100), c: one(100) },
      failures: { a: 5 },
      prices: { a: 1e-6, b: 1e-5, c: 1e-6 },
      order: 'c b a',
    },
    {
      name: 'usage_based: each as a part of the best, and what is not known as the middle of what is',
      group: { strategy: 'usage_based', members: all },
      answers: { a: one(100), b: one(200) },
      prices: { a: 2e-6, b: 1e-6 },
      order: 'a c b',
      numbers: {
        a: { score: 0.9, speed: 1, success: 1, cheapness: 0.5 },
        b: { score: 0.8, speed: 0.5, success: 1, cheapness: 1 },
        c: { score: 0.85, speed: 0.75, success: 1, cheapness: 0.75 },
      },
    },
    {
      name: 'usage_based: what costs nothing is the cheapest',
      group: { strategy: 'usage_based', members: all },
      prices: { a: 1e-6, b: 0 },
      order: 'b c a',
      numbers: {
        a: { score: 0.8, speed: 1, success: 1, cheapness: 0 },
        b: { score: 1, speed: 1, success: 1, cheapness: 1 },
        c: { score: 0.9, speed: 1, success: 1, cheapness: 0.5 },
      },
    },
    {
      name: 'usage_based: declared factors decide what counts',
      group: {
        strategy: { name: 'usage_based', factors: { speed: 1, success: 0, cost: 0 } },
        members: all,
      },
      answers: { a: one(100), b: one(300), c: one(200) },
      failures: { a: 5 },
      order: 'a c b',
    },
    {
      name: 'usage_based: what nobody has measured or priced counts as the middle, in declared order',
      group: { strategy: 'usage_based', members: all },
      order: 'a b c',
    },
    {
      name: 'adaptive_weighted: a cloud joins only when every local deployment is saturated',
      group: {
        strategy: 'adaptive_weighted',
        members: [
          { at: 'c/m', weight: 100 },
          { at: 'a/m', weight: 0.5 },
          { at: 'b/m', weight: 1 },
        ],
      },
      clouds: ['c'],
      seats: 5,
      inFlight: { a: 3, b: 3 },
      order: 'b a c',
    },
    {
      name: 'adaptive_weighted: past the threshold the cloud takes its share',
      group: {
        strategy: { name: 'adaptive_weighted', saturationThreshold: 0.8 },
        members: [
          { at: 'c/m', weight: 100 },
          { at: 'a/m', weight: 2 },
          { at: 'b/m', weight: 1 },
        ],
      },
      clouds: ['c'],
      seats: 5,
      inFlight: { a: 4, b: 4 },
      order: 'c a b',
    },
    {
      name: 'adaptive_weighted: where all are full they still stand by their weights',
      group: {
        strategy: 'adaptive_weighted',
        members: [
          { at: 'a/m', weight: 1 },
          { at: 'b/m', weight: 9 },
          { at: 'c/m', weight: 3 },
        ],
      },
      seats: 1,
      inFlight: { a: 1, b: 1, c: 1 },
      order: 'b c a',
    },
  ])('$name', (row) => {
    const { order, numbers } = decided(row, () => 0.5);
    expect(order.join(' ')).toBe(row.order);
    if (row.numbers !== undefined) expect(numbers).toEqual(row.numbers);
  });

  test('latency-based-routing: those within the buffer of the lowest share evenly, the others follow', () => {
    const random = seededRandom(7);
    const row: Row = {
      name: '',
      group: { strategy: { name: 'latency_based_routing', latencyBuffer: 0.5 }, members: all },
      answers: { a: one(100), b: one(140), c: one(160) },
      order: '',
    };
    const firsts = { a: 0, b: 0, c: 0 };
    for (let round = 0; round < 2000; round++) {
      const [first, , last] = play(row, random);
      if (first === 'a' || first === 'b' || first === 'c') firsts[first]++;
      expect(last).toBe('c');
    }
    // 2,000 even draws lie within five standard deviations (112) of a half, and c is never among them.
    expect(Math.abs(firsts.a - 1000)).toBeLessThan(112);
    expect(firsts.c).toBe(0);
  });

  test('adaptive_weighted: failures and busy seats lower a share', () => {
    const random = seededRandom(11);
    const counts: Record<string, number> = {};
    for (let round = 0; round < 4000; round++) {
      const [first = ''] = play(
        {
          name: '',
          group: { strategy: 'adaptive_weighted', members: all },
          failures: { a: 3 },
          answers: { b: one(100), c: one(100) },
          seats: 4,
          inFlight: { b: 2 },
          order: '',
        },
        random,
      );
      counts[first] = (counts[first] ?? 0) + 1;
    }
    // Success of a is .8³ = .512, b is half full, c is free: .512 : .5 : 1 of 4,000.
    const sum = 0.512 + 0.5 + 1;
    for (const [name, weight] of Object.entries({ a: 0.512, b: 0.5, c: 1 }))
      expect(Math.abs((counts[name] ?? 0) - (4000 * weight) / sum)).toBeLessThan(160);
  });
});

describe('1.2 what is measured', () => {
  const plan = planOf({ deployments: ['a/m'], groups: {} });
  const [a] = plan.deployments;
  const index = a?.index ?? deploymentIndex(0);

  test('tokens of the last minute slide out of it', () => {
    const { performance } = createRoutingState(plan, milliseconds(0));
    measureTokens(performance, index, 100, milliseconds(1000));
    measureTokens(performance, index, 50, milliseconds(31_000));
    expect(
      [1, 31, 59, 66, 90, 96, 1000].map((second) => tokensThisMinute(performance, index, milliseconds(second * 1000))),
    ).toEqual([150, 150, 150, 50, 50, 0, 0]);
  });

  test('a deployment that stays keeps what was measured of it, whatever its place', () => {
    const state = createRoutingState(plan, now);
    measureAnswer(
      state.performance,
      index,
      { totalMs: 100, firstTokenMs: 40, outputTokens: 10, furtherTokens: 10 },
      now,
    );
    const larger = planOf({ deployments: ['b/m', 'a/m'], groups: {} });
    const moved = larger.deployments.map((deployment) =>
      deployment.provider === a?.provider && a !== undefined
        ? { ...deployment, id: a.id }
        : { ...deployment, id: deployment.id },
    );
    const next = createRoutingState({ ...larger, deployments: moved }, now, { plan, state }).performance;
    const place = moved.find((one) => one.id === a?.id)?.index ?? deploymentIndex(0);
    expect([next.msPerToken[place], next.firstTokenP95[place], tokensThisMinute(next, place, now)]).toEqual([
      10, 40, 10,
    ]);
  });
});
