import type { Side } from '../analysis/compare.ts';
import type { SeenRequest } from '../analysis/seen-request.ts';
import { readMoment } from './moment.ts';

/** The requests that a side of a comparison stands for, or why it stands for none. */
export type ReadSide =
  | { readonly kind: 'read'; readonly side: Side }
  | { readonly kind: 'wrong'; readonly message: string };

/** Fewer letters of a plan's hash are too likely to be something else. */
const fewestLetters = 6;

/**
 * Reads one side: a span (`30m..10m`, `14:00..14:30`), the beginning of a plan's hash, or one
 * moment, which is everything recorded up to it for `before` and from it on for `after`.
 */
export function readSide(
  which: 'before' | 'after',
  text: string,
  { requests, now }: { readonly requests: readonly SeenRequest[]; readonly now: number },
): ReadSide {
  const hash = text.toLowerCase();
  const byPlan =
    hash.length < fewestLetters ? [] : requests.filter(({ plan }) => plan?.toLowerCase().startsWith(hash) === true);
  if (byPlan.length > 0) return { kind: 'read', side: { what: `plan ${text}`, requests: byPlan } };
  const ends = text.split('..').map((end) => readMoment(end, now));
  const [from, to] = ends;
  if (from === undefined || ends.length > 2 || (ends.length === 2 && to === undefined))
    return { kind: 'wrong', message: wrongSide(which, text, requests) };
  const span = to !== undefined ? [from, to] : which === 'before' ? [Number.NEGATIVE_INFINITY, from] : [from, now];
  const [start = 0, end = 0] = span;
  // A moment that two sides share belongs to the later one.
  const within = requests.filter(({ at }) => at >= start && (which === 'before' ? at < end : at <= end));
  return { kind: 'read', side: { what: spanText(start, end), requests: within } };
}

function spanText(start: number, end: number): string {
  const until = new Date(end).toISOString();
  return Number.isFinite(start) ? `${new Date(start).toISOString()} to ${until}` : `up to ${until}`;
}

function wrongSide(which: string, text: string, requests: readonly SeenRequest[]): string {
  const plans = [...new Set(requests.flatMap(({ plan }) => plan ?? []))].map((plan) => plan.slice(0, 12));
  const known = plans.length === 0 ? 'no plan is recorded' : `recorded plans are ${plans.join(', ')}`;
  const wanted = `a time (10m, 14:30), a span (30m..10m) or ${fewestLetters} letters and more of a plan's hash`;
  return `--${which} wants ${wanted} (${known}), found "${text}"`;
}
