import type { Milliseconds } from '../plan/ids.ts';
import type { LimitIndex, LimitState, Reservation } from '../plan/limit.ts';
import { count, openSecond, secondOf } from './limit-windows.ts';

/**
 * Takes room for one request and its estimated tokens, and holds it for as long as it takes: the
 * request until it is sent, its tokens until they are known. Only then their minute begins.
 */
export function reserve(state: LimitState, indices: readonly LimitIndex[], tokens: number): Reservation | undefined {
  if (indices.length === 0) return undefined;
  for (const index of indices) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    counts.requests.held++;
    counts.tokens.held += heldOf(state, index, tokens);
    counts.running++;
  }
  return { limits: indices, tokens, isSent: false };
}

/** A request that wants more than a minute has is let through when the minute is empty. */
function heldOf(state: LimitState, index: LimitIndex, tokens: number): number {
  return Math.min(tokens, state.limits[index]?.rate.tokensPerMinute ?? tokens);
}

/** The request of a reservation is sent: it may have waited for long, and its server counts from now on. */
export function sendReserved(state: LimitState, reservation: Reservation, now: Milliseconds): Reservation {
  const second = secondOf(now);
  for (const index of reservation.limits) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    openSecond(counts, second);
    counts.requests.held--;
    count(counts.requests, second, 1);
  }
  return { ...reservation, isSent: true };
}

/** Ends a reservation with the tokens that were used; where they are not known the estimate stands for them. */
export function settleReservation(
  state: LimitState,
  { limits, tokens, isSent }: Reservation,
  used: number | undefined,
  now: Milliseconds,
): void {
  const second = secondOf(now);
  for (const index of limits) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    const held = heldOf(state, index, tokens);
    counts.running = Math.max(0, counts.running - 1);
    counts.tokens.held -= held;
    if (!isSent) counts.requests.held--;
    else {
      openSecond(counts, second);
      count(counts.tokens, second, used ?? held);
    }
  }
}
