import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import { deploymentIndex, milliseconds } from '../plan/ids.ts';
import { overdueAt } from './overdue.ts';
import { createRoutingState } from './state.ts';

const since = milliseconds(5000);
const index = deploymentIndex(0);

test.each([
  { name: 'what its loads took, three times', loadMs: 20_000, isLoading: true, limit: 60_000 },
  { name: 'no sooner than ten seconds', loadMs: 500, isLoading: true, limit: 10_000 },
  {
    name: 'a limit on its first words before what it learned',
    declared: 4000,
    loadMs: 20_000,
    isLoading: true,
    limit: 4000,
  },
  { name: 'the limit of all where nothing was learned', isLoading: true, limit: 'of all' },
  { name: 'none where nothing loads', loadMs: 500, isLoading: false, limit: undefined },
] as const)('3.4: a load is waited for: $name', ({ isLoading, limit, ...given }) => {
  const { loadMs, declared } = { loadMs: undefined, declared: undefined, ...given };
  const bare = planOf({ deployments: ['a/m'] });
  const plan = {
    ...bare,
    deployments: bare.deployments.map((one) => ({
      ...one,
      timeouts: { ...one.timeouts, firstTokenMs: declared === undefined ? undefined : milliseconds(declared) },
    })),
  };
  const state = createRoutingState(plan, milliseconds(0));
  state.observations.forEach((one, at) => {
    state.observations[at] = { ...one, speeds: { ...one.speeds, loadMs } };
  });
  if (isLoading) state.health[index] = { kind: 'loading', since, readyAt: undefined };
  const expected = limit === 'of all' ? plan.settings.timeouts.firstTokenMs : limit;
  expect(overdueAt({ plan, state }, index)).toBe(expected === undefined ? undefined : since + expected);
});
