import { describe, expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import type { FailureKind } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds, seconds } from '../plan/ids.ts';
import type { CoolingReason, DeploymentHealth, RecentFailure } from '../plan/routing-state.ts';
import type { CooldownSettings, PolicyClass } from '../plan/settings.ts';
import { afterFailure, afterProbe, afterStart, afterSuccess, type ProbeSight, shareOf } from './health.ts';

const now = milliseconds(1_000_000);
const long = milliseconds(now - 60_000);
const { cooldown } = planOf({ deployments: [] }).settings;

const ready: DeploymentHealth = { kind: 'ready' };
const half: DeploymentHealth = { kind: 'half_open', since: long, round: 1 };
const down: DeploymentHealth = { kind: 'down', since: long, why: 'no answer in time' };
const missing: DeploymentHealth = { kind: 'missing', since: long };
const loading: DeploymentHealth = { kind: 'loading', since: long, readyAt: undefined };
const draining: DeploymentHealth = { kind: 'draining', since: long };
const disabled: DeploymentHealth = { kind: 'disabled', since: long };
const degraded = (since = long): DeploymentHealth => ({ kind: 'degraded', since, why: 'recovering' });
const cooling = (ms: number, why: CoolingReason = 'failures', round = 0): DeploymentHealth => ({
  kind: 'cooling',
  since: long,
  until: milliseconds(now + ms),
  why,
  round,
});

/** A health in words: what matters of it. */
function words(health: DeploymentHealth): string {
  switch (health.kind) {
    case 'cooling':
      return `cooling ${health.why} ${(health.until - now) / 1000} s round ${health.round}`;
    case 'half_open':
      return `half_open round ${health.round}`;
    case 'degraded':
      return `degraded for ${(now - health.since) / 1000} s`;
    case 'down':
      return `down ${health.why} for ${(now - health.since) / 1000} s`;
    case 'missing':
      return `missing for ${(now - health.since) / 1000} s`;
    case 'loading': {
      const ends = health.readyAt === undefined ? '' : `, ready in ${(health.readyAt - now) / 1000} s`;
      return `loading for ${(now - health.since) / 1000} s${ends}`;
    }
    default:
      return health.kind;
  }
}

test.each<[DeploymentHealth, string]>([
  [ready, 'ready'],
  [half, 'degraded for 0 s'],
  [cooling(5000), 'degraded for 0 s'],
  [degraded(milliseconds(now - 9999)), 'degraded for 9.999 s'],
  [degraded(milliseconds(now - 10_000)), 'ready'],
  [loading, 'ready'],
  [missing, 'ready'],
  [down, 'ready'],
  [draining, 'draining'],
  [disabled, 'disabled'],
])('3.1: %j after a success: %s', (before, after) =>
  expect(words(afterSuccess(before, { now, startedAt: milliseconds(now - 100) }))).toBe(after),
);

test.each<[DeploymentHealth, string]>([
  [ready, 'ready'],
  [cooling(1), 'cooling failures 0.001 s round 0'],
  [cooling(0, 'failures', 3), 'half_open round 3'],
  [half, 'half_open round 1'],
  [down, 'down no answer in time for 60 s'],
])('3.1: %j when an attempt begins: %s', (before, after) => expect(words(afterStart(before, now))).toBe(after));

test.each([
  [0, 0.1],
  [999, 0.1],
  [2500, 0.25],
  [5000, 0.5],
  [10_000, 1],
  [60_000, 1],
])('3.1 the share of what recovers grows: after %i ms it is %d', (ms, share) => {
  expect(shareOf(degraded(milliseconds(now - ms)), now)).toBeCloseTo(share, 3);
});

/** A failed attempt of a deployment that others could stand in for. */
type Row = {
  readonly before?: DeploymentHealth;
  readonly kind: FailureKind;
  /** Failures of the last minute, this many seconds ago. */
  readonly earlier?: readonly number[];
  readonly earlierKind?: FailureKind;
  readonly retryAfterS?: number;
  readonly alone?: boolean;
  readonly random?: number;
  readonly settings?: Partial<CooldownSettings>;
  readonly cooldownMs?: number;
  readonly loadMs?: number;
  readonly after: string;
};

