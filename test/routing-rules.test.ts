import { describe, expect, test } from 'vitest';
import { milliseconds, tokens } from '../src/plan/ids.ts';
import type { DeploymentHealth } from '../src/plan/routing-state.ts';
import { provenElsewhere } from './routing-proofs.ts';
import { conditionOf, type PlanOf } from './support/plan-of.ts';
import { begin, type Play, play } from './support/play-attempts.ts';
import { checkRules } from './support/rule-page.ts';

/*
 * Every rule of docs/explanation/routing.md has an anchor there, and a row here: a request that shows
 * the rule, or in routing-proofs.ts the test that proves it. Both directions are checked.
 */

const pool: PlanOf = {
  deployments: ['a/m', 'b/m', 'c/m'],
  groups: { m: { members: ['a/m', 'b/m'], fallback: ['c/m'] } },
};
const down: DeploymentHealth = { kind: 'down', since: begin, why: 'probe' };
const cooling = (until: number, why: 'failures' | 'rate_limited' = 'failures'): DeploymentHealth => ({
  ...{ kind: 'cooling', since: begin, until: milliseconds(begin + until), why, round: 0 },
});

type Shown = Omit<Play, 'name' | 'answers'> & Partial<Pick<Play, 'answers'>>;
const one = (name: string, more: Partial<Shown> = {}): Partial<Shown> => ({ facts: { asked: name }, ...more });

