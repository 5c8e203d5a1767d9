import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { factsOf, planOf } from '../../test/support/plan-of.ts';
import type { PlannedAttempt } from '../plan/decision.ts';
import { deploymentIndex, milliseconds, requestId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import { type Residency, unseenEngine } from '../plan/residency.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { nextOf } from '../routing/seats.ts';
import { createRoutingState } from '../routing/state.ts';
import type { Exchange } from './exchange.ts';
import type { DecidedRequest, SeatWait } from './request.ts';
import { createSeats, type Seated } from './seat-queue.ts';

/** Two models that take turns, one with a seat of its own, and one whose seats change. */
const planWith = (seats: number | undefined): Plan =>
  planOf({
    deployments: { 'a/m0': { seats: 2 }, 'a/m1': { seats: 1 }, 'b/m2': { seats: 1 }, 'c/m3': { seats } },
    providers: { a: { exclusiveGroup: 'card' } },
  });
const plan = planWith(1);
const changing = 3;

/** What happens to a request while it waits or is served. */
type Fate = { readonly kind: 'served'; readonly forMs: number } | { readonly kind: 'leaves'; readonly afterMs: number };

const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.record({ kind: fc.constant('served' as const), forMs: fc.integer({ min: 1, max: 8000 }) }),
  fc.record({ kind: fc.constant('leaves' as const), afterMs: fc.integer({ min: 0, max: 4000 }) }),
);
const requests = fc.array(
  fc.record({
    at: fc.nat(5000),
    deployment: fc.nat(changing),
    priority: fc.constantFrom(undefined, 'batch'),
    deadlineMs: fc.constantFrom(1000, 3000, 60_000),
    fate,
    // A request that began under the plan before asks for one more seat.
    isLate: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30, size: 'max' },
);

/** Every model has loaded before, so that turns are kept for requests that are expected. */
function knowingLoads(state: RoutingState): RoutingState {
  state.observations.forEach((one, index) => {
    state.observations[index] = { ...one, speeds: { ...one.speeds, loadMs: 1500 } };
  });
  return state;
}

function snapshotOf(force: Pick<DecidedRequest['snapshot'], 'plan' | 'state'>): DecidedRequest['snapshot'] {
  return force as unknown as DecidedRequest['snapshot'];
}

/** A request whose client can leave; `closed` are those who want to know of it. */
function clientOf(
  known: Pick<DecidedRequest, 'id' | 'snapshot' | 'deadline'>,
  priority?: string,
): { readonly request: DecidedRequest; readonly closed: ReadonlySet<() => void>; leaves(): void } {
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
  } as unknown as DecidedRequest;
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

/** How many seats the last model has from some time on: as another plan declares that comes into force, or as its server tells a probe. */
const changes = fc.array(
  fc.record({ at: fc.nat(6000), by: fc.constantFrom('plan', 'probe'), seats: fc.constantFrom(undefined, 1, 2, 3) }),
  { maxLength: 5, size: 'max' },
);

/** What its server tells of the last model. */
function tell(state: RoutingState, seats: number | undefined): void {
  const one = state.observations[changing];
  const residency: Residency = { kind: 'loaded', at: milliseconds(0), engine: { ...unseenEngine, seats } };
  if (one !== undefined) state.observations[changing] = { ...one, residency };
}

type Force = { readonly plan: Plan; readonly state: RoutingState };

/** Longest that somebody may wait for what is free: a look comes every second, and the test itself looks every 100 ms. */
const unheardMs = 1100;

test('4.1: whoever waits ends exactly once and not while what it waits for is free, no seat is taken twice, whatever plans and probes tell, and none is left taken', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.option(fc.nat(12_000)), changes, async (coming, drainAt, changing) => {
      const clock = createManualClock({ perReadingMs: 0.4, earlyMs: 0.9 });
      const seats = createSeats({ clock, random: () => 0.5 });
      const forces: Force[] = [{ plan, state: knowingLoads(createRoutingState(plan, clock.now())) }];
      const newest = (): Force => {
        const last = forces.at(-1);
        if (last === undefined) throw new Error('There is always a plan');
        return last;
      };
      const running = [0, 0, 0, 0];
      const ends = coming.map(() => 0);
      let served = 0;
      const take = async (index: number): Promise<void> => {
        const one = coming[index];
        if (one === undefined) return;
        const force = (one.isLate ? forces.at(-2) : undefined) ?? newest();
        const deadline = milliseconds(clock.now() + one.deadlineMs);
        const known = { id: requestId(String(index)), snapshot: snapshotOf(force), deadline };
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
      for (const { at, by, seats: told } of changing)
        clock.after(milliseconds(at), () => {
          if (by === 'probe') return tell(newest().state, told);
          const next = planWith(told);
          forces.push({ plan: next, state: createRoutingState(next, clock.now(), newest()) });
        });
      if (drainAt !== null) clock.after(milliseconds(drainAt), seats.drain);
      const waitsInVain = (): boolean =>
        forces.some((force) =>
          force.state.seats.queues.some((queue) => nextOf(force, queue, clock.now()).kind === 'goes'),
        );
      let inVainSince: number | undefined;
      for (let step = 0; step < 3000; step++) {
        await clock.advance(100);
        inVainSince = waitsInVain() ? (inVainSince ?? clock.now()) : undefined;
        expect(clock.now() - (inVainSince ?? clock.now())).toBeLessThanOrEqual(unheardMs);
        if (ends.every((count) => count === 1) && running.every((count) => count === 0)) break;
      }
      expect(ends).toEqual(coming.map(() => 1));
      for (const { state } of forces) {
        expect([...state.inFlight]).toEqual([0, 0, 0, 0]);
        expect([...state.seats.busyAtProvider]).toEqual([0, 0, 0]);
        expect(state.seats.queues.map((queue) => queue.busy + queue.waiting.length)).toEqual([0, 0, 0]);
      }
      expect(served).toBeLessThanOrEqual(coming.length);
    }),
    { numRuns: 100 },
  );
}, 60_000);