function checkFailure(row: Row): void {
  const { before = ready, kind, earlier = [], earlierKind = 'upstream_error', retryAfterS, alone = false } = row;
  const failures = earlier.map((ago): RecentFailure => ({ at: milliseconds(now - ago * 1000), kind: earlierKind }));
  const { health } = afterFailure(before, {
    failure: failure(kind, undefined, retryAfterS === undefined ? {} : { retryAfterMs: seconds(retryAfterS) }),
    now,
    settings: { ...cooldown, ...row.settings },
    cooldownMs: row.cooldownMs === undefined ? undefined : milliseconds(row.cooldownMs),
    alone,
    random: row.random ?? 0,
    failures,
    loadMs: row.loadMs,
  });
  expect(words(health)).toBe(row.after);
}

const policy = (kind: PolicyClass, count: number): Partial<CooldownSettings> => ({
  allowedFailsPolicy: new Map([[kind, count]]),
});

describe('3.1: after a failure', () => {
  test.each<Row>([
    // The third failure within a minute sets aside.
    { kind: 'upstream_error', after: 'ready' },
    { kind: 'upstream_error', earlier: [50], after: 'ready' },
    { kind: 'upstream_error', earlier: [59, 1], after: 'cooling failures 5 s round 0' },
    { kind: 'upstream_error', earlier: [60, 1], after: 'ready' },
    { kind: 'upstream_timeout_first_token', earlier: [2, 1], after: 'cooling failures 5 s round 0' },
    { before: degraded(), kind: 'upstream_error', earlier: [2, 1], after: 'cooling failures 5 s round 0' },
    { kind: 'upstream_error', earlier: [2, 1], random: 1, after: 'cooling failures 5.5 s round 0' },
    // As error_based_routing declares it.
    {
      kind: 'upstream_error',
      settings: { allowedFails: 1, cooldownMs: seconds(300), maxCooldownMs: seconds(300) },
      after: 'cooling failures 300 s round 0',
    },
    { kind: 'upstream_error', earlier: [2, 1], cooldownMs: 30_000, after: 'cooling failures 30 s round 0' },
    { kind: 'upstream_error', earlier: [2, 1], cooldownMs: 0, after: 'ready' },
    { kind: 'upstream_error', earlier: [2, 1], settings: { enabled: false }, after: 'ready' },
    // A failed test doubles the cooldown, up to its limit.
    { before: half, kind: 'upstream_error', after: 'cooling failures 20 s round 2' },
    {
      before: { kind: 'half_open', since: long, round: 8 },
      kind: 'upstream_reset',
      after: 'cooling failures 60 s round 9',
    },
    // What fails besides was sent before: it does not double.
    { before: cooling(5000), kind: 'upstream_error', earlier: [1], after: 'cooling failures 5 s round 0' },
    { before: cooling(2000, 'failures', 1), kind: 'upstream_error', after: 'cooling failures 10 s round 1' },

    // What counts at once.
    { kind: 'upstream_refused', after: 'cooling refused 5 s round 0' },
    { kind: 'upstream_rate_limited', after: 'cooling rate_limited 60 s round 0' },
    { kind: 'upstream_rate_limited', retryAfterS: 7, after: 'cooling rate_limited 7 s round 0' },
    {
      before: cooling(3000, 'rate_limited'),
      kind: 'upstream_rate_limited',
      retryAfterS: 20,
      after: 'cooling rate_limited 20 s round 0',
    },
    {
      before: cooling(30_000, 'rate_limited'),
      kind: 'upstream_rate_limited',
      retryAfterS: 1,
      after: 'cooling rate_limited 30 s round 0',
    },
    { kind: 'upstream_quota_exhausted', after: 'cooling rate_limited 60 s round 0' },
    { kind: 'upstream_auth', after: 'cooling configuration 60 s round 0' },
    { kind: 'upstream_model_missing', after: 'cooling configuration 60 s round 0' },

    // Nothing can stand in: only a Retry-After or a refused connection.
    { kind: 'upstream_error', earlier: [2, 1], alone: true, after: 'ready' },
    { kind: 'upstream_auth', alone: true, after: 'ready' },
    { kind: 'upstream_rate_limited', alone: true, after: 'ready' },
    { kind: 'upstream_rate_limited', retryAfterS: 7, alone: true, after: 'cooling rate_limited 7 s round 0' },
    { kind: 'upstream_refused', alone: true, after: 'cooling refused 5 s round 0' },
    { before: half, kind: 'upstream_error', alone: true, after: 'cooling failures 0 s round 1' },

    // What the client did, or the prompt, counts against nobody.
    { kind: 'client_closed', earlier: [2, 1], after: 'ready' },
    { kind: 'upstream_bad_request', earlier: [2, 1], after: 'ready' },
    { kind: 'context_length_exceeded', earlier: [2, 1], after: 'ready' },
    { kind: 'upstream_content_filter', earlier: [2, 1], after: 'ready' },
    { kind: 'upstream_unsupported', earlier: [2, 1], after: 'ready' },
    // A test that told nothing is made again by the next request.
    { before: half, kind: 'client_closed', after: 'cooling failures 0 s round 1' },

    { kind: 'upstream_loading', after: 'loading for 0 s' },
    { kind: 'upstream_loading', loadMs: 9000, after: 'loading for 0 s, ready in 9 s' },
    { before: loading, kind: 'upstream_loading', after: 'loading for 60 s' },
    { before: disabled, kind: 'upstream_refused', after: 'disabled' },
    { before: draining, kind: 'upstream_refused', after: 'draining' },

    // LiteLLM's allowed_fails_policy: one more than it allows, of its class.
    { kind: 'upstream_rate_limited', settings: policy('RateLimitError', 1), after: 'ready' },
    {
      kind: 'upstream_rate_limited',
      earlier: [3],
      earlierKind: 'upstream_rate_limited',
      settings: policy('RateLimitError', 1),
      after: 'cooling rate_limited 60 s round 0',
    },
    {
      kind: 'upstream_rate_limited',
      earlier: [3, 2, 1],
      settings: policy('RateLimitError', 1),
      after: 'ready',
    },
    { kind: 'upstream_timeout_total', settings: policy('TimeoutError', 0), after: 'cooling failures 5 s round 0' },
  ])('$kind $before $earlier $settings alone $alone: $after', checkFailure);
});

