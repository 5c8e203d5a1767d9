import { describe, expect, test } from 'vitest';
import { conditionOf, factsOf, type PlanOf, planOf, seededRandom } from '../../test/support/plan-of.ts';
import type { Condition } from '../plan/condition.ts';
import type { FailureKind } from '../plan/failure.ts';
import { milliseconds, tokens } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { CoolingReason, DeploymentHealth } from '../plan/routing-state.ts';
import { decide } from './decide.ts';
import { createRoutingState } from './state.ts';

/** A plan and a request, and what may answer it in order: `source:provider/model`. */
type Row = {
  readonly name: string;
  readonly plan: PlanOf;
  readonly facts?: Partial<RequestFacts>;
  readonly health?: Readonly<Record<number, DeploymentHealth>>;
  readonly order?: readonly string[];
  readonly refused?: FailureKind;
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly notes?: readonly string[];
};

const now = milliseconds(10_000);
const down: DeploymentHealth = { kind: 'down', since: now, why: 'no answer in time' };
const missing: DeploymentHealth = { kind: 'missing', since: now };
const half: DeploymentHealth = { kind: 'half_open', since: now, round: 1 };
const cooling = (ms: number, why: CoolingReason = 'failures'): DeploymentHealth => ({
  kind: 'cooling',
  since: now,
  until: milliseconds(now + ms),
  why,
  round: 0,
});

function check({ plan: written, facts, health = {}, order = [], refused, message, retryAfterMs, notes }: Row): void {
  const plan = planOf(written);
  const state = createRoutingState(plan, now);
  for (const [index, one] of Object.entries(health)) state.health[Number(index)] = one;
  const decision = decide(plan, state, factsOf({ asked: 'm', ...facts }), now, () => 0.5);
  const attempts = decision.attempts.map(
    (one) => `${one.source}:${plan.deployments[one.deployment]?.provider}/${one.model}`,
  );
  expect(attempts).toEqual(order);
  expect(decision.refusal?.kind).toBe(refused);
  if (message !== undefined) expect(decision.refusal?.message).toBe(message);
  if (retryAfterMs !== undefined) expect(decision.refusal?.retryAfterMs).toBe(retryAfterMs);
  if (notes !== undefined) expect(decision.notes).toEqual(notes);
  // The record has exactly one chosen candidate, where anything can serve, and it is the first attempt.
  const chosen = decision.candidates.filter((one) => one.verdict.kind === 'chosen');
  const planned = decision.attempts.filter((one) => one.source !== 'desperate');
  expect(chosen.map((one) => one.deployment)).toEqual(planned.slice(0, 1).map((one) => one.deployment));
  const places = decision.candidates.flatMap(({ verdict }) => (verdict.kind === 'excluded' ? [] : [verdict.position]));
  expect(places).toEqual(planned.map((_, index) => index));
}

const unavailable: Condition = {
  source: 'a_unavailable',
  expression: { kind: 'variable', variable: { kind: 'provider_unavailable', provider: 'a' } },
};
/** One member, and behind it a chain's item with a condition. */
const backedBy = (member: string, condition: Condition): PlanOf => ({
  deployments: ['a/m', 'a/n', 'b/m', 'z/m'],
  groups: { m: { members: [member], chain: [{ at: 'z/m', condition }] } },
});

/** Everything that may stand behind a group. */
const behind: PlanOf = {
  deployments: ['own/m', 'own2/m', 'exact/m', 'chain/m', 'peer/m', 'default/m', 'last/m'],
  groups: {
    m: {
      members: ['own/m', 'own2/m'],
      fallback: ['exact/m'],
      chain: ['chain', 'own/m'],
      kind: 'capability',
      capability: 'code',
    },
    chain: ['chain/m'],
    peer: { members: ['peer/m'], capability: 'code' },
    other: { members: ['exact/m'], standsInFor: ['code', 'chat'] },
    stranger: { members: ['last/m'], capability: 'chat' },
  },
  routing: { defaultFallbacks: ['default/m'], defaultChain: ['last/m', 'm'] },
};
const everything = [
  'group:own/m',
  'group:own2/m',
  'fallback:exact/m',
  'chain:chain/m',
  'capability_peer:peer/m',
  'default_fallback:default/m',
  'default_fallback:last/m',
];
const disabled = { status: 'disabled' } as const;

