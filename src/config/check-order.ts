import type { Milliseconds } from '../plan/ids.ts';
import type { Findings, Place } from './findings.ts';

/** A limit in time, and what it is of, in a sentence. */
type TimeLimit = { readonly what: string; readonly ms: Milliseconds };

/** Warns of a limit that would never be reached, since the one around it ends before. */
export function checkOrder(inner: TimeLimit & { readonly place: Place }, outer: TimeLimit, findings: Findings): void {
  if (inner.ms <= outer.ms) return;
  findings.add(
    'timeouts-order',
    inner.place,
    `The limit of ${inner.what} (${inner.ms / 1000} s) is longer than that of ${outer.what} (${outer.ms / 1000} s)`,
    { found: inner.ms / 1000, fix: `Lower it to ${outer.ms / 1000} or less` },
  );
}