const up = (listed?: boolean): ProbeSight => ({ kind: 'up', listed });
const lost: ProbeSight = { kind: 'down', why: 'no answer in time' };

describe('3.1: a probe ends only what a probe or a refused connection began', () => {
  test.each<[DeploymentHealth, ProbeSight, string]>([
    [ready, up(true), 'ready'],
    [ready, up(), 'ready'],
    [ready, up(false), 'missing for 0 s'],
    [missing, up(false), 'missing for 60 s'],
    [missing, up(true), 'ready'],
    [down, up(true), 'ready'],
    [down, up(false), 'missing for 0 s'],
    [loading, up(true), 'ready'],
    [degraded(milliseconds(now - 9999)), up(true), 'degraded for 9.999 s'],
    [degraded(milliseconds(now - 10_000)), up(true), 'ready'],
    [cooling(5000, 'refused'), up(true), 'ready'],
    [cooling(5000), up(true), 'cooling failures 5 s round 0'],
    [cooling(5000, 'rate_limited'), up(true), 'cooling rate_limited 5 s round 0'],
    [cooling(5000, 'configuration'), up(false), 'cooling configuration 5 s round 0'],
    [half, up(true), 'half_open round 1'],
    [ready, lost, 'down no answer in time for 0 s'],
    [down, lost, 'down no answer in time for 60 s'],
    [down, { kind: 'down', why: 'status 500' }, 'down status 500 for 60 s'],
    [cooling(5000), lost, 'down no answer in time for 0 s'],
    [ready, { kind: 'loading', loadMs: undefined }, 'loading for 0 s'],
    [loading, { kind: 'loading', loadMs: undefined }, 'loading for 60 s'],
    [disabled, up(true), 'disabled'],
    [draining, lost, 'draining'],
  ])('%j seen %j: %s', (before, sight, after) => expect(words(afterProbe(before, sight, now))).toBe(after));
});
