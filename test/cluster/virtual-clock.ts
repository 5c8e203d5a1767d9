import type { Clock, Timer } from '../../src/gateway/clock.ts';
import { type Milliseconds, milliseconds } from '../../src/plan/ids.ts';
import type { Truth } from '../support/manual-clock.ts';

/** A clock that jumps from one event to the next, for days of them. */
export type VirtualClock = Clock & {
  /** Calls back at a moment of the clock. */
  at(moment: number, callback: () => void): void;
  /** Goes on to a moment, through all that falls due before it. */
  runUntil(moment: number): Promise<void>;
};

type Due = { readonly moment: number; readonly place: number; readonly callback: () => void; isStopped: boolean };

/** Creates a clock at zero. Events of one moment come in the order in which they were asked for. */
export function createVirtualClock({ perReadingMs = 0, earlyMs = 0 }: Truth = {}): VirtualClock {
  const heap: Due[] = [];
  let now = 0;
  let places = 0;
  const isBefore = (a: Due, b: Due): boolean => a.moment < b.moment || (a.moment === b.moment && a.place < b.place);

  const add = (moment: number, callback: () => void): Due => {
    const due: Due = { moment: Math.max(now, moment), place: places++, callback, isStopped: false };
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(due, above)) break;
      heap[at] = above;
      heap[parent] = due;
      at = parent;
    }
    return due;
  };

  const take = (): Due | undefined => {
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || !isBefore(child, last)) return first;
      const place = child === right ? 2 * at + 2 : 2 * at + 1;
      heap[at] = child;
      heap[place] = last;
      at = place;
    }
  };

  return {
    now: () => {
      now += perReadingMs;
      return milliseconds(now);
    },
    wall: () => Date.UTC(2026, 0, 1) + now,
    at: (moment, callback) => void add(moment, callback),
    after(delay: Milliseconds, callback): Timer {
      let due = add(now + delay - earlyMs, callback);
      return {
        restart() {
          due.isStopped = true;
          due = add(now + delay - earlyMs, callback);
        },
        stop() {
          due.isStopped = true;
        },
      };
    },
    async runUntil(moment) {
      for (;;) {
        const [next] = heap;
        if (next === undefined || next.moment > moment) break;
        take();
        if (next.isStopped) continue;
        now = Math.max(now, next.moment);
        next.callback();
        // What waits for promises goes on before the next event.
        await new Promise((resolve) => setImmediate(resolve));
      }
      now = Math.max(now, moment);
    },
  };
}
