import { describe, test } from 'vitest';
import { alone, checkPlay as check, pair, pool } from '../../test/support/check-play.ts';
import type { PlanOf } from '../../test/support/plan-of.ts';
import { begin, type Play } from '../../test/support/play-attempts.ts';
import type { Condition } from '../plan/condition.ts';
import type { FailureKind } from '../plan/failure.ts';
import { milliseconds } from '../plan/ids.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { reserve } from './reservations.ts';

const unavailable: Condition = {
  source: 'a_unavailable',
  expression: { kind: 'variable', variable: { kind: 'provider_unavailable', provider: 'a' } },
};
/** Three members by the orders that they stand in, and a fallback. */
const inOrders = (...orders: readonly [a: number, b: number, c: number]): PlanOf => ({
  ...pool,
  groups: {
    m: { members: orders.map((order, at) => ({ at: `${'abc'[at]}/m`, order })), fallback: ['d/m'] },
  },
});
/** After the first attempt other requests have set it aside. */
const setAside = (health: DeploymentHealth): Required<Play>['meanwhile'] => ({
  after: 1,
  change: (state) => {
    state.health[0] = health;
  },
});
const tested: DeploymentHealth = { kind: 'half_open', since: begin, round: 0 };
const cooling: DeploymentHealth = {
  ...{ kind: 'cooling', since: begin, until: milliseconds(begin + 60_000), why: 'failures', round: 0 },
};

describe('2: which failures go on', () => {
  test.each<[FailureKind, boolean]>([
    ['upstream_refused', true],
    ['upstream_unreachable', true],
    ['upstream_reset', true],
    ['upstream_timeout_connect', true],
    ['upstream_timeout_first_token', true],
    ['upstream_error', true],
    ['upstream_overloaded', true],
    ['upstream_rate_limited', true],
    ['upstream_quota_exhausted', true],
    ['upstream_malformed', true],
    ['upstream_truncated', true],
    ['upstream_unsupported', true],
    // A fault of the configuration, which others may not have.
    ['upstream_auth', true],
    ['upstream_model_missing', true],
    // What the client can mend, or is nobody's to repeat.
    ['upstream_bad_request', false],
    ['upstream_too_large', false],
    ['upstream_content_filter', false],
    ['client_closed', false],
    ['internal', false],
  ])('%s: %s', (kind, goesOn) => {
    check({
      name: kind,
      plan: pair,
      answers: { a: kind },
      facts: { retries: 0 },
      tried: goesOn ? 'a z' : 'a',
      ends: goesOn ? 'ok' : kind,
    });
  });
});

describe('3.4 a model that loads is no error', () => {
  test.each<Play>(
    [
      {
        name: 'asked again, without retries',
        facts: { retries: 0 },
        answers: { a: ['upstream_loading', 'ok'] },
        tried: 'a a',
        ends: 'ok',
      },
      {
        name: 'asked again, with none left',
        spent: 10,
        answers: { a: ['upstream_loading', 'ok'] },
        tried: 'a a',
        ends: 'ok',
      },
      { name: 'loads for ever', facts: { retries: 0 }, answers: { a: 'upstream_loading' }, tried: 'a a z', ends: 'ok' },
      { name: 'its peer is there', plan: pool, answers: { a: 'upstream_loading' }, tried: 'a b', ends: 'ok' },
    ].map((row) => ({ plan: pair, ...row }) as Play),
  )('$name', check);
});

