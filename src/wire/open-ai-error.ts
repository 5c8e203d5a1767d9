import type { Failure } from '../plan/failure.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';

/** What an OpenAI client is told of a failure: status, body and the headers that belong to it. */
export type OpenAiError = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
};

/** A failure as OpenAI's clients read it. */
export function openAiError(failed: Failure): OpenAiError {
  const { status, clientMayRetry } = failureCatalogue[failed.kind];
  const headers = [
    'content-type',
    'application/json',
    'x-should-retry',
    String(clientMayRetry && failed.retryAfterMs !== undefined),
  ];
  if (failed.retryAfterMs !== undefined && (status === 429 || status === 503)) {
    headers.push('retry-after', String(Math.max(1, Math.ceil(failed.retryAfterMs / 1000))));
  }
  return { status: statusOf(failed, status), headers, body: errorObject(failed) };
}

/** A failure within a stream: one event without `choices`, after which nothing may follow. */
export function openAiErrorEvent(failed: Failure): string {
  return `data: ${errorObject(failed)}\n\n`;
}

/** A refused request keeps the status that the upstream gave it (400, 413, 422 …). */
function statusOf(failed: Failure, status: number): number {
  const theirs = failed.upstreamStatus;
  const keeps = failed.kind === 'upstream_bad_request' && theirs !== undefined && theirs >= 400 && theirs < 500;
  return keeps ? theirs : status;
}

function errorObject(failed: Failure): string {
  const { type, code } = failureCatalogue[failed.kind];
  const hint =
    failed.nearest === undefined || failed.nearest.length === 0
      ? ''
      : `. Did you mean ${failed.nearest.map((name) => `"${name}"`).join(', ')}?`;
  const theirs = failed.kind === 'upstream_bad_request' ? failed.upstreamError : undefined;
  return JSON.stringify({
    error: {
      message: `${failed.message}${hint}`,
      type: theirs?.type ?? type,
      param: failed.param ?? null,
      code: typeof theirs?.code === 'string' ? theirs.code : code,
    },
  });
}
