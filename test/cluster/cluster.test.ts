import { expect, test } from 'vitest';
import { soak } from './cluster.ts';
import { broken, tallied } from './invariants.ts';

test('7: a day of a cluster with loads, evictions, limits and outages breaks nothing', async () => {
  const soaked = await soak({ days: 1, seed: 7, requestsPerDay: 2500 });
  expect(broken(soaked)).toEqual({});
  // The day was one: things failed, waited, were loaded and limited.
  const { ended, failures, waited, loads } = tallied(soaked);
  expect(ended).toMatchObject({
    completed: expect.any(Number),
    upstream_error: expect.any(Number),
    client_closed: expect.any(Number),
  });
  expect(failures).toMatchObject({ model_not_found: expect.any(Number), rate_limited: expect.any(Number) });
  expect(waited).toBeGreaterThan(50);
  expect(loads).toMatchObject({ box: expect.any(Number) });
}, 60_000);
