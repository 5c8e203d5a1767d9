import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import { secondsWords } from '../plan/in-words.ts';
import { deploymentAt } from '../plan/plan.ts';
import type { SeatQueue, Waiter } from '../plan/seats.ts';
import { type Entry, enterQueue, leaveQueue } from '../routing/enter-queue.ts';
import { isSame } from '../routing/path.ts';
import { isBatch } from '../routing/priority.ts';
import { isBounded, nextOf, type Outlook, outlookOf, type SeatInput } from '../routing/seats.ts';
import { applyAttemptEnded, applyAttemptStarted } from '../routing/state.ts';
import type { Timer } from './clock.ts';
import { type Choosing, nextAttempt } from './next-attempt.ts';
import type { DecidedRequest, UnderstoodRequest } from './request.ts';
import { shuttingDown } from './shutting-down.ts';

/** What came of asking for a seat. */
export type Seated =
  /** The attempt may begin; `leave` gives the seat back, once however often it is called. */
  { readonly kind: 'seated'; readonly leave: () => void } | { readonly kind: 'refused'; readonly failure: Failure };

/** The seats of a gateway, and those who wait for them. Who may wait is said by routing/enter-queue.ts, who goes next by routing/seats.ts. */
export type Seats = {
  /** Takes a seat for an attempt: at once where one is free, else when its turn comes. */
  take(request: DecidedRequest, attempt: PlannedAttempt): Seated | Promise<Seated>;
  /** Sends on whoever waits for a deployment that is draining: nothing was sent there yet. */
  leaveDraining(): void;
  /** Sends away everybody who waits, and whoever would have to wait from now on. */
  drain(): void;
};

/** How often a queue is looked at again while somebody waits in it, and nothing else says that a seat is free. */
const lookMs = 1000;

/** Creates the seats of a gateway. */
export function createSeats({ clock, random }: Choosing): Seats {
  /** Those who wait, with what ends their waiting; each is ended exactly once. */
  const waiting = new Map<Waiter, { readonly asks: Asks; readonly end: (seated: Seated) => void }>();
  /** The queues in which somebody waits, those of an older plan first. */
  const queues = new Map<SeatQueue, SeatInput>();
  const wakers = new Map<SeatQueue, Timer>();
  let draining = false;

  const seat = (request: UnderstoodRequest, attempt: PlannedAttempt): Seated => {
    const { state } = request.snapshot;
    applyAttemptStarted(state, attempt, clock.now());
    let isTaken = true;
    const leave = (): void => {
      if (!isTaken) return;
      isTaken = false;
      applyAttemptEnded(state, attempt);
      for (const [queue, input] of [...queues]) {
        // Plans that follow one another share their seats, so that who waits in one may wait for another's.
        if (queue === state.seats.queueOf[attempt.deployment] || input.state !== state) letIn(input, queue);
      }
    };
    return { kind: 'seated', leave };
  };

  /** Sends on whoever waits at a server that probes have found gone, and can be served elsewhere; the probe may be wrong for the others. */
  const sendOn = (queue: SeatQueue): void => {
    for (const { asks, end } of queue.waiting.flatMap((one) => waiting.get(one) ?? [])) {
      const { request, attempt } = asks;
      const gone = closedBy('down', request, attempt);
      if (gone === undefined) continue;
      const now = clock.now();
      const next = nextAttempt({ clock, random }, request, { attempt, failure: gone, startedAt: now, endedAt: now });
      if (next.kind === 'attempt' && !isSame(next.attempt, attempt)) end(refused(gone));
    }
  };

  /** Lets in whoever can go now; each that is let in changes who can. */
  const letIn = (input: SeatInput, queue: SeatQueue): void => {
    let next = nextOf(input, queue, clock.now());
    for (; next.kind === 'goes'; next = nextOf(input, queue, clock.now())) waiting.get(next.waiter)?.end(admitted);
    wakers.get(queue)?.stop();
    wakers.delete(queue);
    if (queue.waiting.length === 0) return;
    // A turn that is kept ends by itself; and another plan, or a probe, may have told of more seats than before.
    const delay = next.kind === 'kept' ? Math.min(lookMs, next.until - clock.now()) : lookMs;
    wakers.set(
      queue,
      clock.after(milliseconds(Math.max(1, delay)), () => {
        sendOn(queue);
        letIn(input, queue);
      }),
    );
  };

  const enter = ({ request, attempt }: Asks, queue: SeatQueue): Seated | Promise<Seated> => {
    const { snapshot, deadline } = request;
    const since = clock.now();
    const waiter: Waiter = {
      deployment: attempt.deployment,
      model: attempt.model,
      isBatch: isBatch(request.understood.facts),
      since,
    };
    const entry = enterQueue(snapshot, waiter, { queue, deadline });
    if (entry.kind === 'go') return seat(request, attempt);
    if (draining) {
      if (entry.kind === 'wait') leaveQueue(queue, waiter);
      return refused(shuttingDown);
    }
    const { limitMs, outlook } = entry;
    const late = { request, attempt, queue, limitMs };
    if (entry.kind === 'refused') return refused(tooLate({ ...late, why: entry.why }, outlook));
    const { exchange } = request;
    request.waiting = { kind: 'seat', waiter };
    queues.set(queue, snapshot);
    return new Promise((resolve) => {
      const end = (seated: Seated): void => {
        if (!waiting.delete(waiter)) return;
        leaveQueue(queue, waiter);
        if (queue.waiting.length === 0) queues.delete(queue);
        timer.stop();
        leave();
        request.waiting = undefined;
        request.waits.push({ attempt, since, endedAt: clock.now(), ...outlook });
        resolve(seated === admitted ? seat(request, attempt) : seated);
        // Without this one the next in order may be another, whom a free seat waits for.
        if (seated !== admitted) letIn(snapshot, queue);
      };
      const timer = clock.after(limitMs, () =>
        end(refused(tooLate({ ...late, why: 'too_long' }, outlookOf(snapshot, waiter, clock.now())))),
      );
      const leave = exchange.whenClosed(() => end(refused(failure('client_closed'))));
      waiting.set(waiter, { asks: { request, attempt }, end });
      // It may be the first for whom a turn that is kept would end.
      letIn(snapshot, queue);
    });
  };

  return {
    take(request, attempt) {
      const { snapshot } = request;
      // It may have been drained since the decision, or while its model loaded.
      const drained = closedBy('draining', request, attempt);
      if (drained !== undefined) return refused(drained);
      const queue = snapshot.state.seats.queueOf[attempt.deployment];
      if (queue === undefined || !isBounded(snapshot, attempt.deployment)) return seat(request, attempt);
      return enter({ request, attempt }, queue);
    },
    leaveDraining() {
      for (const { asks, end } of [...waiting.values()]) {
        const drained = closedBy('draining', asks.request, asks.attempt);
        if (drained !== undefined) end(refused(drained));
      }
    },
    drain() {
      draining = true;
      for (const { end } of [...waiting.values()]) end(refused(shuttingDown));
    },
  };
}