describe('1.1, 2: what may answer, in order', () => {
  test.each<Row>([
    { name: 'group, exact fallback, chain, peers, defaults', plan: behind, order: everything },
    {
      name: 'the same where the group is down',
      plan: behind,
      health: { 0: down, 1: cooling(5000) },
      order: everything.slice(2),
    },
    {
      name: 'the same where its providers are disabled',
      plan: { ...behind, providers: { own: disabled, own2: disabled } },
      order: everything.slice(2),
    },
    {
      name: 'a model that is no capability has no peers',
      plan: { ...behind, groups: { ...behind.groups, m: { members: ['own/m'], capability: 'code' } } },
      order: ['group:own/m', 'default_fallback:default/m', 'default_fallback:last/m'],
    },
    {
      name: 'fallbacks turned off by the request',
      plan: behind,
      facts: { disableFallbacks: true },
      order: everything.slice(0, 2),
      notes: ['fallbacks are turned off by the request'],
    },
    {
      name: 'fallbacks of the request go first',
      plan: { ...behind, aliases: { second: 'stranger' } },
      facts: { fallbacks: ['second', 'id-3', 'nobody'] },
      order: [
        'group:own/m',
        'group:own2/m',
        'request_fallback:last/m',
        'request_fallback:chain/m',
        'fallback:exact/m',
        'capability_peer:peer/m',
        'default_fallback:default/m',
      ],
      notes: ['the request\'s fallback "nobody" is not known'],
    },
    {
      name: 'the request cannot name a fallback that its key may not ask for',
      plan: behind,
      facts: { fallbacks: ['stranger', 'peer'], allowedModels: ['m', 'peer'] },
      order: [
        'group:own/m',
        'group:own2/m',
        'request_fallback:peer/m',
        'fallback:exact/m',
        'chain:chain/m',
        'default_fallback:default/m',
        'default_fallback:last/m',
      ],
      notes: ['the key may not ask for the request\'s fallback "stranger"'],
    },
    {
      name: 'chain items whose condition holds',
      plan: {
        deployments: ['a/m', 'b/m', 'c/m'],
        groups: {
          m: {
            members: ['a/m'],
            chain: [
              { at: 'b/m', condition: conditionOf('tokens', '>', 1000) },
              { at: 'c/m', condition: conditionOf('stream', '==', false) },
            ],
          },
        },
      },
      order: ['group:a/m', 'chain:c/m'],
      notes: ['a chain item is left out: tokens > 1000 does not hold'],
    },
    {
      name: 'a chain item for a provider that is unavailable stands behind what is asked there',
      plan: backedBy('a/m', unavailable),
      order: ['group:a/m', 'chain:z/m'],
    },
    {
      name: 'and is left out where the provider is not asked and serves',
      plan: backedBy('b/m', unavailable),
      order: ['group:b/m'],
      notes: ['a chain item is left out: a_unavailable does not hold'],
    },
    {
      name: 'and goes first where what would be asked there is passed over, though its other model serves',
      plan: backedBy('a/m', unavailable),
      health: { 0: half },
      order: ['chain:z/m'],
    },
    {
      name: 'and is left out where it is for a provider that is available, and stands behind it',
      plan: backedBy('a/m', {
        ...{ source: 'NOT a_unavailable', expression: { kind: 'not', operand: unavailable.expression } },
      }),
      order: ['group:a/m'],
      notes: ['a chain item is left out: NOT a_unavailable does not hold'],
    },
    ...[true, false].map(
      (isTooLong): Row => ({
        name: `context_window_fallbacks ${isTooLong ? 'go first where the prompt has no room' : 'stand behind nothing else'}`,
        plan: {
          deployments: { 'a/m': { contextTokens: tokens(isTooLong ? 80 : 800) }, 'b/m': {}, 'c/m': {} },
          groups: { m: { members: ['a/m'], fallback: ['b/m'], contextFallbacks: ['c/m'] } },
        },
        order: [isTooLong ? 'context_fallback:c/m' : 'group:a/m', 'fallback:b/m'],
      }),
    ),
    {
      name: 'context_window_fallbacks stand in for no other reason',
      plan: {
        deployments: ['a/m', 'b/m', 'c/m'],
        groups: { m: { members: ['a/m'], fallback: ['b/m'], contextFallbacks: ['c/m'] } },
      },
      health: { 0: down },
      order: ['fallback:b/m'],
    },
    {
      name: 'nor where a member has room',
      plan: {
        deployments: { 'a/m': { contextTokens: tokens(80) }, 'b/m': {}, 'c/m': {} },
        groups: { m: { members: ['a/m', 'b/m'], contextFallbacks: ['c/m'] } },
      },
      order: ['group:b/m'],
    },
    {
      name: 'a fallback is filtered as every other',
      plan: {
        deployments: { 'a/m': {}, 'b/m': { kind: 'embedding' }, 'c/m': {} },
        groups: { m: { members: ['a/m'], fallback: ['b/m', 'c/m'] } },
      },
      order: ['group:a/m', 'fallback:c/m'],
    },
    {
      name: 'groups that fall back to each other do not loop',
      plan: {
        deployments: ['a/m', 'b/m'],
        groups: {
          m: { members: ['a/m'], chain: ['n', 'm', 'n'] },
          n: { members: ['b/m', 'a/m'], chain: ['m'] },
        },
      },
      order: ['group:a/m', 'chain:b/m'],
    },
    {
      name: 'a pattern asks its provider for the literal name, then its fallback',
      plan: {
        deployments: ['a/*', 'b/*'],
        routing: { patterns: [{ pattern: /^Qwen/, target: 'a/*', fallback: ['b/*'] }] },
      },
      facts: { asked: 'Qwen/Qwen3' },
      order: ['group:a/Qwen/Qwen3', 'fallback:b/Qwen/Qwen3'],
    },
    {
      name: 'a pattern without its fallback, where the request turns fallbacks off',
      plan: {
        deployments: ['a/*', 'b/*'],
        routing: { patterns: [{ pattern: /^Qwen/, target: 'a/*', fallback: ['b/*'] }] },
      },
      facts: { asked: 'Qwen/Qwen3', disableFallbacks: true },
      order: ['group:a/Qwen/Qwen3'],
    },
    {
      name: 'an unknown name goes to the default chain',
      plan: behind,
      facts: { asked: 'nobody' },
      order: ['default_fallback:last/m', 'default_fallback:own/m', 'default_fallback:own2/m'],
    },
  ])('$name', check);
});