describe('2: retries, then fallbacks', () => {
  test.each<Play>([
    {
      name: 'num_retries other deployments of the group',
      plan: pool,
      answers: 'upstream_error',
      tried: 'a b c',
      ends: 'upstream_error',
    },
    {
      name: 'as many as the request says',
      plan: pool,
      facts: { retries: 3 },
      answers: 'upstream_error',
      tried: 'a b c d',
      ends: 'upstream_error',
    },
    {
      name: 'or none',
      plan: pool,
      facts: { retries: 0 },
      answers: 'upstream_error',
      tried: 'a',
      ends: 'upstream_error',
    },
    {
      name: 'a later order has its turn however many retries there are',
      plan: inOrders(1, 2, 3),
      facts: { retries: 0 },
      answers: 'upstream_error',
      tried: 'a b c d',
      ends: 'upstream_error',
    },
    {
      name: 'one of each later order',
      plan: inOrders(1, 2, 2),
      facts: { retries: 0 },
      answers: 'upstream_error',
      tried: 'a b d',
      ends: 'upstream_error',
    },
    {
      name: 'and follows them',
      plan: inOrders(1, 1, 2),
      facts: { retries: 1 },
      answers: 'upstream_error',
      tried: 'a b c d',
      ends: 'upstream_error',
    },
    {
      name: 'as many as the deployment declares',
      plan: { ...pool, deployments: { 'a/m': { retries: 1 }, 'b/m': { retries: 1 }, 'c/m': {}, 'd/m': {} } },
      answers: 'upstream_error',
      tried: 'a b',
      ends: 'upstream_error',
    },
    {
      name: 'the same again after a wait, where there is no other',
      plan: alone,
      answers: 'upstream_error',
      tried: 'a +437.5 a +875 a',
      ends: 'upstream_error',
    },
    {
      name: 'until it answers',
      plan: alone,
      answers: { a: ['upstream_error', 'ok'] },
      tried: 'a +437.5 a',
      ends: 'ok',
    },
    {
      name: 'others first, then the one that was asked longest ago',
      plan: { ...pool, deployments: ['a/m', 'b/m'], groups: { m: ['a/m', 'b/m'] } },
      answers: 'upstream_error',
      tried: 'a b +875 a',
      ends: 'upstream_error',
    },
    {
      name: 'the group before its fallback',
      plan: pair,
      answers: { a: 'upstream_error' },
      tried: 'a +437.5 a +875 a z',
      ends: 'ok',
    },
    {
      name: 'a refused connection is set aside, so its fallback answers at once',
      plan: pair,
      answers: { a: 'upstream_refused' },
      tried: 'a z',
      ends: 'ok',
    },
    {
      name: 'and so is a refused key',
      plan: pair,
      answers: { a: 'upstream_auth' },
      tried: 'a z',
      ends: 'ok',
    },
    ...(['upstream_refused', 'upstream_timeout_connect', 'upstream_unreachable'] as const).map(
      (kind): Play => ({
        ...{ name: `where no connection comes about nobody knocks again: ${kind}`, plan: alone },
        ...{ answers: kind, tried: 'a', ends: kind },
      }),
    ),
    {
      name: 'waits double up to eight seconds, less what the draw takes off',
      plan: alone,
      facts: { retries: 6 },
      answers: 'upstream_error',
      tried: 'a +437.5 a +875 a +1750 a +3500 a +7000 a +7000 a',
      ends: 'upstream_error',
    },
    {
      name: 'what had no seat in time is not asked again',
      plan: alone,
      answers: 'no_seat',
      tried: 'a',
      ends: 'no_seat',
    },
    {
      name: 'nor what others have filled the limit of by now',
      plan: { ...alone, limits: { m: { requestsPerMinute: 1 } } },
      answers: 'upstream_error',
      meanwhile: { after: 1, change: (state) => void reserve(state.limits, [0], 1) },
      tried: 'a',
      ends: 'upstream_error',
    },
    {
      name: 'nor what a probe has found gone by now',
      plan: alone,
      answers: 'upstream_error',
      meanwhile: setAside({ kind: 'down', since: begin, why: 'probe' }),
      tried: 'a',
      ends: 'upstream_error',
    },
    {
      name: 'a rate limit with a fallback',
      plan: pair,
      answers: { a: 'upstream_rate_limited' },
      retryAfterMs: 9000,
      tried: 'a z',
      ends: 'ok',
    },
    {
      name: 'a rate limit without one is waited for',
      plan: alone,
      answers: { a: ['upstream_rate_limited', 'ok'] },
      retryAfterMs: 9000,
      tried: 'a +9000 a',
      ends: 'ok',
    },
    {
      name: 'but not past the deadline',
      plan: alone,
      answers: 'upstream_rate_limited',
      retryAfterMs: 9000,
      deadlineMs: 9010,
      tried: 'a',
      ends: 'upstream_rate_limited',
    },
    {
      name: 'a Retry-After that is longer than a request waits is no invitation to come sooner',
      plan: alone,
      answers: 'upstream_overloaded',
      retryAfterMs: 90_000,
      tried: 'a',
      ends: 'upstream_overloaded',
    },
    {
      name: 'one of a minute is waited for',
      plan: alone,
      answers: { a: ['upstream_overloaded', 'ok'] },
      retryAfterMs: 60_000,
      tried: 'a +60000 a',
      ends: 'ok',
    },
    {
      name: 'retry_after is the least wait',
      plan: { ...alone, retry: { retryAfterMs: milliseconds(3000) } },
      answers: { a: ['upstream_error', 'ok'] },
      tried: 'a +3000 a',
      ends: 'ok',
    },
    {
      name: 'the first failure decides what the client is told',
      plan: { ...pool, groups: { m: { members: ['a/m', 'b/m'], fallback: ['c/m'] } } },
      answers: { a: 'upstream_overloaded', b: 'upstream_refused', c: 'upstream_error' },
      tried: 'a b +875 a c',
      ends: 'upstream_overloaded',
    },
    {
      name: 'a deadline that has passed',
      plan: pool,
      answers: 'upstream_error',
      deadlineMs: 15,
      tried: 'a b',
      ends: 'deadline_exceeded',
    },
    {
      name: 'deployments that went down meanwhile are passed over',
      plan: pool,
      answers: 'upstream_error',
      meanwhile: {
        after: 1,
        change: (state) => {
          state.health[1] = { kind: 'down', since: begin, why: 'probe' };
          state.health[2] = { kind: 'half_open', since: begin, round: 0 };
        },
      },
      tried: 'a d +875 a',
      ends: 'upstream_error',
    },
    ...[tested, cooling].flatMap((health): readonly Play[] => [
      {
        ...{ name: `what is ${health.kind} by now is waited for where nothing else can serve`, plan: alone },
        ...{ answers: { a: ['upstream_error', 'ok'] }, meanwhile: setAside(health), tried: 'a +437.5 a', ends: 'ok' },
      },
      {
        ...{ name: `what is ${health.kind} by now is not waited for where a fallback can serve`, plan: pair },
        ...{ answers: { a: 'upstream_error' }, meanwhile: setAside(health), tried: 'a z', ends: 'ok' },
      },
    ]),
    {
      name: 'a spent retry budget leaves fallbacks',
      plan: pair,
      answers: { a: 'upstream_error' },
      spent: 10,
      tried: 'a z',
      ends: 'ok',
    },
    {
      name: 'a spent retry budget leaves no retries',
      plan: pool,
      answers: 'upstream_error',
      spent: 10,
      tried: 'a',
      ends: 'upstream_error',
    },
  ])('$name', check);
});

