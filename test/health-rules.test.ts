import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dialects } from '../src/main.ts';
import { milliseconds, seconds } from '../src/plan/ids.ts';
import type { DialectName } from '../src/plan/provider.ts';
import type { DeploymentHealth } from '../src/plan/routing-state.ts';
import { makeProvider } from '../src/providers/fixtures/make.ts';
import { type Life, live } from './support/live.ts';
import type { PlanOf } from './support/plan-of.ts';
import { begin, type Play, play } from './support/play-attempts.ts';
import { checkRules, type Proven } from './support/rule-page.ts';

/*
 * Every rule of docs/explanation/health-and-residency.md has an anchor there, and a row here: what
 * happens to a deployment and which states follow, a request that meets a state, the probes that a
 * server is sent, or the test that proves the rule where more takes part.
 */

const page = 'docs/explanation/health-and-residency.md';

const error = 'upstream_error';
const errorBased = { allowedFails: 1, cooldownMs: seconds(300), maxCooldownMs: seconds(300) };

/** Lives that show what follows what. */
const lived: Readonly<Record<string, Life>> = {
  failures: {
    plan: { cooldown: errorBased },
    days: [[0, error, 'cooling until 300']],
  },
  'allowed-fails': {
    days: [
      [0, error, 'ready'],
      [59, error, 'ready'],
      [60, error, 'ready'],
      [61, error, 'cooling until 66'],
    ],
  },
  doubles: {
    days: [
      ...([0, 1] as const).map((at) => [at, error, 'ready'] as const),
      [2, error, 'cooling until 7'],
      [7, 'starts', 'half_open'],
      [8, error, 'cooling until 18'],
      [18, 'starts', 'half_open'],
      [18, error, 'cooling until 38'],
      [38, 'starts', 'half_open'],
      [38, error, 'cooling until 78'],
      [78, 'starts', 'half_open'],
      [78, error, 'cooling until 138'],
      [138, 'starts', 'half_open'],
      [138, error, 'cooling until 198'],
    ],
  },
  'rate-limited': {
    plan: { cooldown: { rateLimitedMs: seconds(45) } },
    days: [
      [0, { retryAfterS: 9 }, 'cooling until 9'],
      [10, 'upstream_rate_limited', 'cooling until 55'],
    ],
  },
  'no-connection': {
    days: [
      [0, 'upstream_refused', 'cooling until 5'],
      [6, 'seen up', 'ready'],
      [6, 'upstream_timeout_connect', 'cooling until 11'],
    ],
  },
  'nobody-else': {
    alone: true,
    days: [
      [0, error, 'ready'],
      [0, error, 'ready'],
      [0, error, 'ready'],
      [0, 'upstream_rate_limited', 'ready'],
      [0, { retryAfterS: 9 }, 'cooling until 9'],
      [9, 'starts', 'half_open'],
      [9, 'answers', 'degraded, takes 0.1'],
      [9, 'upstream_refused', 'cooling until 14'],
    ],
  },
  spread: { random: 1, days: [[0, 'upstream_refused', 'cooling until 5.5']] },
  'probe-ends': {
    plan: { cooldown: { allowedFails: 1 } },
    days: [
      [0, 'seen down', 'down'],
      [1, 'seen up', 'ready'],
      [1, 'upstream_refused', 'cooling until 6'],
      [2, 'seen up', 'ready'],
      [3, error, 'cooling until 8'],
      [4, 'seen up', 'cooling until 8'],
    ],
  },
  'gone-and-back': {
    plan: { cooldown: errorBased },
    days: [
      [0, error, 'cooling until 300'],
      [10, 'seen down', 'down'],
      [20, 'seen loading', 'loading'],
      [30, 'seen up', 'cooling until 300'],
    ],
  },
  'sent-before': {
    days: [
      [10, 'upstream_refused', 'cooling until 15'],
      [11, { answerSentAtS: 9 }, 'cooling until 15'],
      [11, { answerSentAtS: 10 }, 'cooling until 15'],
      [15, { answerSentAtS: 11 }, 'degraded, takes 0.1'],
    ],
  },
  'client-faults': {
    plan: { cooldown: { allowedFails: 1 } },
    days: [
      [0, 'upstream_bad_request', 'ready'],
      [1, 'client_closed', 'ready'],
      [2, 'context_length_exceeded', 'ready'],
      [3, error, 'cooling until 8'],
    ],
  },
  ramp: {
    days: [
      [0, 'upstream_refused', 'cooling until 5'],
      [5, 'starts', 'half_open'],
      [5, 'answers', 'degraded, takes 0.1'],
      [10, 'answers', 'degraded, takes 0.5'],
      [14, 'seen up', 'degraded, takes 0.9'],
      [15, 'answers', 'ready'],
    ],
  },
};

