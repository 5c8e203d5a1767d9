import { describe, expect, test } from 'vitest';
import { conditionOf, factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import { milliseconds, providerId, tokens } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { type Residency, type Speeds, unseenEngine, unseenSpeeds } from '../plan/residency.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { decide } from './decide.ts';
import { createRoutingState } from './state.ts';

const now = milliseconds(100_000);
const loaded: Residency = { kind: 'loaded', at: now, engine: unseenEngine };
const unloaded: Residency = { kind: 'unloaded', at: now };
const busy = (foreign: number): Residency => ({ ...loaded, engine: { ...unseenEngine, foreign } });
const loading: DeploymentHealth = { kind: 'loading', since: now, readyAt: undefined };

type Row = {
  readonly name: string;
  readonly plan?: Partial<PlanOf>;
  readonly facts?: Partial<RequestFacts>;
  readonly residency?: readonly (Residency | undefined)[];
  readonly speeds?: readonly (Partial<Speeds> | undefined)[];
  readonly health?: readonly (DeploymentHealth | undefined)[];
  readonly order: string;
  /** What the notes say. */
  readonly notes?: string;
  readonly asks?: string;
  /** Names of the numbers that a deployment's verdict has, by its provider. */
  readonly numbers?: Readonly<Record<string, readonly string[]>>;
};

function check({
  plan: written,
  facts,
  residency = [],
  speeds = [],
  health = [],
  order,
  notes,
  asks,
  numbers,
}: Row): void {
  const plan = planOf({ deployments: ['a/m', 'b/m', 'c/m'], groups: { m: ['a/m', 'b/m', 'c/m'] }, ...written });
  const state = createRoutingState(plan, now);
  plan.deployments.forEach((_, index) => {
    state.observations[index] = {
      failures: [],
      effectiveContext: undefined,
      residency: residency[index],
      speeds: { ...unseenSpeeds, ...speeds[index] },
    };
    const one = health[index];
    if (one !== undefined) state.health[index] = one;
  });
  const decision = decide(plan, state, factsOf({ asked: 'm', ...facts }), now, () => 0.5);
  expect(decision.attempts.map((one) => plan.deployments[one.deployment]?.provider).join(' ')).toBe(order);
  if (notes !== undefined) expect(decision.notes.join('; ')).toBe(notes);
  for (const [provider, names] of Object.entries(numbers ?? {})) {
    const one = decision.candidates.find(({ deployment }) => plan.deployments[deployment]?.provider === provider);
    expect(Object.keys(one?.numbers ?? {}), provider).toEqual(names);
  }
  if (asks !== undefined) expect(decision.needsResidency.join(' ')).toBe(asks);
}

const warm = { routing: { preferWarm: { enabled: true, checkTimeoutMs: milliseconds(100) } } };

describe('3.3 prefer_warm_providers', () => {
  test.each<Row>([
    { name: 'not declared', residency: [unloaded, loaded], order: 'a b c' },
    {
      name: 'loaded first; who does not tell is taken for loaded',
      plan: warm,
      residency: [unloaded, loaded],
      order: 'b c a',
    },
    {
      name: 'one on its way is not there',
      plan: warm,
      residency: [{ kind: 'loading', at: now, since: now }, loaded, loaded],
      order: 'b c a',
    },
    {
      name: 'an order that is declared counts more',
      plan: {
        ...warm,
        groups: {
          m: [
            { at: 'a/m', order: 1 },
            { at: 'b/m', order: 2 },
          ],
        },
      },
      residency: [unloaded, loaded],
      order: 'a b',
    },
    {
      name: 'a standby that is loaded goes before what is not',
      plan: {
        ...warm,
        groups: {
          m: [
            { at: 'a/m', weight: 1 },
            { at: 'b/m', weight: 0 },
          ],
        },
      },
      residency: [unloaded, loaded],
      order: 'b a',
    },
    {
      name: 'what was just seen is not asked again',
      plan: warm,
      residency: [unloaded, loaded],
      order: 'b c a',
      asks: '',
    },
    {
      name: 'what was seen long ago is',
      plan: warm,
      residency: [
        { ...unloaded, at: milliseconds(now - 3000) },
        { ...loaded, at: milliseconds(now - 2000) },
      ],
      order: 'b c a',
      asks: 'a',
    },
    {
      name: 'a choice of one needs no question',
      plan: { ...warm, groups: { m: ['a/m'] } },
      residency: [{ ...unloaded, at: milliseconds(0) }],
      order: 'a',
      asks: '',
    },
  ])('$name', check);
});

const soonest = { groups: { m: { strategy: 'soonest' as const, members: ['a/m', 'b/m', 'c/m'] } } };
const fast = { prefillMsPerToken: 1, decodeMsPerToken: 10 };

describe('3.4 soonest', () => {
  test.each<Row>([
    {
      name: 'the faster first',
      plan: soonest,
      speeds: [{ decodeMsPerToken: 30 }, { decodeMsPerToken: 10 }, { decodeMsPerToken: 20 }],
      order: 'b c a',
    },
    {
      name: 'in memory before a load',
      plan: soonest,
      speeds: [fast, fast, fast],
      residency: [unloaded, unloaded, loaded],
      order: 'c a b',
    },
    // 100 tokens in and 256 out: 2.7 s; a is twice as slow and needs no load of 9 s.
    {
      name: 'slow and there before fast and away',
      plan: soonest,
      speeds: [{ decodeMsPerToken: 20 }, { ...fast, loadMs: 9000 }],
      residency: [loaded, unloaded, unloaded],
      order: 'a b c',
    },
    {
      name: 'fast and away before slow and there, for a long answer',
      plan: soonest,
      facts: { maxOutputTokens: tokens(4000) },
      speeds: [{ decodeMsPerToken: 20 }, { ...fast, loadMs: 9000 }],
      residency: [loaded, unloaded, { kind: 'unloaded', at: now }],
      order: 'b c a',
    },
    {
      name: 'a load that is nearly over before a queue',
      plan: soonest,
      speeds: [{ ...fast, loadMs: 9000 }, fast, fast],
      health: [{ ...loading, since: milliseconds(now - 8500) }],
      residency: [undefined, busy(4), busy(4)],
      order: 'a b c',
    },
    {
      name: 'a load that has just begun after a queue',
      plan: soonest,
      speeds: [{ ...fast, loadMs: 20_000 }, fast, fast],
      health: [loading],
      residency: [undefined, busy(1), busy(2)],
      order: 'b c a',
    },
    {
      name: 'who is not known is tried',
      plan: soonest,
      speeds: [fast, undefined, { decodeMsPerToken: 11 }],
      order: 'a b c',
    },
    {
      name: 'the faster first also where all answers come whole',
      plan: soonest,
      speeds: [{ answerMs: 3000 }, { answerMs: 1000 }, { answerMs: 2000 }],
      order: 'b c a',
    },
    {
      name: 'who is busy comes later where all answers come whole',
      plan: soonest,
      speeds: [{ answerMs: 1000 }, { answerMs: 1000 }, undefined],
      residency: [busy(2), busy(1)],
      order: 'c b a',
    },
    {
      name: 'who is busy comes later before anybody has answered',
      plan: soonest,
      residency: [busy(2), busy(1)],
      order: 'c b a',
    },
    // Other strategies do not weigh a load: what is there goes first.
    { name: 'loading behind all, by any other strategy', health: [loading], order: 'b c a' },
    {
      name: '6.1 the record says what put whom behind, where the numbers alone would mislead',
      plan: { ...warm, groups: { m: { strategy: 'least_busy', members: ['a/m', 'b/m', 'c/m'] } } },
      residency: [unloaded, busy(9), undefined],
      health: [undefined, undefined, { kind: 'missing', since: now }],
      order: 'b a c',
      numbers: { a: ['busy', 'not_in_memory'], b: ['busy'], c: ['busy', 'not_listed'] },
    },
  ])('$name', check);
});

describe('3.3 least_busy', () => {
  test.each<Row>([
    {
      name: 'requests of others, as an engine tells them, count',
      plan: { groups: { m: { strategy: 'least_busy', members: ['a/m', 'b/m', 'c/m'] } } },
      residency: [busy(5), busy(1), undefined],
      order: 'c b a',
    },
    {
      name: 'seats, as an engine tells them, count too',
      plan: { groups: { m: { strategy: 'least_busy', members: ['a/m', 'b/m', 'c/m'] } } },
      residency: [busy(2), { ...loaded, engine: { ...unseenEngine, seats: 4, foreign: 3 } }, busy(1)],
      order: 'b c a',
    },
  ])('$name', check);
});

const rule = (name: string, provider: string, fact: 'stream' | 'batch_size', value: boolean | number) => ({
  name,
  providers: [providerId(provider)],
  condition: conditionOf(fact, '==', value),
});

describe('3.1 the ramp', () => {
  const recovering: DeploymentHealth = { kind: 'degraded', since: now, why: 'recovering' };
  test.each<Row>([
    {
      name: 'is a weight among peers',
      plan: { groups: { m: { strategy: 'weighted_round_robin', members: ['a/m', 'b/m'], fallback: ['c/m'] } } },
      health: [recovering],
      order: 'b a c',
    },
    {
      name: 'sends nothing to a fallback',
      plan: { groups: { m: { strategy: 'simple_shuffle', members: ['a/m'], fallback: ['c/m'] } } },
      health: [recovering],
      order: 'a c',
    },
  ])('$name', check);
});

describe('1.2 request_metadata_routing', () => {
  const metadata = {
    routing: { metadata: [rule('streams', 'c', 'stream', true), rule('batches', 'b', 'batch_size', 4)] },
  };
  test.each<Row>([
    { name: 'no rule holds', plan: metadata, order: 'a b c' },
    {
      name: 'a rule holds',
      plan: metadata,
      facts: { stream: true },
      order: 'c a b',
      notes: '"streams" holds: c first',
    },
    { name: 'two rules hold, in their order', plan: metadata, facts: { stream: true, batchSize: 4 }, order: 'c b a' },
    {
      name: 'it counts more than a declared order',
      plan: {
        ...metadata,
        groups: {
          m: [
            { at: 'a/m', order: 1 },
            { at: 'c/m', order: 2 },
          ],
        },
      },
      facts: { stream: true },
      order: 'c a',
    },
    {
      name: 'none of its providers is there',
      plan: { ...metadata, groups: { m: ['a/m', 'b/m'] } },
      facts: { stream: true },
      order: 'a b',
      notes: '"streams" holds: c first; what the request’s metadata prefers cannot serve here',
    },
    {
      name: 'one that is missing stays behind',
      plan: metadata,
      facts: { stream: true },
      health: [undefined, undefined, { kind: 'missing', since: now }],
      order: 'a b c',
    },
  ])('$name', check);
});

describe('1.2 geographic_routing', () => {
  const far = { providers: { a: { tier: 'cloud_standard' as const } } };
  const near = (enabled: boolean, preferLocal: boolean) => ({
    ...far,
    routing: { geographic: { enabled, preferLocal } },
  });
  test.each<Row>([
    { name: 'local first', plan: near(true, true), order: 'b c a' },
    { name: 'not enabled', plan: near(false, true), order: 'a b c' },
    { name: 'not preferred', plan: near(true, false), order: 'a b c' },
    {
      name: 'an order that is declared counts more',
      plan: {
        ...near(true, true),
        groups: {
          m: [
            { at: 'a/m', order: 1 },
            { at: 'b/m', order: 2 },
          ],
        },
      },
      order: 'a b',
    },
  ])('$name', check);
});

describe('1.2 complexity_detection', () => {
  const by = (complexityBy: 'tokens' | 'score') => ({
    groups: {
      m: {
        strategy: {
          name: 'complexity_based' as const,
          classes: { low: 'a/m', medium: 'b/m', high: 'c/m' },
          complexityBy,
        },
        members: ['a/m', 'b/m', 'c/m'],
      },
    },
  });
  // 110 tokens: 44 points of the score, and more than a hundred of them.
  test.each<Row>([
    { name: 'the whole score', plan: by('score'), facts: { promptTokens: tokens(110) }, order: 'a b c' },
    { name: 'the tokens alone', plan: by('tokens'), facts: { promptTokens: tokens(110) }, order: 'c a b' },
    {
      name: 'code is no token',
      plan: by('tokens'),
      facts: { promptTokens: tokens(49), hasCodeFence: true },
      order: 'a b c',
    },
  ])('$name', check);
});
