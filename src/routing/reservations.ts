import type { Milliseconds } from '../plan/ids.ts';
import type { LimitIndex, LimitState, Reservation } from '../plan/limit.ts';
import { count, openSecond, secondOf, slots } from './limit-windows.ts';

/** Takes room for one request and its estimated tokens, which {@link settleReservation} makes true. */
export function reserve(
  state: LimitState,
  indices: readonly LimitIndex[],
  tokens: number,
  now: Milliseconds,
): Reservation | undefined {
  if (indices.length === 0) return undefined;
  const second = secondOf(now);
  for (const index of indices) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    openSecond(counts, second);
    count(counts.requests, second, 1);
    count(counts.tokens, second, reservedOf(state, index, tokens));
    counts.running++;
  }
  return { limits: indices, second, tokens };
}

/** A request that wants more than a minute has is let through when the minute is empty. */
function reservedOf(state: LimitState, index: LimitIndex, tokens: number): number {
  return Math.min(tokens, state.limits[index]?.rate.tokensPerMinute ?? tokens);
}

/** What became of a request that had room: it was never sent, or it used so many tokens; unknown keeps the estimate. */
export type Settlement = { readonly kind: 'unsent' } | { readonly kind: 'sent'; readonly tokens: number | undefined };

/** Ends a reservation. What is used counts when it is known, so a long stream counts at its end. */
export function settleReservation(
  state: LimitState,
  reservation: Reservation,
  settlement: Settlement,
  now: Milliseconds,
): void {
  const second = secondOf(now);
  for (const index of reservation.limits) {
    const counts = state.counts[index];
    if (counts === undefined) continue;
    counts.running = Math.max(0, counts.running - 1);
    const isLive = counts.lastSecond - reservation.second < slots;
    const isKnown = settlement.kind === 'unsent' || settlement.tokens !== undefined;
    if (isLive && settlement.kind === 'unsent') count(counts.requests, reservation.second, -1);
    if (isLive && isKnown) count(counts.tokens, reservation.second, -reservedOf(state, index, reservation.tokens));
    if (settlement.kind === 'unsent' || settlement.tokens === undefined) continue;
    openSecond(counts, second);
    count(counts.tokens, second, settlement.tokens);
  }
}