describe('1.2: the last resort', () => {
  const pair: PlanOf = {
    deployments: ['a/m', 'b/m', 'c/m'],
    groups: { m: { members: ['a/m', 'b/m'], fallback: ['c/m'] } },
  };
  test.each<Row>([
    {
      name: 'what is cooling, the soonest first, with what is being tested before',
      plan: pair,
      health: { 0: cooling(9000), 1: cooling(2000), 2: half },
      order: ['desperate:c/m', 'desperate:b/m', 'desperate:a/m'],
      notes: ['nothing is ready, so deployments that are cooling are tried'],
    },
    {
      name: 'nothing that is cooling while a fallback can serve',
      plan: pair,
      health: { 0: cooling(1), 1: cooling(1) },
      order: ['fallback:c/m'],
    },
    {
      name: 'a server that asked for quiet gets it',
      plan: pair,
      health: { 0: cooling(9000, 'rate_limited'), 1: cooling(4000, 'rate_limited'), 2: down },
      refused: 'no_deployment_ready',
      message:
        'Cannot route to "m": a: cooling after a rate limit, 9 s left; b: cooling after a rate limit, 4 s left; c: no answer in time',
      retryAfterMs: 4000,
    },
    {
      name: 'never what lacks a capability, though it is cooling',
      plan: {
        deployments: { 'a/m': { kind: 'embedding' }, 'b/m': { contextTokens: tokens(50) } },
        groups: { m: ['a/m', 'b/m'] },
      },
      health: { 0: cooling(10), 1: cooling(10) },
      refused: 'unsupported_by_group',
    },
    {
      name: 'a context with room for the prompt but not for all of the answer',
      plan: { deployments: { 'a/m': { contextTokens: tokens(200) } }, groups: { m: ['a/m'] } },
      facts: { maxOutputTokens: tokens(4096) },
      order: ['desperate:a/m'],
      notes: ['no context has room for all of the asked output, so the answer may be shorter'],
    },
    {
      name: 'before what is cooling',
      plan: {
        deployments: { 'a/m': {}, 'b/m': { contextTokens: tokens(200) } },
        groups: { m: ['a/m', 'b/m'] },
      },
      health: { 0: cooling(10) },
      facts: { maxOutputTokens: tokens(4096) },
      order: ['desperate:b/m', 'desperate:a/m'],
      notes: [
        'no context has room for all of the asked output, so the answer may be shorter',
        'nothing is ready, so deployments that are cooling are tried',
      ],
    },
    {
      name: 'but only where no larger one is',
      plan: {
        deployments: { 'a/m': { contextTokens: tokens(200) }, 'b/m': { contextTokens: tokens(8192) } },
        groups: { m: { members: ['a/m'], fallback: ['b/m'] } },
      },
      facts: { maxOutputTokens: tokens(4096) },
      order: ['fallback:b/m'],
    },
    {
      name: 'missing is tried last, not excluded',
      plan: { deployments: ['a/m'], groups: { m: ['a/m'] } },
      health: { 0: missing },
      order: ['group:a/m'],
    },
  ])('$name', check);
});