/** Who asks for a seat, and for which attempt. */
type Asks = { readonly request: DecidedRequest; readonly attempt: PlannedAttempt };

/** Stands for the seat that a waiter is given when it is let in; the seat itself is taken for its attempt. */
const admitted: Seated = { kind: 'seated', leave: () => {} };

function refused(why: Failure): Seated {
  return { kind: 'refused', failure: why };
}

/** That nothing is sent any more to where an attempt waits, if this is why. */
function closedBy(
  why: 'draining' | 'down',
  { snapshot }: UnderstoodRequest,
  { deployment, model }: PlannedAttempt,
): Failure | undefined {
  if (snapshot.state.health[deployment]?.kind !== why) return undefined;
  const { provider } = deploymentAt(snapshot.plan, deployment);
  return failure('no_seat', `No seat for "${model}" at ${provider}: it is ${why}`, { retryAfterMs: unknownWait });
}

type Late = {
  readonly request: UnderstoodRequest;
  readonly attempt: PlannedAttempt;
  readonly queue: SeatQueue;
  readonly limitMs: number;
  readonly why: Extract<Entry, { kind: 'refused' }>['why'];
};

/** Why a request cannot have a seat in time, and when it may: when those who wait now have been served. */
function tooLate({ request, attempt, queue, limitMs, why }: Late, { waitMs }: Outlook): Failure {
  const { provider } = deploymentAt(request.snapshot.plan, attempt.deployment);
  const about = waitMs === undefined ? '' : `, the wait is about ${secondsWords(waitMs)}`;
  const reason = why === 'too_many' ? 'no more may wait' : `longer than ${secondsWords(limitMs)}`;
  const message = `All seats for "${attempt.model}" at ${provider} are taken and ${queue.waiting.length} wait${about}: ${reason}`;
  return failure('no_seat', message, { retryAfterMs: waitMs === undefined ? unknownWait : milliseconds(waitMs) });
}

/** Where no answer has taught yet how long one takes. */
const unknownWait: Milliseconds = milliseconds(5000);
