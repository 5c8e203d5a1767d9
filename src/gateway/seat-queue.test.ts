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

/** Every model has loaded before, so that turns are kept for requests that are expected. */
function knowingLoads(state: RoutingState): RoutingState {
  state.observations.forEach((one, index) => {
    state.observations[index] = { ...one, speeds: { ...one.speeds, loadMs: 1500 } };
  });
  return state;
}

function snapshotOf(state: RoutingState): UnderstoodRequest['snapshot'] {
  return { plan, state } as unknown as UnderstoodRequest['snapshot'];
}

/** A request whose client can leave; `closed` are those who want to know of it. */
function clientOf(
  known: Pick<UnderstoodRequest, 'id' | 'snapshot' | 'deadline'>,
  priority?: string,
): { readonly request: UnderstoodRequest; readonly closed: ReadonlySet<() => void>; leaves(): void } {
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
    ...known,
    understood: { facts: factsOf({ priority }) },
    exchange: exchange as unknown as Exchange,
    waiting: undefined,
    waits,
  } as unknown as UnderstoodRequest;
  const leaves = (): void => {
    isClosed = true;
    for (const listener of [...closed]) listener();
  };
  return { request, closed, leaves };
}

function attemptAt(deployment: number): PlannedAttempt {
  return {
    deployment: deploymentIndex(deployment),
    model: `m${deployment}`,
    source: 'group',
    group: undefined,
    repeats: undefined,
  };
}

/** When other plans come into force, which have the same seats. */
const swaps = fc.array(fc.nat(12_000), { maxLength: 3 });

test('4.1: whoever waits ends exactly once, no seat is taken twice, whatever plans follow, and none is left taken', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.option(fc.nat(12_000)), swaps, async (coming, drainAt, swapsAt) => {
      const clock = createManualClock({ perReadingMs: 0.4 });
      const seats = createSeats(clock);
      const snapshots = [{ plan, state: knowingLoads(createRoutingState(plan, clock.now())) }];
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
        const deadline = milliseconds(clock.now() + one.deadlineMs);
        const known = { id: requestId(String(index)), snapshot: snapshotOf(snapshot.state), deadline };
        const { request, closed, leaves } = clientOf(known, one.priority);
        if (one.fate.kind === 'leaves') clock.after(milliseconds(one.fate.afterMs), leaves);
        const seated: Seated = await seats.take(request, attemptAt(one.deployment));
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

test.each(Array.from({ length: 20 }, (_, index) => index / 20))(
  '4.1: a turn that is kept ends in time, its timer being early by %s ms',
  async (earlyMs) => {
    const clock = createManualClock({ perReadingMs: 0.1, earlyMs });
    const seats = createSeats(clock);
    const snapshot = snapshotOf(knowingLoads(createRoutingState(plan, clock.now())));
    const ask = async (deployment: number): Promise<number> => {
      const known = { id: requestId('0'), snapshot, deadline: milliseconds(60_000) };
      const seated = await seats.take(clientOf(known).request, attemptAt(deployment));
      if (seated.kind === 'seated') seated.leave();
      return clock.now();
    };
    for (let asked = 0; asked < 3; asked++) {
      await ask(0);
      await clock.advance(100);
    }
    const other = ask(1);
    await clock.advance(60_000);
    // The third request came at 200 ms, and two more gaps are waited for.
    expect(await other).toBeLessThan(410);
  },
);
