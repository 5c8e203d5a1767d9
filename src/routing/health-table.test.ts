import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import type { FailureKind } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';
import type { Cooling, CoolingReason, DeploymentHealth } from '../plan/routing-state.ts';
import {
  afterDrain,
  afterFailure,
  afterProbe,
  afterReturn,
  afterStart,
  afterSuccess,
  type ProbeSight,
} from './health.ts';

/*
 * Every state with every event, once with peers that can stand in and once alone. A cell is the
 * state that follows; `=` is no change at all, `again` a cooldown that is over at once, so that
 * the next request is the test.
 */

const now = milliseconds(1_000_000);
const before = milliseconds(now - 5000);
const { cooldown } = planOf({ deployments: [] }).settings;

const cooling = (why: CoolingReason, ms = 3000): Cooling => ({
  kind: 'cooling',
  since: before,
  until: milliseconds(now + ms),
  why,
  round: 1,
});

const states: Readonly<Record<string, DeploymentHealth>> = {
  ready: { kind: 'ready' },
  recovering: { kind: 'degraded', since: before, why: 'recovering' },
  recovered: { kind: 'degraded', since: milliseconds(now - 10_000), why: 'recovering' },
  loading: { kind: 'loading', since: before, readyAt: undefined },
  missing: { kind: 'missing', since: before },
  failing: cooling('failures'),
  'cooled down': cooling('failures', 0),
  refused: cooling('refused'),
  limited: cooling('rate_limited'),
  misconfigured: cooling('configuration'),
  half_open: { kind: 'half_open', since: before, round: 1 },
  down: { kind: 'down', since: before, why: 'no answer in time' },
  'failing, down': { kind: 'down', since: before, why: 'no answer in time', held: cooling('failures') },
  draining: { kind: 'draining', since: before },
  disabled: { kind: 'disabled', since: before },
};

type Event = (health: DeploymentHealth, alone: boolean) => DeploymentHealth;

const fails =
  (kind: FailureKind, earlier: number, retryAfterMs?: number): Event =>
  (health, alone) =>
    afterFailure(health, {
      failure: failure(kind, undefined, retryAfterMs === undefined ? {} : { retryAfterMs: milliseconds(retryAfterMs) }),
      now,
      settings: cooldown,
      cooldownMs: undefined,
      alone,
      random: 0,
      failures: Array.from({ length: earlier }, () => ({ at: milliseconds(now - 1000), kind })),
      loadMs: undefined,
    }).health;
const seen =
  (sight: ProbeSight): Event =>
  (health) =>
    afterProbe(health, sight, now);

const events: Readonly<Record<string, Event>> = {
  start: (health) => afterStart(health, now),
  answer: (health) => afterSuccess(health, { now, startedAt: now }),
  'late answer': (health) => afterSuccess(health, { now, startedAt: milliseconds(before - 1) }),
  '1st error': fails('upstream_error', 0),
  '3rd error': fails('upstream_error', 2),
  refused: fails('upstream_refused', 0),
  'no door': fails('upstream_timeout_connect', 0),
  'rate limit': fails('upstream_rate_limited', 0),
  'for 9 s': fails('upstream_rate_limited', 0, 9000),
  'bad key': fails('upstream_auth', 0),
  '503 loading': fails('upstream_loading', 2),
  'bad request': fails('upstream_bad_request', 2),
  'client left': fails('client_closed', 2),
  'seen up': seen({ kind: 'up', listed: true }),
  'seen unlisted': seen({ kind: 'up', listed: false }),
  'seen loading': seen({ kind: 'loading', loadMs: undefined }),
  'seen down': seen({ kind: 'down', why: 'status 500' }),
  drained: (health) => afterDrain(health, now),
  returned: afterReturn,
};

function words(after: DeploymentHealth, from: DeploymentHealth): string {
  if (after === from) return '=';
  if (after.kind !== 'cooling') return after.kind;
  return after.until <= now ? 'again' : `${after.why} ${(after.until - now) / 1000} s`;
}

function tableOf(alone: boolean): string {
  const rows = Object.entries(states).map(([name, health]) => [
    name,
    ...Object.values(events).map((event) => words(event(health, alone), health)),
  ]);
  const all = [['', ...Object.keys(events)], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

test.each([
  ['with peers', false],
  ['alone', true],
] as const)('3.1 every state with every event, %s', async (name, alone) => {
  await expect(`${tableOf(alone)}\n`).toMatchFileSnapshot(`health-table.${name.replace(' ', '-')}.txt`);
});
