import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factsOf as factsOfRequest, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import { milliseconds, tokens } from '../plan/ids.ts';
import type { StrategyName } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { Arrival } from './arrival.ts';
import { describeFacts, factsOf } from './facts-record.ts';
import { recordsOf } from './fixtures/records-of-play.ts';
import { type Played, play } from './play.ts';
import { recordedWorld } from './recorded-world.ts';
import { replay } from './replay.ts';
import { summarise } from './summary.ts';
import { type Workload, workloadWorld } from './workload.ts';

const members = [
  { at: 'a/m', weight: 0.7 },
  { at: 'b/m', weight: 0.3 },
] as const;

/** A plan with a pool "m" and a chain behind it. */
function poolPlan(strategy: StrategyName, more: Partial<PlanOf> = {}): Plan {
  return planOf({
    deployments: { 'a/m': { seats: 2 }, 'b/m': {}, 'c/other': {} },
    groups: { m: { strategy, members, fallback: ['c/other'] }, other: ['c/other'] },
    ...more,
  });
}

type Asked = {
  readonly gap: number;
  readonly asked: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly stream: boolean;
  readonly seed: number;
};

const request: fc.Arbitrary<Asked> = fc.record({
  gap: fc.nat(2000),
  asked: fc.constantFrom('m', 'm', 'm', 'other', 'unknown-to-all'),
  promptTokens: fc.integer({ min: 1, max: 5000 }),
  outputTokens: fc.integer({ min: 1, max: 400 }),
  stream: fc.boolean(),
  seed: fc.nat(),
});
const requests = fc.array(request, { minLength: 1, maxLength: 60 });
const strategies = fc.constantFrom<StrategyName>(
  'weighted_round_robin',
  'simple_shuffle',
  'direct',
  'least_busy',
  'soonest',
  'usage_based_routing',
  'usage_based',
  'latency_based_routing',
  'fastest_response',
  'adaptive_weighted',
);

function arrivalsOfRequests(all: readonly Asked[]): readonly Arrival[] {
  let at = 0;
  return all.map(({ gap, asked, promptTokens, outputTokens, stream, seed }, index) => {
    at += gap;
    const facts = factsOfRequest({ asked, promptTokens: tokens(promptTokens), stream });
    return { id: `r${index}`, at, facts, seed, outputTokens, record: undefined };
  });
}

const pace = { firstTokenMs: 100, msPerToken: 10, failures: 0, down: [] } as const;
const workload = (failures: number): Workload => ({
  requests: [],
  servers: new Map([
    ['a', { ...pace, failures }],
    ['b', { ...pace, msPerToken: 30, failures, down: [[10, 20]] }],
    ['c', pace],
  ]),
});
const played = (plan: Plan, arrivals: readonly Arrival[], failures = 0): readonly Played[] =>
  play(plan, arrivals, workloadWorld(plan, workload(failures), { recorded: recordedWorld(plan, [], 1), seed: 1 }));

