import type { Clock, Timer } from '../../src/gateway/clock.ts';
import { type Milliseconds, milliseconds } from '../../src/plan/ids.ts';

/** A clock that stands still until it is told to go on. */
export type ManualClock = Clock & {
  /** Goes on, and calls back what falls due on the way, in its order. */
  advance(ms: number): Promise<void>;
  /** Timers that run. */
  pending(): number;
};

type Pending = { due: number; readonly delay: number; readonly callback: () => void; running: boolean };

/** What makes a clock like a real one. */
export type Truth = {
  /** How far it has gone on each time that it is read. */
  readonly perReadingMs?: number;
  /** How much too early a timer calls: those of Node count whole milliseconds. */
  readonly earlyMs?: number;
};

/** Creates a clock at zero. */
export function createManualClock({ perReadingMs = 0, earlyMs = 0 }: Truth = {}): ManualClock {
  let now = 0;
  const pending = new Set<Pending>();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    pending: () => pending.size,
    now: () => {
      now += perReadingMs;
      return milliseconds(now);
    },
    wall: () => Date.UTC(2026, 10, 24) + now,
    after(delay: Milliseconds, callback): Timer {
      const one: Pending = { due: now + delay - earlyMs, delay, callback, running: true };
      pending.add(one);
      return {
        restart() {
          one.due = now + one.delay - earlyMs;
          one.running = true;
          pending.add(one);
        },
        stop() {
          one.running = false;
          pending.delete(one);
        },
      };
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...pending].filter((one) => one.running && one.due <= end).sort((a, b) => a.due - b.due)[0];
        if (next === undefined) break;
        now = Math.max(now, next.due);
        pending.delete(next);
        next.callback();
        await settle();
      }
      now = Math.max(now, end);
      await settle();
    },
  };
}