const pool: PlanOf = {
  deployments: ['a/m', 'b/m', 'c/m'],
  groups: { m: { members: ['a/m', 'b/m'], fallback: ['c/m'] } },
};
const since = milliseconds(begin - 5000);
const cooling = (why: 'failures' | 'rate_limited', ms: number): DeploymentHealth => ({
  ...{ kind: 'cooling', since, until: milliseconds(begin + ms), why, round: 0 },
});
const down: DeploymentHealth = { kind: 'down', since, why: 'no answer in time' };
const draining: DeploymentHealth = { kind: 'draining', since };

type Shown = Omit<Play, 'name' | 'answers' | 'plan' | 'ends'> & Partial<Pick<Play, 'answers' | 'plan'>>;

/** Requests that meet a state; all of them are answered. */
const shown: Readonly<Record<string, Shown>> = {
  ready: { tried: 'a' },
  loading: { health: [{ kind: 'loading', since, readyAt: undefined }, down], tried: 'a' },
  missing: {
    plan: { ...pool, groups: { m: { members: ['a/m', { at: 'b/m', order: 2 }], fallback: ['c/m'] } } },
    health: [{ kind: 'missing', since }],
    answers: { b: 'upstream_refused' },
    tried: 'b a',
  },
  cooling: { health: [cooling('failures', 1), cooling('rate_limited', 1)], tried: 'c' },
  'half-open': { health: [{ kind: 'half_open', since, round: 0 }], tried: 'b' },
  down: { health: [down, down], tried: 'c' },
  draining: { health: [draining, draining], tried: 'c' },
  disabled: { plan: { ...pool, providers: { a: { status: 'disabled' }, b: { status: 'disabled' } } }, tried: 'c' },
  recovery: { health: [cooling('failures', 0)], answers: { a: 'upstream_error' }, tried: 'a b' },
  'ready-peer': { health: [{ kind: 'loading', since, readyAt: undefined }], tried: 'b' },
  'too-long': {
    plan: { ...pool, requestMs: 10_000 },
    health: [{ kind: 'loading', since, readyAt: milliseconds(begin + 11_000) }, down],
    tried: 'c',
  },
};

/** The probes of a server, which the page has to name in its row. */
const probed: Readonly<Record<string, DialectName>> = {
  'probe-ollama': 'ollama',
  'probe-llama': 'llama_cpp',
  'probe-vllm': 'vllm',
  'probe-lm-studio': 'lm_studio',
  'probe-others': 'openai_compatible',
};

const probing = 'test/control/probing.test.ts';
const loading = 'test/gateway/loading.test.ts';
const weighed = 'src/routing/residency.test.ts';
const speeds = 'src/routing/speeds.test.ts';

