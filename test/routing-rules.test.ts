import { describe, expect, test } from 'vitest';
import type { FailureKind } from '../src/plan/failure.ts';
import { milliseconds, tokens } from '../src/plan/ids.ts';
import type { DeploymentHealth } from '../src/plan/routing-state.ts';
import { conditionOf, type PlanOf } from './support/plan-of.ts';
import { begin, type Play, play } from './support/play-attempts.ts';
import { checkRules, type Proven } from './support/rule-page.ts';

/*
 * Every rule of docs/explanation/routing.md has an anchor there, and a row here: a request that shows
 * the rule, or the test that proves it where more than routing takes part. Both directions are checked.
 */

const pool: PlanOf = {
  deployments: ['a/m', 'b/m', 'c/m'],
  groups: { m: { members: ['a/m', 'b/m'], fallback: ['c/m'] } },
};
const all = (kind: FailureKind): Play['answers'] => ({ a: kind, b: kind, c: kind, d: kind });
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
  'standby-serves': {
    plan: { ...pool, groups: { m: [{ at: 'a/m', weight: 0 }, 'b/m'] } },
    answers: { b: 'upstream_refused' },
    tried: 'b a',
    ends: 'ok',
  },
  direct: {
    plan: { ...pool, groups: { m: { strategy: 'direct', members: ['c/m', 'a/m', 'b/m'] } } },
    answers: all('upstream_refused'),
    tried: 'c a b',
    ends: 'upstream_refused',
  },

  retries: {
    plan: { ...pool, retry: { retries: 2 } },
    answers: all('upstream_error'),
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
    answers: all('upstream_error'),
    tried: 'a b c',
    ends: 'upstream_error',
  },
  fallbacks: {
    plan: {
      deployments: ['a/m', 'b/m', 'c/m'],
      groups: { m: { members: ['a/m'], chain: ['c/m'], fallback: ['b/m'] } },
    },
    answers: all('upstream_refused'),
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
    answers: all('upstream_refused'),
    tried: 'a b c',
    ends: 'upstream_refused',
  },
  defaults: {
    plan: {
      ...pool,
      deployments: ['a/m', 'b/m', 'c/m', 'd/m'],
      routing: { defaultFallbacks: ['c/m'], defaultChain: ['d/m'] },
    },
    answers: all('upstream_refused'),
    tried: 'a b c d',
    ends: 'upstream_refused',
  },
  'max-fallbacks': {
    plan: {
      deployments: ['a/m', 'b/m', 'c/m'],
      groups: { m: { members: ['a/m'], fallback: ['b/m', 'c/m'] } },
      retry: { maxFallbacks: 1 },
    },
    answers: all('upstream_refused'),
    tried: 'a b',
    ends: 'upstream_refused',
  },
  deadline: { plan: pool, answers: all('upstream_error'), deadlineMs: 15, tried: 'a b', ends: 'deadline_exceeded' },
  'asked-once': {
    plan: { ...pool, groups: { m: { members: ['a/m'], fallback: ['b/m', 'c/m'] } } },
    facts: { retries: 0 },
    answers: all('upstream_error'),
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
  'retry-budget': { plan: pool, answers: all('upstream_error'), spent: 10, tried: 'a c', ends: 'upstream_error' },
  'client-faults': { plan: pool, answers: all('upstream_bad_request'), tried: 'a', ends: 'upstream_bad_request' },
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

/** Where more than a decision takes part: the test that proves a rule, by its file and a part of its title. */
const proven: Proven = {
  'first-rule': ['src/routing/resolve.test.ts', 'a name resolves by the first rule that knows it'],
  'default-provider': ['src/routing/decide.test.ts', 'a list that is not known yet is asked for'],
  preferred: ['src/routing/residency.test.ts', '1.2 request_metadata_routing'],
  geographic: ['src/routing/residency.test.ts', '1.2 geographic_routing'],
  warm: ['src/routing/residency.test.ts', '3.3 prefer_warm_providers'],
  'simple-shuffle': ['src/routing/strategies.test.ts', 'spine 3.7: shares of $strategy, $name'],
  'weighted-round-robin': [
    'src/routing/strategies.test.ts',
    'a round-robin keeps its shares within one request at every moment',
  ],
  'least-busy': ['src/routing/strategies.test.ts', 'least_busy by requests under way for each seat'],
  soonest: ['src/routing/residency.test.ts', '3.4 soonest'],
  'cost-based': ['src/routing/strategies.test.ts', 'cost_based by the price of this request'],
  'most-capacity': ['src/routing/strategies.test.ts', 'most_capacity by context, then by work'],
  'complexity-and-context': ['src/routing/strategies.test.ts', 'complexity_based: medium from 50 on'],
  'quality-based': ['src/routing/strategies.test.ts', 'quality_based: entries whose condition holds, by weight'],
  'usage-based': ['src/routing/measured-strategies.test.ts', 'usage-based-routing: the fewest tokens this minute'],
  'latency-based': ['src/routing/measured-strategies.test.ts', 'those within the buffer of the lowest share evenly'],
  'fastest-response': ['src/routing/measured-strategies.test.ts', 'the lowest 95th percentile to the first token'],
  'usage-score': ['src/routing/measured-strategies.test.ts', 'speed, success and cheapness together'],
  'adaptive-weighted': [
    'src/routing/measured-strategies.test.ts',
    'a cloud joins only when every local deployment is saturated',
  ],
  'condition-read': ['test/routing-under-attack.test.ts', '100 KB $name are read in time'],
  'condition-depth': ['test/routing-under-attack.test.ts', 'a hundred brackets are read, and one more is told'],
  'condition-variable': ['test/routing-under-attack.test.ts', 'a variable that is not known is told by its name'],
  'condition-absent': ['src/routing/condition.test.ts', 'absent is not less'],
  'condition-headers': ['src/routing/condition.test.ts', 'a header as a number'],
  'complexity-score': ['src/routing/condition.test.ts', 'a complexity shows its terms'],
  'limit-model': ['src/routing/limits.test.ts', 'under a model, whatever reaches it'],
  'limit-name': ['src/routing/limits.test.ts', 'under a pseudo-name, what is asked by that name'],
  'limit-key': ['src/routing/limits.test.ts', 'of a key, whatever it asks'],
  'limit-provider': ['src/routing/limits.test.ts', 'of a provider, all of its models'],
  'limit-last-resort': ['src/routing/limits.test.ts', '4.2: a full limit holds for the last resort too'],
  'limit-slides': ['src/routing/limits.test.ts', 'no sixty seconds hold more requests than the limit'],
  'limit-tokens': ['src/routing/limits.test.ts', 'what is taken is given back or made true, to the last token'],
  'limit-counts': ['test/gateway/limits.test.ts', 'each attempt that is sent counts one, what is refused counts none'],
  'budget-spent': ['test/gateway/budgets.test.ts', 'a spent provider is passed over for its peer'],
  'free-seat': [
    'src/routing/seats.test.ts',
    'a peer with a free seat goes before one without, where a strategy shares',
  ],
  'queue-patience': ['src/routing/seats.test.ts', 'who waited past its patience, whoever has the turn'],
  'queue-batch': ['src/routing/seats.test.ts', 'what people watch before batch work'],
  'queue-turn': ['src/routing/seats.test.ts', 'the model that has the turn, though another came first'],
  'queue-refused': ['test/gateway/seats.test.ts', 'refused at once where it cannot be in time'],
  unseen: ['test/gateway/streaming.test.ts', 'failover before the first byte is invisible'],
  'mid-stream': ['test/gateway/streaming.test.ts', 'an upstream that dies mid-stream'],
  tier: ['test/gateway/degradation.test.ts', 'tier: a fallback of a lower tier'],
  states: ['src/routing/health.test.ts', 'a probe ends only what a probe or a refused connection began'],
  'never-counts': ['src/routing/health.test.ts', 'spine 3.7: after a failure'],
  'literal-names': ['src/routing/state.test.ts', 'a literal name that is missing does not fail a test'],
  'nobody-else': ['src/routing/health.test.ts', 'spine 3.7: after a failure'],
  once: ['src/routing/state.test.ts', 'ten requests that fail together set aside once and for the shortest time'],
  'first-word': ['src/routing/state.test.ts', 'a cooldown ends by one request, after which others follow'],
  'key-everywhere': ['src/routing/decide.test.ts', 'a key for other names, by any way to the model'],
  ramp: ['src/routing/residency.test.ts', '3.1 the ramp'],
  'complete-lists': ['src/control/apply-report.test.ts', 'spine 3.7: %s is asked for %s: %j leaves it %s'],
};

describe('7: every rule of the page about routing', () => {
  test.each(Object.entries(shown))('routing.md#%s', (_rule, row) => {
    expect(play({ name: '', answers: {}, ...row })).toEqual({ tried: row.tried, ends: row.ends });
  });

  checkRules('docs/explanation/routing.md', Object.keys(shown), proven);
});
