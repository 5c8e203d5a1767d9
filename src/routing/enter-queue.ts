import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { SeatQueue, Waiter } from '../plan/seats.ts';
import { nextOf, type Outlook, outlookOf, type SeatInput, seeAsked } from './seats.ts';

/** What becomes of a request that comes to a queue. Only one that waits stands in it afterwards. */
export type Entry =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly limitMs: Milliseconds; readonly outlook: Outlook }
  | {
      readonly kind: 'refused';
      /** Whether the wait itself would be too long, or only too many wait already. */
      readonly why: 'too_long' | 'too_many';
      readonly limitMs: Milliseconds;
      readonly outlook: Outlook;
    };

/** Lets a request come to its queue: it goes at once, waits for so long at most, or is refused where it cannot be in time. */
export function enterQueue(
  input: SeatInput,
  waiter: Waiter,
  { queue, deadline }: { readonly queue: SeatQueue; readonly deadline: number },
): Entry {
  const { since: now } = waiter;
  const { maxWaitMs, maxLength } = input.plan.settings.server.queue;
  seeAsked(input.state, waiter, now);
  // Who goes next is asked of the queue with the newcomer in it, and so is how long that one would wait.
  queue.waiting.push(waiter);
  const next = nextOf(input, queue, now);
  if (next.kind === 'goes' && next.waiter === waiter) {
    leaveQueue(queue, waiter);
    return { kind: 'go' };
  }
  const outlook = outlookOf(input, waiter, now);
  const limitMs = milliseconds(Math.max(0, Math.min(maxWaitMs ?? Number.POSITIVE_INFINITY, deadline - now)));
  const isTooLong = (outlook.waitMs ?? 0) > limitMs;
  if (!isTooLong && queue.waiting.length <= maxLength) return { kind: 'wait', limitMs, outlook };
  leaveQueue(queue, waiter);
  return { kind: 'refused', why: isTooLong ? 'too_long' : 'too_many', limitMs, outlook };
}

/** Takes a waiter out of its queue: it goes, or waits no longer. */
export function leaveQueue({ waiting }: SeatQueue, waiter: Waiter): void {
  waiting.splice(waiting.indexOf(waiter), 1);
}