describe('1.1, 1.2: refusals say what can be done', () => {
  const one: PlanOf = { deployments: ['a/m'], groups: { m: ['a/m'] } };
  const small: PlanOf = { deployments: { 'a/m': { contextTokens: tokens(80) } }, groups: { m: ['a/m'] } };
  test.each<Row>([
    {
      name: 'unknown name',
      plan: one,
      facts: { asked: 'n' },
      refused: 'model_not_found',
      message: 'The model "n" does not exist',
    },
    {
      name: 'unknown capability',
      plan: one,
      facts: { asked: undefined, capability: 'code' },
      refused: 'model_not_found',
      message: 'The capability "code" does not exist',
    },
    {
      name: 'no name and no default',
      plan: one,
      facts: { asked: undefined },
      refused: 'model_not_found',
      message: 'The request names no model, and no default model is configured',
    },
    {
      name: 'a key for other names, by any way to the model',
      plan: one,
      facts: { asked: 'a/m', allowedModels: ['m'] },
      refused: 'key_not_allowed',
      message: 'The key may not ask for "a/m"',
    },
    {
      name: 'too long',
      plan: small,
      refused: 'context_length_exceeded',
      message: 'The prompt is too long for "m": about 100 tokens are asked for, its context is 80',
    },
    {
      name: 'a capability that none has',
      plan: { deployments: { 'a/m': { kind: 'embedding' } }, groups: { m: ['a/m'] } },
      refused: 'unsupported_by_group',
      message: 'No deployment of "m" can do this: it is for embedding, the request is for chat',
    },
    {
      name: 'disabled',
      plan: { ...one, providers: { a: disabled } },
      refused: 'provider_disabled',
      message: 'Every provider of "m" is disabled, and no fallback can serve',
    },
    {
      name: 'down',
      plan: one,
      health: { 0: down },
      refused: 'no_deployment_ready',
      message: 'Cannot route to "m": a: no answer in time',
    },
    {
      name: 'draining',
      plan: one,
      health: { 0: { kind: 'draining', since: now } },
      refused: 'no_deployment_ready',
      message: 'Cannot route to "m": a: its provider "a" is draining',
    },
    {
      name: 'no member at all',
      plan: { deployments: ['a/m'], groups: { m: [] } },
      refused: 'no_deployment_ready',
      message: 'Cannot route to "m": it has no deployment',
    },
  ])('$name', check);

  test('a list that is not known yet is asked for', () => {
    const plan = planOf({ deployments: ['a/*'], routing: { defaultProviders: ['a'] } });
    const decision = decide(plan, createRoutingState(plan, now), factsOf({ asked: 'n' }), now, () => 0.5);
    expect(decision).toMatchObject({ needsListing: 'a', attempts: [], refusal: undefined });
  });
});

test.each([
  ['immediate', 3, undefined, { times: 3, waitMs: 0, doubling: false }],
  ['retry_with_backoff', 2, 200, { times: 2, waitMs: 200, doubling: true }],
  ['retry_with_backoff', 2, undefined, { times: 2, waitMs: 500, doubling: true }],
  ['retry_with_backoff', undefined, 200, undefined],
  ['circuit_breaker', 3, 200, undefined],
] as const)('2: a chain with %s, retry_attempts %s, retry_delay_ms %s', (strategy, retryAttempts, delay, repeats) => {
  const plan = planOf({
    deployments: ['a/m', 'b/m'],
    groups: {
      m: {
        members: ['a/m'],
        chain: {
          items: ['b/m'],
          strategy,
          retryAttempts,
          retryDelayMs: delay === undefined ? undefined : milliseconds(delay),
        },
      },
    },
  });
  const { attempts } = decide(plan, createRoutingState(plan, now), factsOf({ asked: 'm' }), now, () => 0.5);
  expect(attempts.map((one) => one.repeats)).toEqual([undefined, repeats]);
});

test('1.3 a pool of thousands is put in order as far as any request could try it, and the record says so', () => {
  const names = Array.from({ length: 300 }, (_none, index) => `p${index}/m`);
  const members = names.map((at, index) => ({ at, order: index < 30 ? 1 : 2 }));
  const plan = planOf({ deployments: names, groups: { m: { strategy: 'simple_shuffle', members } } });
  const decision = decide(plan, createRoutingState(plan, now), factsOf({ asked: 'm' }), now, seededRandom(3));
  expect(decision.attempts).toHaveLength(50);
  expect(decision.attempts.slice(0, 30).every((one) => one.deployment < 30)).toBe(true);
  expect(new Set(decision.attempts.map((one) => one.deployment)).size).toBe(50);
  expect(decision.notes).toContain('250 more members of "m" could serve and stand behind these');
});
