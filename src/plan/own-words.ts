import type { Failure, FailureKind } from './failure.ts';
import { failureCatalogue } from './failure-catalogue.ts';

/** Failures whose message repeats what the client sent. */
const repeatsRequest: ReadonlySet<FailureKind> = new Set(['bad_json', 'duplicate_key', 'wrong_type', 'bad_request']);

/**
 * A failure in words that hold nothing of the request, for what outlives it: logs and records. An
 * upstream may repeat a person's prompt in its own words.
 */
export function ownWords({ kind, message, param, upstreamError }: Failure): string {
  if (upstreamError === undefined && !repeatsRequest.has(kind)) return message;
  const { meaning } = failureCatalogue[kind];
  // The names of other parameters are the client's or the upstream's.
  return upstreamError === undefined && param !== undefined && kind === 'wrong_type'
    ? `${meaning} (${param})`
    : meaning;
}