/** Requests that show a rule: what is tried, and how it ends. */
const shown: Readonly<Record<string, Shown>> = {
  name: {
    plan: { deployments: ['a/m', 'b/n'], groups: { m: ['a/m'], n: ['b/n'] } },
    ...one('n'),
    tried: 'b',
    ends: 'ok',
  },
  pool: { plan: pool, answers: { a: 'upstream_refused' }, tried: 'a b', ends: 'ok' },
  deployment: {
    plan: { deployments: ['a/m', 'b/m'], groups: { m: ['a/m', 'b/m'] } },
    ...one('b/m'),
    tried: 'b',
    ends: 'ok',
  },
  'no-name': {
    plan: { deployments: ['a/m', 'b/m'], groups: { code: { kind: 'capability', members: ['b/m'] } } },
    facts: { asked: undefined, capability: 'code' },
    tried: 'b',
    ends: 'ok',
  },
  wildcard: {
    plan: { deployments: ['a/*', 'b/f*'], groups: { 'x/f*': ['b/f*'], 'x/*': ['a/*'] } },
    ...one('x/foo'),
    tried: 'b',
    ends: 'ok',
  },
  pattern: {
    plan: {
      deployments: ['a/*', 'b/*'],
      routing: {
        patterns: [
          { pattern: /^q/, target: 'b/*' },
          { pattern: /./, target: 'a/*' },
        ],
      },
    },
    ...one('qwen'),
    tried: 'b',
    ends: 'ok',
  },
  size: {
    plan: {
      deployments: ['a/*'],
      routing: { sizes: [{ source: '8B - 13B', minBillions: 8, maxBillions: 13, target: 'a/*' }] },
    },
    ...one('x:13b'),
    tried: 'a',
    ends: 'ok',
  },
  'default-chain': {
    plan: { deployments: ['a/m'], routing: { defaultChain: ['a/m'] } },
    ...one('nobody'),
    tried: 'a',
    ends: 'ok',
  },
  'not-found': {
    plan: { deployments: ['a/m'], routing: { defaultChain: ['a/m'], unknownModel: 'reject' } },
    ...one('nobody'),
    tried: '',
    ends: 'model_not_found',
  },

  disabled: { plan: { ...pool, providers: { a: { status: 'disabled' } } }, tried: 'b', ends: 'ok' },
  'set-aside': { plan: pool, health: [down, cooling(900)], tried: 'c', ends: 'ok' },
  context: {
    plan: { ...pool, deployments: { 'a/m': { contextTokens: tokens(90) }, 'b/m': {}, 'c/m': {} } },
    tried: 'b',
    ends: 'ok',
  },
  lacking: {
    plan: { ...pool, deployments: { 'a/m': { kind: 'embedding' }, 'b/m': {}, 'c/m': {} } },
    tried: 'b',
    ends: 'ok',
  },
  'unknown-counts-for': {
    plan: pool,
    facts: { needs: { tools: true, vision: true, jsonSchema: true }, promptTokens: tokens(1e6) },
    tried: 'a',
    ends: 'ok',
  },
  excluded: {
    plan: {
      ...pool,
      deployments: { 'a/m': { tags: ['us'] }, 'b/m': { tags: ['eu'] }, 'c/m': {} },
      routing: { tagFiltering: { enabled: true, matchAny: true } },
    },
    facts: { tags: ['eu'] },
    tried: 'b',
    ends: 'ok',
  },

  condition: {
    plan: { ...pool, groups: { m: [{ at: 'a/m', condition: conditionOf('tokens', '<', 50) }, 'b/m'] } },
    tried: 'b',
    ends: 'ok',
  },
  'limit-full-name': {
    plan: { ...pool, limits: { m: { requestsPerMinute: 0 } } },
    tried: '',
    ends: 'rate_limited',
  },
  'limit-send-on': {
    plan: {
      deployments: ['a/m', 'c/n'],
      groups: { m: { members: ['a/m'], fallback: ['c/n'] } },
      limits: { m: { requestsPerMinute: 0 } },
      routing: { rateLimitedFallback: true },
    },
    tried: 'c',
    ends: 'ok',
  },
  'limit-full-deployment': {
    plan: {
      ...pool,
      deployments: { 'a/m': { limit: { requestsPerMinute: 0, tokensPerMinute: undefined } }, 'b/m': {}, 'c/m': {} },
    },
    tried: 'b',
    ends: 'ok',
  },
  'limit-full-key': {
    plan: { ...pool, keyLimits: { local: { requestsPerMinute: 0 } }, routing: { rateLimitedFallback: true } },
    tried: '',
    ends: 'rate_limited',
  },

  priority: {
    plan: {
      ...pool,
      groups: {
        m: [
          { at: 'a/m', order: 2 },
          { at: 'b/m', order: 1 },
        ],
      },
    },
    tried: 'b',
    ends: 'ok',
  },
  'loading-later': {
    plan: pool,
    health: [{ kind: 'loading', since: begin, readyAt: undefined }],
    tried: 'b',
    ends: 'ok',
  },
  missing: {
    plan: { ...pool, groups: { m: ['a/m', { at: 'b/m', order: 2 }] } },
    health: [{ kind: 'missing', since: begin }],
    tried: 'b',
    ends: 'ok',
  },
  standby: { plan: { ...pool, groups: { m: [{ at: 'a/m', weight: 0 }, 'b/m'] } }, tried: 'b', ends: 'ok' },
  'standby-unasked': {
    plan: { ...pool, groups: { m: { members: ['a/m', { at: 'b/m', weight: 0 }], fallback: ['c/m'] } } },
    facts: { asked: 'm', retries: 0 },
    answers: 'upstream_error',
    tried: 'a b c',
    ends: 'upstream_error',
  },
  'standby-serves': {
    plan: { ...pool, groups: { m: [{ at: 'a/m', weight: 0 }, 'b/m'] } },
    answers: { b: 'upstream_refused' },
    tried: 'b a',
    ends: 'ok',
  },
  direct: {
    plan: { ...pool, groups: { m: { strategy: 'direct', members: ['c/m', 'a/m', 'b/m'] } } },
    answers: 'upstream_refused',
    tried: 'c a b',
    ends: 'upstream_refused',
  },

  retries: {
    plan: { ...pool, retry: { retries: 2 } },
    answers: 'upstream_error',
    tried: 'a b +875 a c',
    ends: 'upstream_error',
  },
  'later-order': {
    plan: {
      ...pool,
      groups: {
        m: {
          members: [
            { at: 'a/m', order: 1 },
            { at: 'b/m', order: 2 },
          ],
          fallback: ['c/m'],
        },
      },
    },
    facts: { retries: 0 },
    answers: 'upstream_error',
    tried: 'a b c',
    ends: 'upstream_error',
  },
  fallbacks: {
    plan: {
      deployments: ['a/m', 'b/m', 'c/m'],
      groups: { m: { members: ['a/m'], chain: ['c/m'], fallback: ['b/m'] } },
    },
    answers: 'upstream_refused',
    tried: 'a b c',
    ends: 'upstream_refused',
  },
  peers: {
    plan: {
      deployments: ['a/m', 'b/m', 'c/m'],
      groups: {
        m: { kind: 'capability', capability: 'code', members: ['a/m'], fallback: ['b/m'] },
        n: { capability: 'code', members: ['c/m'] },
      },
    },
    answers: 'upstream_refused',
    tried: 'a b c',
    ends: 'upstream_refused',
  },
  defaults: {
    plan: {
      ...pool,
      deployments: ['a/m', 'b/m', 'c/m', 'd/m'],
      routing: { defaultFallbacks: ['c/m'], defaultChain: ['d/m'] },
    },
    answers: 'upstream_refused',
    tried: 'a b c d',
    ends: 'upstream_refused',
  },
  'max-fallbacks': {
    plan: {
      deployments: ['a/m', 'b/m', 'c/m'],
      groups: { m: { members: ['a/m'], fallback: ['b/m', 'c/m'] } },
      retry: { maxFallbacks: 1 },
    },
    answers: 'upstream_refused',
    tried: 'a b',
    ends: 'upstream_refused',
  },
  deadline: { plan: pool, answers: 'upstream_error', deadlineMs: 15, tried: 'a b', ends: 'deadline_exceeded' },
  'asked-once': {
    plan: { ...pool, groups: { m: { members: ['a/m'], fallback: ['b/m', 'c/m'] } } },
    facts: { retries: 0 },
    answers: 'upstream_error',
    tried: 'a b c',
    ends: 'upstream_error',
  },
  'retry-after': {
    plan: { deployments: ['a/m'], groups: { m: ['a/m'] } },
    answers: { a: ['upstream_overloaded', 'ok'] },
    retryAfterMs: 9000,
    tried: 'a +9000 a',
    ends: 'ok',
  },
  'retry-budget': { plan: pool, answers: 'upstream_error', spent: 10, tried: 'a c', ends: 'upstream_error' },
  'client-faults': { plan: pool, answers: 'upstream_bad_request', tried: 'a', ends: 'upstream_bad_request' },
  overflow: {
    plan: {
      ...pool,
      deployments: {
        'a/m': { contextTokens: tokens(4096) },
        'b/m': { contextTokens: tokens(2048) },
        'c/m': { contextTokens: tokens(8192) },
      },
    },
    answers: { a: 'context_length_exceeded' },
    tried: 'a c',
    ends: 'ok',
  },
  'content-filter': {
    plan: { ...pool, groups: { m: { members: ['a/m'], fallback: ['b/m'], contentFallbacks: ['c/m'] } } },
    answers: { a: 'upstream_content_filter' },
    tried: 'a c',
    ends: 'ok',
  },

  'min-tier': {
    plan: {
      deployments: ['a/m', 'b/m'],
      providers: { a: { tier: 'cloud_premium' }, b: { tier: 'local' } },
      groups: { m: { members: ['a/m'], fallback: ['b/m'] } },
    },
    facts: { minTier: 'cloud_entry' },
    answers: { a: 'upstream_refused' },
    tried: 'a',
    ends: 'upstream_refused',
  },
  'declared-tier': {
    plan: {
      deployments: ['a/m', 'b/n'],
      groups: { m: { members: ['a/m'], chain: { items: ['n'], tier: 'cloud_premium' } }, n: ['b/n'] },
    },
    facts: { asked: 'm', minTier: 'cloud_standard' },
    answers: { a: 'upstream_refused' },
    tried: 'a',
    ends: 'upstream_refused',
  },
  'tight-context': {
    plan: { deployments: { 'a/m': { contextTokens: tokens(150) } }, groups: { m: ['a/m'] } },
    facts: { maxOutputTokens: tokens(500) },
    tried: 'a',
    ends: 'ok',
  },
  'last-resort': {
    plan: { ...pool, groups: { m: ['a/m', 'b/m'] } },
    health: [cooling(900), cooling(300)],
    tried: 'b',
    ends: 'ok',
  },
  quiet: {
    plan: { deployments: ['a/m'], groups: { m: ['a/m'] } },
    health: [cooling(900, 'rate_limited')],
    tried: '',
    ends: 'no_deployment_ready',
  },
  'never-asked': {
    plan: { ...pool, providers: { a: { status: 'disabled' } }, groups: { m: ['a/m'] } },
    tried: '',
    ends: 'provider_disabled',
  },
  'again-before-fallback': {
    plan: { ...pool, groups: { m: { members: ['a/m'], fallback: ['b/m'] } } },
    answers: { a: ['upstream_error', 'ok'] },
    tried: 'a +437.5 a',
    ends: 'ok',
  },
};

describe('7: every rule of the page about routing', () => {
  test.each(Object.entries(shown))('routing.md#%s', (_rule, row) => {
    expect(play({ name: '', answers: {}, ...row })).toEqual({ tried: row.tried, ends: row.ends });
  });

  checkRules('docs/explanation/routing.md', Object.keys(shown), provenElsewhere);
});