test.each(Array.from({ length: 20 }, (_, index) => index / 20))(
  '4.1: a turn that is kept ends in time, its timer being early by %s ms',
  async (earlyMs) => {
    const clock = createManualClock({ perReadingMs: 0.1, earlyMs });
    const seats = createSeats({ clock, random: () => 0.5 });
    const snapshot = snapshotOf({ plan, state: knowingLoads(createRoutingState(plan, clock.now())) });
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

/** Asks for seats at one time; who has one, and who does not yet, is seen without the clock going on. */
function counter(): {
  readonly clock: ReturnType<typeof createManualClock>;
  ask(force: Force, deployment: number): { leaves(): void; seat(): Promise<Seated | 'waits'> };
} {
  const clock = createManualClock();
  const seats = createSeats({ clock, random: () => 0.5 });
  return {
    clock,
    ask(force, deployment) {
      const known = { id: requestId('0'), snapshot: snapshotOf(force), deadline: milliseconds(600_000) };
      const { request, leaves } = clientOf(known);
      const asked = Promise.resolve(seats.take(request, attemptAt(deployment)));
      return {
        leaves,
        async seat() {
          await clock.advance(0);
          return Promise.race([asked, Promise.resolve('waits' as const)]);
        },
      };
    },
  };
}

test('4.1: who leaves lets those in at once whom it kept from a free seat', async () => {
  const { clock, ask } = counter();
  const force = { plan, state: createRoutingState(plan, clock.now()) };
  ask(force, 0);
  const impatient = ask(force, 1);
  await clock.advance(10_500);
  // Its patience is over, so that the turn ends with what runs, though the model has a second seat.
  const next = ask(force, 0);
  expect(await next.seat()).toBe('waits');
  impatient.leaves();
  expect(await next.seat()).toMatchObject({ kind: 'seated' });
});

test('4.1: a seat that a request of the plan before gives back is taken at once', async () => {
  const { clock, ask } = counter();
  const before = { plan, state: createRoutingState(plan, clock.now()) };
  const held = await ask(before, 2).seat();
  const after = { plan, state: createRoutingState(plan, clock.now(), before) };
  const next = ask(after, 2);
  expect(await next.seat()).toBe('waits');
  if (held !== 'waits' && held.kind === 'seated') held.leave();
  expect(await next.seat()).toMatchObject({ kind: 'seated' });
});
