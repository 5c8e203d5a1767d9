import { type Milliseconds, milliseconds } from '../plan/ids.ts';

/** A running timer. */
export type Timer = {
  /** Starts it anew with its own duration, also after it was stopped. */
  restart(): void;
  stop(): void;
};

/** Time as the gateway uses it; tests hand in their own. */
export type Clock = {
  /** Monotonic: for durations, limits and order. */
  now(): Milliseconds;
  /** Wall clock in milliseconds since 1970: for people and for dates on the wire. */
  wall(): number;
  /** Calls back once after a time. */
  after(delay: Milliseconds, callback: () => void): Timer;
};

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => milliseconds(performance.now()),
  wall: () => Date.now(),
  after(delay, callback) {
    let handle: NodeJS.Timeout | undefined = setTimeout(callback, delay);
    return {
      restart: () => {
        if (handle === undefined) handle = setTimeout(callback, delay);
        else handle.refresh();
      },
      stop: () => {
        clearTimeout(handle);
        handle = undefined;
      },
    };
  },
};

/** The same clock, told of whatever a callback throws: that is its own affair, and reaches neither other timers nor the process. */
export function guardClock(clock: Clock, onFault: (error: unknown) => void): Clock {
  const guarded = (callback: () => void) => (): void => {
    try {
      callback();
    } catch (error) {
      onFault(error);
    }
  };
  return { ...clock, after: (delay, callback) => clock.after(delay, guarded(callback)) };
}
