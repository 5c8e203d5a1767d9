import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import { milliseconds } from '../plan/ids.ts';
import { type Residency, unseenEngine } from '../plan/residency.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { createRoutingState } from '../routing/state.ts';
import { explain } from './explain.ts';

const unloaded = (at: number): Residency => ({ kind: 'unloaded', at: milliseconds(at) });
const loaded = (at: number): Residency => ({ kind: 'loaded', at: milliseconds(at), engine: unseenEngine });

function see(state: RoutingState, residencies: readonly Residency[]): void {
  for (const [index, residency] of residencies.entries()) {
    const one = state.observations[index];
    if (one !== undefined) state.observations[index] = { ...one, residency };
  }
}

test('6.1 explain asks what is in memory where that decides and was seen too long ago, as a request would', async () => {
  const plan = planOf({
    deployments: ['a/m', 'b/m'],
    groups: { m: ['a/m', 'b/m'] },
    routing: { preferWarm: { enabled: true, checkTimeoutMs: milliseconds(100) } },
  });
  const state = createRoutingState(plan, milliseconds(0));
  see(state, [loaded(0), unloaded(0)]);
  const asked: unknown[] = [];
  const answer = await explain(
    {
      plan,
      state,
      now: milliseconds(60_000),
      listing: () => Promise.resolve(),
      residency: (providers, limit) => {
        asked.push([...providers], limit);
        see(state, [unloaded(60_000), loaded(60_000)]);
        return Promise.resolve();
      },
    },
    { model: 'm' },
  );
  expect(asked).toEqual([['a', 'b'], 100]);
  expect(answer.order).toEqual(['b/m', 'a/m']);
});
