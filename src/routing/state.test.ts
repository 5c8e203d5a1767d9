import { describe, expect, test } from 'vitest';
import { factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { deploymentIndex, milliseconds, providerId, seconds } from '../plan/ids.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { decide } from './decide.ts';
import { applyDrain } from './drain.ts';
import { countRetry, hasRetryBudget } from './retry-budget.ts';
import { applyAttemptEnded, applyAttemptStarted, applyFailure, applySuccess, createRoutingState } from './state.ts';

const now = milliseconds(50_000);
const first = deploymentIndex(0);
const pair: PlanOf = { deployments: ['a/m', 'b/m'], groups: { m: ['a/m', 'b/m'] } };
const later = (ms: number): ReturnType<typeof milliseconds> => milliseconds(now + ms);

test('3.1: a cooldown ends by one request, after which others follow', () => {
  const plan = planOf(pair);
  const state = createRoutingState(plan, now);
  const failed = { plan, deployment: first, failure: failure('upstream_refused'), alone: false, random: 0 };
  expect(applyFailure(state, { ...failed, now })).toMatchObject({ kind: 'cooling', why: 'refused' });

  const attempt = { deployment: first, model: 'm', group: undefined };
  applyAttemptStarted(state, attempt, later(5000));
  expect(state.health[0]).toMatchObject({ kind: 'half_open' });
  expect(state.inFlight[0]).toBe(1);

  applySuccess(state, first, { now: later(5100), startedAt: later(5000) });
  expect(state.health[0]).toMatchObject({ kind: 'degraded' });
  applyAttemptEnded(state, attempt);
  expect(state.inFlight[0]).toBe(0);

  applySuccess(state, first, { now: later(15_100), startedAt: later(15_000) });
  expect(state.health[0]).toEqual({ kind: 'ready' });
});

test('3.1: ten requests that fail together set aside once and for the shortest time', () => {
  const plan = planOf(pair);
  const state = createRoutingState(plan, now);
  const began = Array.from({ length: 10 }, () =>
    applyFailure(state, { plan, deployment: first, failure: failure('upstream_error'), now, alone: false, random: 0 }),
  );
  expect(began.map((one) => one !== undefined)).toEqual([
    false,
    false,
    true,
    ...Array.from({ length: 7 }, () => false),
  ]);
  expect(state.health[0]).toMatchObject({ kind: 'cooling', until: later(5000), round: 0 });
});

test.each([
  ['a/*', { kind: 'ready' }],
  ['a/m', { kind: 'cooling', why: 'configuration' }],
])('3.1: a name that %s does not know leaves it %j', (name, health) => {
  const plan = planOf({ deployments: [name, 'b/m'] });
  const state = createRoutingState(plan, now);
  const missing = failure('upstream_model_missing');
  applyFailure(state, { plan, deployment: first, failure: missing, now, alone: false, random: 0 });
  expect(state.health[0]).toMatchObject(health);
});

test('3.1: a literal name that is missing does not fail a test', () => {
  const plan = planOf({ deployments: ['a/*', 'b/m'] });
  const state = createRoutingState(plan, now);
  state.health[0] = { kind: 'half_open', since: now, round: 0 };
  const missing = failure('upstream_model_missing');
  applyFailure(state, { plan, deployment: first, failure: missing, now, alone: false, random: 0 });
  expect(state.health[0]).toMatchObject({ kind: 'degraded' });
});

describe('3.1: the state of a new plan', () => {
  const cooling: DeploymentHealth = { kind: 'cooling', since: now, until: later(9000), why: 'failures', round: 1 };
  test.each<[string, DeploymentHealth, boolean, DeploymentHealth['kind']]>([
    ['what is known stays', cooling, true, 'cooling'],
    ['a test is over with the plan that made it', { kind: 'half_open', since: now, round: 0 }, true, 'ready'],
    ['a provider that is enabled again', { kind: 'disabled', since: now }, true, 'ready'],
    ['a provider that is drained', { kind: 'draining', since: now }, true, 'draining'],
    ['a provider that was drained and is disabled', { kind: 'draining', since: now }, false, 'disabled'],
    ['a provider that is disabled', { kind: 'ready' }, false, 'disabled'],
  ])('%s', (_, health, isActive, kind) => {
    const plan = planOf(pair);
    const state = createRoutingState(plan, now);
    state.health[0] = health;
    state.listed.set(providerId('a'), new Set(['m']));
    const next = planOf({ ...pair, providers: { a: { status: isActive ? 'active' : 'disabled' } } });
    const after = createRoutingState(next, later(seconds(1)), { plan, state });
    expect(after.health[0]?.kind).toBe(kind);
    expect(after.listed.get(providerId('a'))).toEqual(new Set(['m']));
  });

  test('the retry budget goes on, for requests of either plan', () => {
    const plan = planOf(pair);
    const state = createRoutingState(plan, now);
    const after = createRoutingState(plan, now, { plan, state });
    for (const { retryBudget } of [state, after]) for (let count = 0; count < 5; count++) countRetry(retryBudget, now);
    expect([state, after].map(({ retryBudget }) => hasRetryBudget(retryBudget, now))).toEqual([false, false]);
  });

  test('a model that the new plan adds to a provider that is drained is drained too', () => {
    const plan = planOf({ deployments: ['a/m'] });
    const state = createRoutingState(plan, now);
    applyDrain({ plan, state }, providerId('a'), now);
    const next = planOf({ deployments: ['a/m', 'a/n', 'b/m'] });
    expect(createRoutingState(next, later(9), { plan, state }).health).toEqual([
      { kind: 'draining', since: now },
      { kind: 'draining', since: now },
      { kind: 'ready' },
    ]);
  });

  test('knows deployments by their id, wherever they stand', () => {
    const plan = planOf(pair);
    const state = createRoutingState(plan, now);
    state.health[1] = cooling;
    const [a, b] = plan.deployments;
    if (a === undefined || b === undefined) throw new Error('the plan has two deployments');
    const next = {
      ...plan,
      deployments: [
        { ...b, index: first },
        { ...a, index: deploymentIndex(1) },
      ],
    };
    expect(createRoutingState(next, now, { plan, state }).health).toEqual([cooling, { kind: 'ready' }]);
  });
});

test('3.3: an answer shows that its model is in memory, which `soonest` reckons with before any probe', () => {
  const plan = planOf({ ...pair, groups: { m: { strategy: 'soonest', members: ['a/m', 'b/m'] } } });
  const state = createRoutingState(plan, now);
  state.observations.forEach((one, index) => {
    const speeds = { loadMs: 9000, answerMs: 1000, prefillMsPerToken: 1, decodeMsPerToken: 10 };
    state.observations[index] = { ...one, residency: { kind: 'unloaded', at: now }, speeds };
  });
  const order = (): readonly number[] =>
    decide(plan, state, factsOf({ asked: 'm' }), later(1), () => 0.5).attempts.map((one) => one.deployment);
  expect(order()).toEqual([0, 1]);
  applySuccess(state, deploymentIndex(1), { now: later(1), startedAt: now });
  expect(state.observations[1]?.residency).toMatchObject({ kind: 'loaded', at: later(1) });
  expect(order()).toEqual([1, 0]);
});
