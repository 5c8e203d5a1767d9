import { expect, test } from 'vitest';
import { factsOf, planOf } from '../../test/support/plan-of.ts';
import type { Decision } from '../plan/decision.ts';
import { deploymentIndex, milliseconds } from '../plan/ids.ts';
import { decide } from './decide.ts';
import { takeSeat } from './seats.ts';
import { createRoutingState } from './state.ts';

const now = milliseconds(1000);

/** What puts a member behind others whatever the strategy says, what weighs most last. */
const reasons = ['no_free_seat', 'standby', 'not_in_memory', 'loading', 'far', 'not_listed'] as const;
type Reason = (typeof reasons)[number] | 'well';

/** Decides between two equal members for each of which there is such a reason, or none. */
function decideBetween(first: Reason, second: Reason): Decision {
  const both = [first, second];
  const names = ['a/m', 'b/m'];
  const plan = planOf({
    deployments: Object.fromEntries(names.map((name) => [name, { seats: 1 }])),
    providers: Object.fromEntries(
      both.map(
        (reason, index) => [['a', 'b'][index], { tier: reason === 'far' ? 'cloud_standard' : 'local' }] as const,
      ),
    ),
    groups: {
      m: {
        strategy: 'weighted_round_robin',
        members: names.map((at, index) => ({ at, weight: both[index] === 'standby' ? 0 : 1 })),
      },
    },
    routing: {
      preferWarm: { enabled: true, checkTimeoutMs: milliseconds(100) },
      geographic: { enabled: true, preferLocal: true },
    },
  });
  const state = createRoutingState(plan, now);
  for (const [index, reason] of both.entries()) {
    const observation = state.observations[index];
    if (reason === 'not_listed') state.health[index] = { kind: 'missing', since: now };
    if (reason === 'loading') state.health[index] = { kind: 'loading', since: now, readyAt: undefined };
    if (reason === 'not_in_memory' && observation !== undefined)
      state.observations[index] = { ...observation, residency: { kind: 'unloaded', at: now } };
    if (reason === 'no_free_seat') takeSeat(state, { deployment: deploymentIndex(index), model: 'm' }, now);
  }
  return decide(plan, state, factsOf({ asked: 'm' }), now, () => 0.5);
}

const pairs = reasons.flatMap((heavier, place) =>
  (['well', ...reasons.slice(0, place)] as const).map((lighter) => [heavier, lighter] as const),
);

test.each(pairs)('1.2 what is %s stands behind what is %s, and the record says why', (heavier, lighter) => {
  for (const [first, second, order] of [
    [heavier, lighter, [1, 0]],
    [lighter, heavier, [0, 1]],
  ] as const) {
    const { attempts, candidates } = decideBetween(first, second);
    expect(attempts.map((one) => Number(one.deployment))).toEqual(order);
    const told = candidates.map(({ numbers }) => Object.keys(numbers).filter((name) => !/^(?:share|turn)$/.test(name)));
    expect(told).toEqual([lighter === 'well' ? [] : [lighter], [heavier]]);
  }
});
