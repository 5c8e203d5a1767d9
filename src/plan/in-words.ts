/** Lengths of time and sums of money as people read them, in every message and on every screen. */

/** A length of time that was measured, in the unit that makes it short: "12 ms", "4.2 s", "3 min", "24 h", "5 days". */
export function durationWords(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  return ms < longMs ? `${(ms / 1000).toFixed(1)} s` : longWords(ms);
}

/** The same to the second, for what goes on while it is told: "4 s". */
export function secondsWords(ms: number): string {
  return ms < longMs ? `${Math.round(ms / 1000)} s` : longWords(ms);
}

/** The same in full seconds, so that who waits so long has waited long enough: "5 s". */
export function waitWords(ms: number): string {
  return secondsWords(Math.ceil(ms / 1000) * 1000);
}

/** From here on nobody counts seconds. */
const longMs = 90_000;

function longWords(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  return minutes < 36 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

/** A sum in dollars: "$2.50"; a small one keeps three digits that say something, "$0.0000123". */
export function dollarWords(usd: number): string {
  if (usd === 0 || usd >= 0.1) return `$${usd.toFixed(2)}`;
  return `$${usd.toFixed(2 - Math.floor(Math.log10(usd)))}`;
}
