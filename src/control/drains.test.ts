import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { deploymentIndex, milliseconds, providerId } from '../plan/ids.ts';
import { leaveSeat, takeSeat } from '../routing/seats.ts';
import { createRoutingState } from '../routing/state.ts';
import { createDrains } from './drains.ts';

const now = milliseconds(1000);
const a = providerId('a');

function snapshotOf(deployments: readonly string[], previous?: Snapshot): Snapshot {
  const plan = planOf({ deployments: [...deployments] });
  const state = createRoutingState(plan, now, previous);
  return { generation: 1, plan, state, upstreams: new Map(), keys: [], cache: undefined };
}

test('4.3.1 a drain counts and holds what runs by an earlier plan too, and says once when it is empty', () => {
  const before = snapshotOf(['a/m', 'b/m', 'a/gone']);
  const [kept, gone] = [0, 2].map((at) => ({ deployment: deploymentIndex(at), model: 'm' }));
  if (kept === undefined || gone === undefined) throw new Error('Two models run');
  takeSeat(before.state, kept, now);
  const force = snapshotOf(['a/m', 'b/m'], before);
  const lines: string[] = [];
  const log = { event: (_level: string, event: string) => void lines.push(event) };
  const drains = createDrains({ snapshots: () => [force, before], now: () => now, log });
  takeSeat(before.state, gone, now);
  takeSeat(force.state, { deployment: deploymentIndex(0), model: 'm' }, now);
  drains.begin(a);
  expect(drains.report('a')).toEqual({ provider: 'a', draining: true, running: 3 });
  expect(before.state.health.map(({ kind }) => kind)).toEqual(['draining', 'ready', 'draining']);
  leaveSeat(force.state, deploymentIndex(0));
  leaveSeat(before.state, gone.deployment);
  drains.settled();
  expect(lines).toEqual(['provider_draining']);
  leaveSeat(before.state, kept.deployment);
  for (const _twice of [1, 2]) drains.settled();
  drains.begin(a);
  expect(lines).toEqual(['provider_draining', 'provider_drained']);
  for (const _twice of [1, 2]) drains.end(a);
  expect(lines).toEqual(['provider_draining', 'provider_drained', 'provider_returned']);
  expect(drains.report('a')).toEqual({ provider: 'a', draining: false, running: 0 });
  expect(drains.report('c')).toBeUndefined();
});
