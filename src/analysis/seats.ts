import type { DeploymentIndex } from '../plan/ids.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';

/** Requests that a server works on at once: one line stands before all that share a key. */
export type ServerSeats = { readonly key: string; readonly count: number };

/** Seats as declared, for the deployment or its provider; else one at home, and any number in a cloud. */
export function seatsAt(plan: Plan, index: DeploymentIndex): ServerSeats {
  const { id, provider, seats } = deploymentAt(plan, index);
  if (seats !== undefined) return { key: `deployment ${id}`, count: Math.max(1, seats) };
  const owner = plan.providers.get(provider);
  if (owner?.seats !== undefined) return { key: `provider ${provider}`, count: Math.max(1, owner.seats) };
  return { key: `deployment ${id}`, count: owner?.tier === 'local' ? 1 : Number.POSITIVE_INFINITY };
}

/** Seats as they become free, first come, first served. */
export type SeatLine = {
  /** When one who comes now is served. */
  freeFrom(now: number): number;
  /** Takes the seat that is free first, until a moment. */
  take(until: number): void;
};

/** Creates a line before so many seats. */
export function createSeatLine(count: number): SeatLine {
  if (!Number.isFinite(count)) return { freeFrom: (now) => now, take: () => {} };
  const ends = Array.from({ length: count }, () => 0);
  const first = (): number => ends.indexOf(Math.min(...ends));
  return {
    freeFrom: (now) => Math.max(now, ends[first()] ?? 0),
    take(until) {
      ends[first()] = until;
    },
  };
}