/** Where more takes part: the test that proves a rule, by its file and a part of its title. */
const proven: Proven = {
  'served-id': ['test/real/served-id.test.ts', 'is not missing it, and what it really serves is shown beside it'],
  'never-called': ['test/gateway/surface.test.ts', '/health calls no model'],
  'one-state': ['src/routing/health-table.test.ts', '3.1 every state with every event'],
  'same-words': ['test/control/drain.test.ts', 'and every view says so'],
  verdict: ['test/standing.test.ts', 'where a deployment stands is the same for all who ask'],
  degraded: ['src/routing/strategies.test.ts', "name: 'one recovers'"],
  'probed-soon': [probing, 'that a request found closed is looked at within a second'],
  off: ['test/gateway/off-host.test.ts', 'costs its first request the connect time-out once, and others nothing'],
  'ramp-is-a-weight': [weighed, 'sends nothing to a fallback'],

  harmless: ['test/real/residency.test.ts', 'for an hour loads nothing'],
  'probe-router': [probing, 'a model that its router loads teaches the same'],
  interval: [probing, 'every ten seconds while it is down'],
  'probe-settings': [probing, 'again at once, as often as it says'],
  'probe-path': ['src/providers/open-ai-wire.test.ts', 'and take the declared one'],
  'probe-untold': ['src/providers/open-ai-wire.test.ts', '3.2 a service that answers %i to its probe is %s'],
  'probe-no-list': [probing, 'is asked: its list is not known'],
  'comes-back': [probing, 'is in service within one probe'],
  views: ['test/gateway/off-host.test.ts', 'costs its first request the connect time-out once, and others nothing'],
  'probe-off': [probing, 'never, where it says so'],

  waits: [loading, 'waits for probes to see it, and is sent once'],
  'answers-503': [loading, 'is told how long it took before'],
  overdue: ['src/routing/overdue.test.ts', '3.4: a load is waited for: $name'],
  'nothing-behind': [loading, 'is waited for all the same where nothing stands behind it'],
  'loads-when-asked': ['test/real/residency.test.ts', 'a model that is out of memory is told of while it loads'],
  comments: [loading, 'is told how long it took before'],

  warm: [weighed, 'an order that is declared counts more'],
  'not-told': [weighed, 'loaded first; who does not tell is taken for loaded'],
  'warm-check': [weighed, 'what was seen long ago is'],
  soonest: [speeds, '3.3 what is predicted: queue, load, prefill, decode'],
  'soonest-load': [weighed, 'fast and away before slow and there, for a long answer'],
  unseen: [weighed, 'who is not known is tried'],
  'others-count': [weighed, 'requests of others, as an engine tells them, count'],
  'seen-loaded': ['src/routing/state.test.ts', 'an answer shows that its model is in memory'],
  'seen-unloaded': ['src/routing/seats.test.ts', 'the model before is out of memory'],
  'cold-probed': ['test/real/residency.test.ts', 'what it granted is asked for soon after a load'],
  learned: [speeds, '3.3 what an answer teaches'],
  'one-slow': [speeds, 'a load that took very long'],
  'watched-load': [probing, 'a load that was watched teaches how long it takes'],
  'speeds-shown': ['test/cli/residency-words.test.ts', '3.3 what was learned of %s'],
};

describe('3: every rule of the page about health and residency', () => {
  test.each(Object.entries(lived))('health-and-residency.md#%s', (_rule, life) => {
    expect(live(life)).toEqual(life.days.map(([, , state]) => state));
  });

  test.each(Object.entries(shown))('health-and-residency.md#%s', (_rule, row) => {
    expect(play({ name: '', plan: pool, answers: {}, ...row, ends: 'ok' })).toEqual({ tried: row.tried, ends: 'ok' });
  });

  test.each(Object.entries(probed))('health-and-residency.md#%s', (rule, dialect) => {
    const text = readFileSync(join(import.meta.dirname, '..', page), 'utf8');
    const [, asked = ''] = text.split(`<a id="${rule}">`)[1]?.split(' | ') ?? [];
    const paths = dialects[dialect].probes(makeProvider({ dialect })).map(({ path }) => path);
    expect([...asked.matchAll(/`([^`]+)`/g)].map(([, path]) => path)).toEqual(paths);
  });

  checkRules(page, [lived, shown, probed].flatMap(Object.keys), proven);
});
