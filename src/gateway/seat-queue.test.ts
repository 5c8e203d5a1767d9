import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { factsOf, planOf } from '../../test/support/plan-of.ts';
import type { PlannedAttempt } from '../plan/decision.ts';
import { deploymentIndex, milliseconds, requestId } from '../plan/ids.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { createRoutingState } from '../routing/state.ts';
import type { Exchange } from './exchange.ts';
import type { SeatWait, UnderstoodRequest } from './request.ts';
import { createSeats, type Seated } from './seat-queue.ts';

const plan = planOf({
  deployments: { 'a/m0': { seats: 2 }, 'a/m1': { seats: 1 }, 'b/m2': { seats: 1 } },
  providers: { a: { exclusiveGroup: 'card' } },
});

/** What happens to a request while it waits or is served. */
type Fate = { readonly kind: 'served'; readonly forMs: number } | { readonly kind: 'leaves'; readonly afterMs: number };

const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.record({ kind: fc.constant('served' as const), forMs: fc.integer({ min: 1, max: 4000 }) }),
  fc.record({ kind: fc.constant('leaves' as const), afterMs: fc.integer({ min: 0, max: 4000 }) }),
);
const requests = fc.array(
  fc.record({
    at: fc.nat(10_000),
    deployment: fc.nat(2),
    priority: fc.constantFrom(undefined, 'batch'),
    deadlineMs: fc.constantFrom(1000, 3000, 60_000),
    fate,
    // A request that began under the plan before asks for one more seat.
    isLate: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

/** When other plans come into force, which have the same seats. */
const swaps = fc.array(fc.nat(12_000), { maxLength: 3 });

test('4.1: whoever waits ends exactly once, no seat is taken twice, whatever plans follow, and none is left taken', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.option(fc.nat(12_000)), swaps, async (coming, drainAt, swapsAt) => {
      const clock = createManualClock();
      const seats = createSeats(clock);
      const snapshots = [{ plan, state: createRoutingState(plan, clock.now()) }];
      const newest = (): { plan: typeof plan; state: RoutingState } => {
        const last = snapshots.at(-1);
        if (last === undefined) throw new Error('There is always a plan');
        return last;
      };
      const running = [0, 0, 0];
      const ends = coming.map(() => 0);
      let served = 0;
      const take = async (index: number): Promise<void> => {
        const one = coming[index];
        if (one === undefined) return;
        const snapshot = (one.isLate ? snapshots.at(-2) : undefined) ?? newest();
        const closed = new Set<() => void>();
        let isClosed = false;
        const exchange = {
          get closed() {
            return isClosed;
          },
          whenClosed: (listener: () => void) => {
            closed.add(listener);
            return () => closed.delete(listener);
          },
        };
        const waits: SeatWait[] = [];
        const request = {
          id: requestId(String(index)),
          snapshot,
          understood: { facts: factsOf({ priority: one.priority }) },
          deadline: milliseconds(clock.now() + one.deadlineMs),
          exchange: exchange as unknown as Exchange,
          waiting: undefined,
          waits,
        } as unknown as UnderstoodRequest;
        const attempt: PlannedAttempt = {
          deployment: deploymentIndex(one.deployment),
          model: `m${one.deployment}`,
          source: 'group',
          group: undefined,
          repeats: undefined,
        };
        const leaves = (): void => {
          isClosed = true;
          for (const listener of [...closed]) listener();
        };
        if (one.fate.kind === 'leaves') clock.after(milliseconds(one.fate.afterMs), leaves);
        const seated: Seated = await seats.take(request, attempt);
        ends[index] = (ends[index] ?? 0) + 1;
        expect(request.waiting).toBeUndefined();
        expect(closed.size).toBe(0);
        if (seated.kind === 'refused') return;
        served++;
        running[one.deployment] = (running[one.deployment] ?? 0) + 1;
        // Several may be let in at once, of which this is the first to go on.
        const [first = 0, second = 0, third = 0] = newest().state.inFlight;
        expect([first <= 2, second <= 1, third <= 1, first * second]).toEqual([true, true, true, 0]);
        for (const [at, count] of running.entries()) expect(newest().state.inFlight[at]).toBeGreaterThanOrEqual(count);
        clock.after(milliseconds(one.fate.kind === 'served' ? one.fate.forMs : 1), () => {
          running[one.deployment] = (running[one.deployment] ?? 0) - 1;
          seated.leave();
          seated.leave();
        });
      };
      coming.forEach((one, index) => {
        clock.after(milliseconds(one.at), () => void take(index));
      });
      for (const at of swapsAt)
        clock.after(milliseconds(at), () => {
          snapshots.push({ plan, state: createRoutingState(plan, clock.now(), newest()) });
        });
      if (drainAt !== null) clock.after(milliseconds(drainAt), seats.drain);
      await clock.advance(300_000);
      expect(ends).toEqual(coming.map(() => 1));
      for (const { state } of snapshots) {
        expect([...state.inFlight]).toEqual([0, 0, 0]);
        expect([...state.seats.busyAtProvider]).toEqual([0, 0]);
        expect(state.seats.queues.map((queue) => [queue.busy, queue.waiting.length])).toEqual([
          [0, 0],
          [0, 0],
        ]);
      }
      expect(served).toBeLessThanOrEqual(coming.length);
    }),
    { numRuns: 100 },
  );
}, 30_000);
