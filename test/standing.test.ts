import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Condition } from '../src/plan/condition.ts';
import { milliseconds } from '../src/plan/ids.ts';
import type { DeploymentHealth } from '../src/plan/routing-state.ts';
import { decide } from '../src/routing/decide.ts';
import { type Standing, standingOf } from '../src/routing/health.ts';
import { createRoutingState } from '../src/routing/state.ts';
import { type BareGateway, startBareGateway } from './support/bare-gateway.ts';
import { factsOf, type PlanOf, planOf } from './support/plan-of.ts';

const unavailable: Condition = {
  source: 'a_unavailable',
  expression: { kind: 'variable', variable: { kind: 'provider_unavailable', provider: 'a' } },
};
const alone: PlanOf = { deployments: ['a/m'], groups: { m: ['a/m'] } };
const backed: PlanOf = {
  deployments: ['a/m', 'z/m'],
  groups: { m: { members: ['a/m'], chain: [{ at: 'z/m', condition: unavailable }] } },
};

let gateway: BareGateway;
beforeAll(async () => {
  gateway = await startBareGateway({
    providers: { a: { type: 'openai_compatible', base_url: 'http://127.0.0.1:9', models: ['m'] } },
  });
});
afterAll(() => gateway.close());

/** One deployment in a state: where it stands, who is asked for it, and what the gateway says of itself. */
type Row = {
  readonly health: DeploymentHealth;
  readonly stands: Standing;
  /** Where nothing stands behind it; `desperate` is the last resort. */
  readonly alone: string | undefined;
  readonly verdict: 'healthy' | 'unhealthy';
};

const now = milliseconds(100_000);
const cooling = (ms: number): DeploymentHealth => ({
  ...{ kind: 'cooling', since: milliseconds(0), until: milliseconds(now + ms), why: 'failures', round: 0 },
});

/** The first that is tried for a request, by the part of the configuration that led to it. */
function firstTried(written: PlanOf, health: DeploymentHealth): string | undefined {
  const plan = planOf(written);
  const state = createRoutingState(plan, now);
  state.health[0] = health;
  const [first] = decide(plan, state, factsOf({ asked: 'm' }), now, () => 0.5).attempts;
  return first === undefined ? undefined : `${first.source}:${plan.deployments[first.deployment]?.provider}`;
}

test.each<Row>([
  { health: { kind: 'ready' }, stands: 'serves', alone: 'group:a', verdict: 'healthy' },
  {
    ...{ health: { kind: 'degraded', since: now, why: 'recovering' }, stands: 'serves' },
    ...{ alone: 'group:a', verdict: 'healthy' },
  },
  {
    ...{ health: { kind: 'loading', since: now, readyAt: undefined }, stands: 'serves' },
    ...{ alone: 'group:a', verdict: 'healthy' },
  },
  // It is asked, since a list may be wrong; nobody would call it healthy.
  { health: { kind: 'missing', since: now }, stands: 'serves', alone: 'group:a', verdict: 'unhealthy' },
  { health: cooling(1), stands: 'set_aside', alone: 'desperate:a', verdict: 'unhealthy' },
  { health: cooling(0), stands: 'serves', alone: 'group:a', verdict: 'healthy' },
  {
    ...{ health: { kind: 'half_open', since: now, round: 0 }, stands: 'set_aside' },
    ...{ alone: 'desperate:a', verdict: 'unhealthy' },
  },
  {
    ...{ health: { kind: 'down', since: now, why: 'no answer in time' }, stands: 'out' },
    ...{ alone: undefined, verdict: 'unhealthy' },
  },
  { health: { kind: 'draining', since: now }, stands: 'out', alone: undefined, verdict: 'unhealthy' },
  { health: { kind: 'disabled', since: now }, stands: 'out', alone: undefined, verdict: 'unhealthy' },
])('1.2, 3.1 where a deployment stands is the same for all who ask: $health.kind $stands', async (row) => {
  expect(standingOf(row.health, now)).toBe(row.stands);
  expect(firstTried(alone, row.health)).toBe(row.alone);
  // An item for when the provider is unavailable goes in for it exactly when it is passed over.
  expect(firstTried(backed, row.health)).toBe(row.stands === 'serves' ? 'group:a' : 'chain:z');

  const { snapshot, clock, url } = gateway;
  // The gateway's clock stands at another time than the plan's.
  const until = (ms: number): ReturnType<typeof milliseconds> => milliseconds(clock.now() + ms - now);
  snapshot.state.health[0] =
    row.health.kind === 'cooling' ? { ...row.health, until: until(row.health.until) } : row.health;
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: row.verdict });
});
