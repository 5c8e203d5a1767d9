import type { Plan } from '../plan/plan.ts';
import type { AdminClient } from './admin-client.ts';

/**
 * A plan whose deployments have the seats that their servers tell a running gateway, where nobody
 * declares any: with these live traffic waits and overflows, so what is played has to as well.
 */
export async function withToldSeats(plan: Plan, running: AdminClient | undefined): Promise<Plan> {
  if (running === undefined) return plan;
  const { providers } = await running.status();
  const told = new Map<string, number>();
  for (const { name, deployments } of providers)
    for (const { model, residency } of deployments)
      if (residency?.seats != null) told.set(`${name}/${model}`, residency.seats);
  const deployments = plan.deployments.map((one) => ({
    ...one,
    seats: one.seats ?? told.get(`${one.provider}/${one.backendModel}`),
  }));
  return { ...plan, deployments };
}