describe('6.2 a play on a virtual clock', () => {
  test('ends every request exactly once, within the attempts of its decision, never before it came', () => {
    fc.assert(
      fc.property(requests, strategies, fc.constantFrom(0, 0.3, 1), (all, strategy, failures) => {
        const arrivals = arrivalsOfRequests(all);
        const plan = poolPlan(strategy);
        const results = played(plan, arrivals, failures);
        expect(results.map((one) => one.arrival)).toEqual(arrivals);
        for (const { totalMs, waitMs, answer, attempts, decision } of results) {
          expect(totalMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThanOrEqual(totalMs + 1e-6);
          expect(answer === undefined).toBe(attempts.at(-1)?.failure !== undefined || attempts.length === 0);
          for (const { deployment } of attempts) expect(decision.order).toContain(deployment);
        }
        const summary = summarise(results);
        expect(summary.answered + summary.failed + summary.refused).toBe(all.length);
      }),
      { numRuns: 60 },
    );
  });

  test('ends every request also where models share a card, queues are short and waits are bounded', () => {
    const bounds = fc.record({
      maxLength: fc.integer({ min: 0, max: 5 }),
      maxWaitMs: fc.constantFrom(undefined, 0, 2000),
    });
    fc.assert(
      fc.property(requests, bounds, fc.constantFrom(0, 0.3), (all, { maxLength, maxWaitMs }, failures) => {
        const plan = poolPlan('weighted_round_robin', {
          providers: { a: { exclusiveGroup: 'card' }, b: { exclusiveGroup: 'card' }, c: { seats: 1 } },
        });
        const { server } = plan.settings;
        const queue = { maxLength, maxWaitMs: maxWaitMs === undefined ? undefined : milliseconds(maxWaitMs) };
        const bounded = { ...plan, settings: { ...plan.settings, server: { ...server, queue } } };
        const arrivals = arrivalsOfRequests(all.map((one) => ({ ...one, gap: one.gap / 20 })));
        const results = played(bounded, arrivals, failures);
        expect(results.map((one) => one.arrival)).toEqual(arrivals);
      }),
      { numRuns: 60 },
    );
  });

  test('sends away whom a full queue would send away, and nobody where it is long enough', () => {
    const plan = planOf({ deployments: { 'a/m': { seats: 1 } }, groups: { m: ['a/m'] }, retry: { retries: 0 } });
    const burst = Array.from({ length: 10 }, (_none, index) => index).map((index) => ({
      gap: index === 0 ? 0 : 1,
      asked: 'm',
      promptTokens: 10,
      outputTokens: 100,
      stream: false,
      seed: index,
    }));
    const failedWith = (maxLength: number): number => {
      const { server } = plan.settings;
      const settings = { ...plan.settings, server: { ...server, queue: { ...server.queue, maxLength } } };
      return summarise(played({ ...plan, settings }, arrivalsOfRequests(burst))).failed;
    };
    expect([failedWith(0), failedWith(4), failedWith(100)]).toEqual([9, 5, 0]);
  });

  test('gives the same again for the same seed', () => {
    fc.assert(
      fc.property(requests, strategies, (all, strategy) => {
        const arrivals = arrivalsOfRequests(all);
        expect(summarise(played(poolPlan(strategy), arrivals, 0.2))).toEqual(
          summarise(played(poolPlan(strategy), arrivals, 0.2)),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('spends no more at a provider than its budget, until its window is over', () => {
    const plan = poolPlan('direct', {
      deployments: { 'a/m': { price: { inputUsdPerToken: 0, outputUsdPerToken: 0.125 } }, 'b/m': {}, 'c/other': {} },
      providers: { a: { budget: { maxUsd: 10, windowMs: milliseconds(60_000) } } },
    });
    const each = { gap: 1000, asked: 'm', promptTokens: 10, outputTokens: 8, stream: false, seed: 1 };
    const answers = played(plan, arrivalsOfRequests(Array.from({ length: 90 }, () => each)));
    // The first answer begins the window, which is over a minute later.
    const providers = answers.map(({ answer }) => answer?.provider).join('');
    expect(providers).toMatch(/^a{10}[bc]{50,51}a{10}[bc]+$/);
  });

  test('lets what people watch go before batch work, as the queue of a gateway does', () => {
    const plan = planOf({ deployments: { 'a/m': { seats: 1 } }, groups: { m: ['a/m'] } });
    const each = { gap: 1, asked: 'm', promptTokens: 10, outputTokens: 100, stream: false, seed: 1 };
    const arrivals = arrivalsOfRequests([each, each, each]).map((one, index) =>
      index === 1 ? { ...one, facts: { ...one.facts, priority: 'batch' } } : one,
    );
    const [, batch = 0, watched = 0] = played(plan, arrivals).map(({ waitMs }) => waitMs);
    expect(watched).toBeLessThan(batch);
  });

  test('counts the tokens of answers under limits, not what was estimated', () => {
    const plan = planOf({
      deployments: ['a/m'],
      groups: { m: ['a/m'] },
      limits: { m: { tokensPerMinute: 500 } },
    });
    const each = { gap: 20_000, asked: 'm', promptTokens: 10, stream: false, seed: 1 };
    const refused = (outputTokens: number): number =>
      summarise(played(plan, arrivalsOfRequests([each, each].map((one) => ({ ...one, outputTokens }))))).refused;
    expect([refused(8), refused(600)]).toEqual([0, 1]);
  });

  test('never has more at work than there are seats', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const plan = poolPlan('direct');
        const spans = played(plan, arrivalsOfRequests(all)).flatMap(({ arrival, attempts }) =>
          attempts
            .filter((one) => one.deployment === 'a/m')
            .map(({ startMs, ms }) => ({ from: arrival.at + startMs, to: arrival.at + startMs + ms })),
        );
        for (const { from } of spans)
          expect(spans.filter((one) => one.from <= from && from < one.to - 1e-6).length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 40 },
    );
  });
});

describe('6.2 a replay of recorded requests', () => {
  test('through the same plan moves nobody, and chooses as it was recorded', () => {
    fc.assert(
      fc.property(requests, strategies, (all, strategy) => {
        const plan = poolPlan(strategy);
        const records = recordsOf(plan, played(plan, arrivalsOfRequests(all)));
        const report = replay({ present: plan, candidate: plan, records, seed: 7 });
        expect(report).toMatchObject({ requests: all.length, moved: 0, moves: [], agreement: 1, otherPlan: 0 });
        expect(report.after).toEqual(report.before);
      }),
      { numRuns: 60 },
    );
  });

  test('through the same plan moves nobody either where servers fail', () => {
    fc.assert(
      fc.property(requests, strategies, (all, strategy) => {
        const plan = poolPlan(strategy);
        const records = recordsOf(plan, played(plan, arrivalsOfRequests(all), 0.3));
        expect(replay({ present: plan, candidate: plan, records, seed: 7 })).toMatchObject({ moved: 0, moves: [] });
      }),
      { numRuns: 40 },
    );
  });

  const hundred = Array.from({ length: 100 }, (_none, index) => ({
    gap: 5000,
    asked: 'm',
    promptTokens: 100,
    outputTokens: 20,
    stream: true,
    seed: index * 7919,
  }));
  const present = poolPlan('weighted_round_robin');
  const records = recordsOf(present, played(present, arrivalsOfRequests(hundred)));

  test('that begins in the middle of a round takes its turns as they were', () => {
    for (const first of [1, 2, 5])
      expect(replay({ present, candidate: present, records: records.slice(first), seed: 1 }).agreement).toBe(1);
  });

  test('knows a name of the default provider’s list by what came of it', () => {
    const plan = planOf({ deployments: ['a/*'], routing: { defaultProviders: ['a'] } });
    const [record] = recordsOf(present, played(present, arrivalsOfRequests(hundred.slice(0, 1))));
    const candidate = record?.candidates.find(({ provider }) => provider === 'a');
    if (record === undefined || candidate === undefined) throw new Error('Nothing was recorded');
    const rule = { kind: 'default_provider', text: 'the default provider a lists the name' } as const;
    const asked = { ...record, asked: 'zed', rule, group: null, candidates: [{ ...candidate, model: 'zed' }] };
    const of = (one: DecisionRecord): number =>
      replay({ present: plan, candidate: plan, records: [one], seed: 1 }).before.refused;
    expect([of(asked), of({ ...asked, rule: { kind: 'none', text: 'no rule knows the name' } })]).toEqual([0, 1]);
  });

  const swapped = members.map((one) => ({ ...one, weight: 1 - one.weight }));

  test.each<[name: string, candidate: Plan, moved: number, from: string | null, to: string | null, why: RegExp]>([
    [
      'other weights',
      planOf({
        deployments: { 'a/m': {}, 'b/m': {}, 'c/other': {} },
        groups: { m: { strategy: 'weighted_round_robin', members: swapped } },
      }),
      40,
      'a/m',
      'b/m',
      /the weight of b\/m is 0\.7, not 0\.3/,
    ],
    ['another strategy', poolPlan('direct'), 30, 'b/m', 'a/m', /the order is direct, not weighted_round_robin/],
    [
      'a member that is gone',
      planOf({ deployments: ['a/m'], groups: { m: { strategy: 'weighted_round_robin', members: ['a/m'] } } }),
      30,
      'b/m',
      'a/m',
      /b\/m is no candidate any more/,
    ],
    [
      'a provider that is disabled',
      poolPlan('weighted_round_robin', { providers: { a: { status: 'disabled' } } }),
      70,
      'a/m',
      'b/m',
      /a\/m is left out: its provider "a" is disabled/,
    ],
    ['a name that is gone', planOf({ deployments: ['c/other'] }), 100, 'a/m', null, /nothing can answer/],
  ])('through %s says who would have moved, from where to where, and why', (_name, candidate, least, from, to, why) => {
    const report = replay({ present, candidate, records, seed: 1 });
    expect(report.moved).toBeGreaterThanOrEqual(least);
    const move = report.moves.find((one) => one.from === from && one.to === to && why.test(one.why));
    expect(move, JSON.stringify(report.moves)).toBeDefined();
    expect(report.moves.reduce((sum, one) => sum + one.requests, 0)).toBe(report.moved);
  });
});

test('6.1 the facts of a record are those that decide() saw', () => {
  const facts = factsOfRequest({
    asked: 'm',
    stream: true,
    promptTokens: tokens(12),
    maxOutputTokens: tokens(9),
    needs: { tools: true, vision: false, jsonSchema: true },
    batchSize: 3,
    tags: ['x'],
    priority: 'batch',
    retries: 0,
  });
  const plan = poolPlan('direct');
  const decision = { asked: 'm', promptTokens: 12, facts: describeFacts(plan, facts) };
  const again = factsOf(JSON.parse(JSON.stringify(decision)) as DecisionRecord);
  expect({ ...again, headers: undefined }).toEqual({ ...facts, headers: undefined });
});
