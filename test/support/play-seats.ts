import { deploymentIndex, type Milliseconds, milliseconds } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RoutingState } from '../../src/plan/routing-state.ts';
import type { SeatQueue, Waiter } from '../../src/plan/seats.ts';
import { leaveSeat, nextOf, seatFor, seeAsked, takeSeat } from '../../src/routing/seats.ts';
import { createRoutingState } from '../../src/routing/state.ts';

/** One request of a play: when it comes, and to which deployment of the plan. */
export type Arrival = { readonly at: number; readonly deployment: number; readonly isBatch?: boolean };

/** Requests before a server that takes so long to answer, and so long to bring another model into memory. */
export type SeatPlay = {
  readonly plan: Plan;
  readonly arrivals: readonly Arrival[];
  readonly answerMs: number;
  readonly loadMs: number;
  /** Who goes next; absent: as the product says. */
  readonly inOrderOfArrival?: boolean;
  /** Looks at the state after every change. */
  readonly watch?: (state: RoutingState) => void;
};

/** A request that was served. */
export type Served = {
  readonly arrival: Arrival;
  readonly waiter: Waiter;
  readonly startedAt: number;
  readonly endedAt: number;
};

/** Plays requests on a clock of its own; gives them in the order in which they began, with the loads that they cost. */
export function playSeats(play: SeatPlay): { readonly served: readonly Served[]; readonly loads: number } {
  const { plan, answerMs, loadMs } = play;
  const state = createRoutingState(plan, milliseconds(0));
  state.observations.forEach((one, index) => {
    state.observations[index] = { ...one, speeds: { ...one.speeds, loadMs, answerMs } };
  });
  const served: Served[] = [];
  const coming = play.arrivals.toSorted((a, b) => a.at - b.at);
  const running: Served[] = [];
  const arrivalOf = new Map<Waiter, Arrival>();
  let loads = 0;
  let clock = milliseconds(0);
  const start = (waiter: Waiter, now: Milliseconds): void => {
    const queue = state.seats.queueOf[waiter.deployment];
    const before = queue?.turn;
    takeSeat(state, waiter, now);
    const isLoad = queue?.isExclusive === true && queue.turn !== before;
    if (isLoad) loads++;
    // Who comes while the model loads waits for the load too.
    const readyAt = isLoad
      ? now + loadMs
      : Math.max(now, (queue?.turn?.since ?? 0) + (queue?.isExclusive ? loadMs : 0));
    const arrival = arrivalOf.get(waiter);
    if (arrival === undefined) throw new Error('A request began that never came');
    const one = { arrival, waiter, startedAt: now, endedAt: readyAt + answerMs };
    served.push(one);
    running.push(one);
    play.watch?.(state);
  };
  const nextWaiter = (queue: SeatQueue, now: Milliseconds): Waiter | undefined => {
    const [first] = queue.waiting;
    if (play.inOrderOfArrival)
      return first !== undefined && seatFor({ plan, state }, first) === 'free' ? first : undefined;
    const next = nextOf({ plan, state }, queue, now);
    return next.kind === 'goes' ? next.waiter : undefined;
  };
  const letIn = (now: Milliseconds): void => {
    for (const queue of state.seats.queues) {
      for (;;) {
        const next = nextWaiter(queue, now);
        if (next === undefined) break;
        queue.waiting.splice(queue.waiting.indexOf(next), 1);
        start(next, now);
      }
    }
  };
  const wakesAt = (): number =>
    Math.min(
      ...state.seats.queues.map((one) => {
        const next = nextOf({ plan, state }, one, clock);
        return next.kind === 'kept' ? next.until : Number.POSITIVE_INFINITY;
      }),
    );
  const waits = (): boolean => state.seats.queues.some((one) => one.waiting.length > 0);
  while (coming.length > 0 || running.length > 0 || waits()) {
    running.sort((a, b) => a.endedAt - b.endedAt);
    const ends = running[0]?.endedAt ?? Number.POSITIVE_INFINITY;
    const comes = coming[0]?.at ?? Number.POSITIVE_INFINITY;
    const wakes = play.inOrderOfArrival ? Number.POSITIVE_INFINITY : wakesAt();
    clock = milliseconds(Math.max(clock, Math.min(ends, comes, wakes)));
    const now = clock;
    if (wakes < ends && wakes < comes) {
      letIn(now);
      continue;
    }
    if (ends <= comes) {
      const one = running.shift();
      if (one !== undefined) leaveSeat(state, one.waiter.deployment);
      play.watch?.(state);
    } else {
      const arrival = coming.shift();
      if (arrival === undefined) break;
      const { deployment, isBatch = false } = arrival;
      const waiter = { deployment: deploymentIndex(deployment), model: `m${deployment}`, isBatch, since: now };
      arrivalOf.set(waiter, arrival);
      seeAsked(state, waiter, now);
      state.seats.queueOf[deployment]?.waiting.push(waiter);
    }
    letIn(now);
  }
  return { served, loads };
}
