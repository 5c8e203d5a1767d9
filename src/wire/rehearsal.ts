import type { FailureKind } from '../plan/failure.ts';
import { type BodyScan, memberText } from './scan-body.ts';

/** A failure that a request asks to see in place of its first attempt, to try what follows it. */
export type Rehearsal = { readonly field: string; readonly failure: FailureKind };

/** LiteLLM's fields by which failures are rehearsed, and what each rehearses; one has two spellings. */
export const rehearsals: ReadonlyMap<string, FailureKind> = new Map([
  ['mock_testing_fallbacks', 'rehearsed'],
  ['mock_testing_context_fallbacks', 'context_length_exceeded'],
  ['mock_testing_context_window_fallbacks', 'context_length_exceeded'],
  ['mock_testing_content_policy_fallbacks', 'upstream_content_filter'],
  ['mock_testing_rate_limit_error', 'upstream_rate_limited'],
]);

/** The failure that a body asks for; the first field of the list counts. */
export function readRehearsal(body: Uint8Array, scan: BodyScan): Rehearsal | undefined {
  for (const [field, failure] of rehearsals)
    if (memberText(body, scan, field)?.replaceAll('"', '') === 'true') return { field, failure };
  return undefined;
}
