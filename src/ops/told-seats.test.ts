import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import type { ResidencyStatus, StatusReport } from '../contract/status.ts';
import type { Plan } from '../plan/plan.ts';
import type { AdminClient } from './admin-client.ts';
import { withToldSeats } from './told-seats.ts';

const plan = planOf({
  deployments: { 'near/small': {}, 'far/small': { seats: 8 }, 'cloud/large': {} },
  groups: { fast: { members: ['near/small', 'far/small', 'cloud/large'] } },
});
const seatsOf = ({ deployments }: Plan): readonly (number | undefined)[] => deployments.map(({ seats }) => seats);

/** A gateway whose servers tell so many seats. */
function gatewayOf(told: Readonly<Record<string, number | null>>): AdminClient {
  const providers = Object.entries(told).map(([at, seats]) => {
    const [name, model] = at.split('/');
    return { name, deployments: [{ model, residency: { state: 'loaded', seats } as ResidencyStatus }] };
  });
  // Nothing else of it is asked.
  return { status: async () => ({ providers }) as unknown as StatusReport } as AdminClient;
}

test('6.2 what is played has the seats that servers tell, where nobody declares any', async () => {
  const gateway = gatewayOf({ 'near/small': 2, 'far/small': 1, 'cloud/large': null, 'gone/small': 4 });
  expect(seatsOf(await withToldSeats(plan, gateway))).toEqual([2, 8, undefined]);
});

test('6.2 where no gateway runs, what is played has the seats that are declared', async () => {
  expect(seatsOf(await withToldSeats(plan, undefined))).toEqual([undefined, 8, undefined]);
});