describe('2: fallbacks', () => {
  const many: PlanOf = {
    deployments: ['a/m', 'b/m', 'b2/m', 'b3/m', 'b4/m', 'c/m', 'd/m', 'e/m', 'f/m', 'g/m'],
    groups: {
      m: { members: ['a/m'], fallback: ['b'], chain: ['c/m', 'd/m', 'e/m', 'f/m', 'g/m'] },
      b: ['b/m', 'b2/m', 'b3/m', 'b4/m'],
    },
    retry: { retries: 1 },
  };
  test.each<Play>([
    {
      name: 'a fallback group has its own retries, and max_fallbacks bounds the groups',
      plan: many,
      answers: 'upstream_refused',
      tried: 'a b b2 c d e f',
      ends: 'upstream_refused',
    },
    {
      name: 'max_fallbacks 1',
      plan: { ...many, retry: { retries: 0, maxFallbacks: 1 } },
      answers: 'upstream_refused',
      tried: 'a b',
      ends: 'upstream_refused',
    },
    {
      name: 'a chain that waits between its repeats',
      plan: {
        deployments: ['a/m', 'b/m', 'c/m'],
        groups: {
          m: {
            members: ['a/m'],
            chain: {
              items: ['b/m', 'c/m'],
              strategy: 'retry_with_backoff',
              retryAttempts: 2,
              retryDelayMs: milliseconds(200),
            },
          },
        },
      },
      facts: { retries: 0 },
      answers: { a: 'upstream_error', b: 'upstream_error' },
      tried: 'a b +200 b +400 b c',
      ends: 'ok',
    },
    {
      name: 'a chain that waits the same between its repeats',
      plan: {
        deployments: ['a/m', 'b/m'],
        groups: {
          m: { members: ['a/m'], chain: { items: ['b/m'], retryAttempts: 2, retryDelayMs: milliseconds(200) } },
        },
      },
      facts: { retries: 0 },
      answers: 'upstream_error',
      tried: 'a b +200 b +200 b',
      ends: 'upstream_error',
    },
    {
      name: 'a chain that repeats at once waits as long as the server asks',
      plan: {
        deployments: ['a/m', 'b/m'],
        groups: { m: { members: ['a/m'], chain: { items: ['b/m'], retryAttempts: 1 } } },
      },
      facts: { retries: 0 },
      answers: 'upstream_error',
      retryAfterMs: 900,
      tried: 'a b +900 b',
      ends: 'upstream_error',
    },
    {
      name: 'a chain’s item for when a provider is unavailable answers whoever finds it so',
      plan: {
        deployments: ['a/m', 'a/n', 'z/m'],
        groups: { m: { members: ['a/m'], chain: [{ at: 'z/m', condition: unavailable }] } },
      },
      answers: { a: 'upstream_refused' },
      tried: 'a z',
      ends: 'ok',
    },
    {
      name: 'also where others than that provider were asked before',
      plan: {
        deployments: ['b/m', 'a/m', 'a/n', 'z/m'],
        groups: { m: { members: ['b/m', 'a/m'], chain: [{ at: 'z/m', condition: unavailable }] } },
      },
      answers: { a: 'upstream_refused', b: 'upstream_refused' },
      tried: 'b a z',
      ends: 'ok',
    },
    {
      name: 'a chain that repeats at once',
      plan: {
        deployments: ['a/m', 'b/m'],
        groups: { m: { members: ['a/m'], chain: { items: ['b/m'], retryAttempts: 1 } } },
      },
      facts: { retries: 0 },
      answers: 'upstream_overloaded',
      tried: 'a b b',
      ends: 'upstream_overloaded',
    },
  ])('$name', check);
});

describe('2: in despair', () => {
  const cooling = (ms: number): DeploymentHealth => ({
    kind: 'cooling',
    since: begin,
    until: milliseconds(begin + ms),
    why: 'failures',
    round: 0,
  });
  test.each<Play>([
    {
      name: 'what is cooling is tried, the soonest to recover first',
      plan: pool,
      health: [cooling(9000), cooling(8000), cooling(3000), { kind: 'down', since: begin, why: 'probe' }],
      answers: { c: 'upstream_error' },
      tried: 'c b',
      ends: 'ok',
    },
    {
      name: 'each once, as often as retries say',
      plan: pool,
      health: [cooling(9000), cooling(8000), cooling(7000), cooling(6000)],
      answers: 'upstream_error',
      tried: 'd c b',
      ends: 'upstream_error',
    },
    {
      name: 'all of it is one group, whatever part of the configuration it stands in',
      plan: pair,
      facts: { retries: 0 },
      health: [cooling(9000), cooling(8000)],
      answers: 'upstream_error',
      tried: 'z',
      ends: 'upstream_error',
    },
  ])('$name', check);
});
