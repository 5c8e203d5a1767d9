import { describe, expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import type { PoolAdvice } from '../contract/route-play.ts';
import type { Plan } from '../plan/plan.ts';
import { advise } from './advise.ts';
import { recordsOf } from './fixtures/records-of-play.ts';
import { play } from './play.ts';
import { recordedWorld } from './recorded-world.ts';
import { simulate } from './simulate.ts';
import { arrivalsIn, type RequestKind, type ServerPace, type Workload, workloadWorld } from './workload.ts';

/** A pool of two servers with a seat each, shared by weight. */
function pool(a: number, b: number): Plan {
  return planOf({
    deployments: { 'a/m': { seats: 1 }, 'b/m': { seats: 1 } },
    groups: {
      m: {
        strategy: 'weighted_round_robin',
        members: [
          { at: 'a/m', weight: a },
          { at: 'b/m', weight: b },
        ],
      },
    },
  });
}

const usual: RequestKind = {
  model: 'm',
  count: 600,
  perSecond: 1,
  start: 0,
  promptTokens: [50, 200],
  outputTokens: [50, 150],
  maxOutputTokens: undefined,
  endpoint: 'chat',
  stream: true,
  needs: { tools: false, vision: false, jsonSchema: false },
  batchSize: 1,
  tags: [],
  headers: new Map(),
};
const pace = (msPerToken: number): ServerPace => ({ firstTokenMs: 100, msPerToken, failures: 0, down: [] });

/** What is advised after a workload was served by a pool. */
function check(plan: Plan, kind: Partial<RequestKind>, servers: Readonly<Record<string, ServerPace>>): PoolAdvice {
  const workload: Workload = { requests: [{ ...usual, ...kind }], servers: new Map(Object.entries(servers)) };
  const played = play(
    plan,
    arrivalsIn(plan, workload, 3),
    workloadWorld(plan, workload, { recorded: recordedWorld(plan, [], 3), seed: 3 }),
  );
  const [advice] = advise({ plan, records: recordsOf(plan, played), seed: 1 }).pools;
  if (advice === undefined) throw new Error('No pool was advised on');
  return advice;
}

const alike = { a: pace(10), b: pace(10) };

describe('6.2 advice', () => {
  test('says which weights would have been better, and the simulation of them agrees', () => {
    const advice = check(pool(0.9, 0.1), {}, alike);
    expect(advice.verdict).toBe('better');
    expect(advice.text).toMatch(/^0\.9\/0\.1 gives p95 [\d.]+ s; (\S+).* would have given [\d.]+ s$/);
    const [best] = advice.tried;
    expect(best?.times.p95Ms).toBeLessThan((advice.present.times.p95Ms ?? 0) * 0.9);
    const workload = { requests: [usual], servers: new Map(Object.entries(alike)) };
    const p95Of = (plan: Plan): number => simulate({ plan, workload, records: [], seed: 3 }).times.p95Ms ?? 0;
    expect(p95Of(pool(0.5, 0.5))).toBeLessThan(p95Of(pool(0.9, 0.1)));
  });

  test('leaves alone what is as good as any', () => {
    const advice = check(pool(0.5, 0.5), { perSecond: 0.05 }, alike);
    expect(advice).toMatchObject({
      verdict: 'as_good_as_any',
      text: expect.stringContaining('nothing that was tried'),
    });
  });

  test('says nothing by too few requests', () => {
    expect(check(pool(0.9, 0.1), { count: 199 }, alike)).toMatchObject({ verdict: 'too_few', tried: [] });
  });

  test('does not believe a play that is not like the record', () => {
    const plan = pool(0.9, 0.1);
    const workload: Workload = { requests: [usual], servers: new Map(Object.entries(alike)) };
    const played = play(
      plan,
      arrivalsIn(plan, workload, 3),
      workloadWorld(plan, workload, { recorded: recordedWorld(plan, [], 3), seed: 3 }),
    );
    const records = recordsOf(plan, played).map((one) => ({
      ...one,
      timing: { ...one.timing, totalMs: (one.timing.totalMs ?? 0) * 3 },
    }));
    expect(advise({ plan, records, seed: 1 }).pools[0]).toMatchObject({ verdict: 'not_like_the_record' });
  });

  test('is the same again for the same seed', () => {
    expect(check(pool(0.7, 0.3), {}, alike)).toEqual(check(pool(0.7, 0.3), {}, alike));
  });
});

describe('6.2 a simulation', () => {
  const run = (
    plan: Plan,
    kind: Partial<RequestKind>,
    servers: Readonly<Record<string, ServerPace>>,
  ): ReturnType<typeof simulate> =>
    simulate({
      plan,
      workload: { requests: [{ ...usual, ...kind }], servers: new Map(Object.entries(servers)) },
      records: [],
      seed: 1,
    });

  test('M15 shares requests as declared, which chi-square says', () => {
    const report = run(pool(0.7, 0.3), { count: 1000, perSecond: 0.00001 }, alike);
    expect(report.pools).toMatchObject([{ requests: 1000, chiSquare: { verdict: 'fits' } }]);
    expect(report.pools[0]?.members.map((one) => one.chosen)).toEqual([700, 300]);
  });

  test('comes at its rate: 600 at one a second take about ten minutes', () => {
    expect(run(pool(1, 1), {}, alike).seconds).toBeGreaterThan(500);
    expect(run(pool(1, 1), {}, alike).seconds).toBeLessThan(700);
  });

  test('has waits where work is more than seats can do, and none where there is little', () => {
    expect(run(pool(1, 1), { perSecond: 5 }, alike).waits.p95Ms).toBeGreaterThan(10_000);
    expect(run(pool(1, 1), { perSecond: 0.01 }, alike).waits.p95Ms).toBe(0);
  });

  test('goes on when a server is off: its requests are answered by the other', () => {
    const report = run(pool(1, 1), {}, { a: { ...pace(10), down: [[0, 1e9]] }, b: pace(5) });
    expect(report).toMatchObject({ answered: 600, failed: 0 });
    expect(report.providers.find((one) => one.provider === 'a')).toMatchObject({ requests: 0 });
  });

  test('adds up the cost of answers where prices are declared, and the tiers that gave them', () => {
    const price = { inputUsdPerToken: 1e-6, outputUsdPerToken: 2e-6 };
    const plan = planOf({
      deployments: { 'a/m': { price } },
      providers: { a: { tier: 'cloud_entry' } },
      groups: { m: ['a/m'] },
    });
    const kind = { count: 100, promptTokens: [100, 100], outputTokens: [50, 50] } as const;
    const report = run(plan, kind, alike);
    expect(report.costUsd).toBeCloseTo(100 * (100 * 1e-6 + 50 * 2e-6), 10);
    expect(report.tiers).toEqual([{ tier: 'cloud_entry', requests: 100, share: 1 }]);
    expect(run(pool(1, 1), {}, alike).costUsd).toBeNull();
  });

  test('says what it had to assume, and how often', () => {
    const report = run(pool(1, 1), { perSecond: 0.00001 }, { a: pace(10) });
    expect(report.guessed).toBe(300);
    expect(report.assumed.join()).toContain('300 requests went where nothing is declared or recorded');
    expect(run(pool(1, 1), {}, alike)).toMatchObject({ guessed: 0 });
  });
});
