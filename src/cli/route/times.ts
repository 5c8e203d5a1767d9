import type { TimesReport } from '../../contract/route-stats.ts';
import { readMoment } from '../../ops/moment.ts';
import type { Problem } from '../fail.ts';
import { duration } from '../style.ts';

/** The moment that an option names, or what is wrong with it. */
export function momentOf(
  option: string,
  text: string,
  now: number,
): { readonly kind: 'moment'; readonly at: number } | { readonly kind: 'wrong'; readonly problem: Problem } {
  const at = readMoment(text, now);
  if (at !== undefined) return { kind: 'moment', at };
  const message = `${option} wants a time such as 10m, 14:30 or 2026-11-25T14:30, found "${text}"`;
  return { kind: 'wrong', problem: { kind: 'usage', message } };
}

/** A time of many, or a dash where there is none. */
export function timeCell(ms: number | null): string {
  return ms === null ? '-' : duration(ms);
}

/** "p50 1.2 s, p95 4.1 s, p99 5.0 s". */
export function timesText({ p50Ms, p95Ms, p99Ms }: TimesReport): string {
  return `p50 ${timeCell(p50Ms)}, p95 ${timeCell(p95Ms)}, p99 ${timeCell(p99Ms)}`;
}
