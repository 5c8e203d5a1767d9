/**
 * Analysis: what recorded requests show, and what another plan would have done with them. Values
 * in, values out, and the same seed gives the same result; whatever is chosen here is chosen by
 * `decide`. It reads no file and asks no gateway. Start reading here for what was, at `play.ts` for
 * what would have been.
 */
import type { DecisionRecord } from '../contract/decision-record.ts';

/** What statistics need of a request that is over, from its record or its line in the log. */
export type SeenRequest = {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly asked: string | null;
  /** Who answered, if only in part; null where nobody did. */
  readonly provider: string | null;
  readonly deployment: string | null;
  readonly isFallback: boolean;
  /** Whether the answer was given before and kept. */
  readonly isCached: boolean;
  readonly state: string;
  readonly totalMs: number | null;
  readonly firstTokenMs: number | null;
  readonly costUsd: number | null;
  /** Deployments that were tried and failed. */
  readonly failed: readonly { readonly provider: string; readonly deployment: string }[];
  /** Hash of the plan that decided, where it is known. */
  readonly plan: string | null;
};

/** A request as its record tells of it; undefined for a decision that was never taken. */
export function seenInRecord(record: DecisionRecord): SeenRequest | undefined {
  if (record.id === null || record.time === null) return undefined;
  const answer = record.answeredBy === null ? undefined : record.attempts.findLast((one) => isAnswer(record, one));
  return {
    id: record.id,
    at: Date.parse(record.time),
    asked: record.asked,
    provider: answer?.provider ?? null,
    deployment: answer?.deployment ?? null,
    isFallback: answer !== undefined && answer.source !== 'group',
    isCached: record.cache?.outcome === 'hit',
    state: record.state ?? 'unknown',
    totalMs: record.timing.totalMs,
    firstTokenMs: record.timing.firstTokenMs,
    costUsd: record.costUsd,
    failed: record.attempts
      .filter((one) => countsAsFailed(one.outcome))
      .map(({ provider, deployment }) => ({ provider, deployment })),
    plan: record.plan,
  };
}

function isAnswer(record: DecisionRecord, attempt: DecisionRecord['attempts'][number]): boolean {
  return attempt.deployment === record.answeredBy;
}

/** A client that leaves says nothing of who was asked, and who was waited for in vain was never asked. */
function countsAsFailed(outcome: string): boolean {
  return !blameless.has(outcome);
}

const blameless: ReadonlySet<string> = new Set(['answered', 'client_closed', 'no_seat', 'shutting_down']);

/** A request as its line in the log tells of it; undefined for another line. */
export function seenInLog(line: Readonly<Record<string, unknown>>): SeenRequest | undefined {
  if (line['event'] !== 'request_routed') return undefined;
  const isCached = line['cache_hit'] === true;
  // Who gave the answer first had no work with this request.
  const provider = isCached ? null : textOf(line['provider']);
  const attempts = Array.isArray(line['attempts']) ? line['attempts'] : [];
  const milliseconds = numberOf(line['latency_ms']);
  return {
    id: textOf(line['request_id']) ?? '',
    // The line is written when the request is over.
    at: Date.parse(textOf(line['timestamp']) ?? '') - (milliseconds ?? 0),
    asked: textOf(line['model']),
    provider,
    deployment: provider === null ? null : `${provider}/${textOf(line['backend_model']) ?? 'unknown'}`,
    isFallback: provider !== null && line['source'] !== 'group',
    isCached,
    state: textOf(line['state']) ?? 'unknown',
    totalMs: milliseconds,
    firstTokenMs: numberOf(line['ttft_ms']),
    costUsd: null,
    failed: attempts.flatMap((one: unknown) => failedAttempt(one)),
    plan: null,
  };
}

function failedAttempt(attempt: unknown): SeenRequest['failed'] {
  if (typeof attempt !== 'object' || attempt === null || !('deployment' in attempt) || !('outcome' in attempt))
    return [];
  const deployment = String(attempt.deployment);
  const provider = deployment.slice(0, deployment.indexOf('/'));
  return countsAsFailed(String(attempt.outcome)) ? [{ provider, deployment }] : [];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** Whether a provider gave the whole answer: one that broke off, or that its client did not wait for, is none. */
export function isAnswered(request: SeenRequest): boolean {
  return request.provider !== null && !isError(request) && request.state !== 'client_closed';
}

/** Whether a request did not end as its client wanted it to, for what the gateway and its providers have a hand in. */
export function isError({ state }: SeenRequest): boolean {
  return state === 'upstream_error' || state === 'truncated';
}
