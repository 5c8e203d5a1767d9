import type { TimesReport } from '../contract/route-stats.ts';

/** The value below which a part of the values lie, by the nearest rank; null of nothing. */
export function quantile(values: readonly number[], part: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))] ?? null;
}

/** Quantiles of times in milliseconds. */
export function timesOf(times: readonly number[]): TimesReport {
  return { p50Ms: quantile(times, 0.5), p95Ms: quantile(times, 0.95), p99Ms: quantile(times, 0.99) };
}
