import type { AttemptOutcome, PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import type { Milliseconds, RequestId } from '../plan/ids.ts';
import { createIsoTime } from '../plan/iso-time.ts';
import type { Json } from '../plan/json.ts';
import { ownWords } from '../plan/own-words.ts';
import type { Plan } from '../plan/plan.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import type { Usage } from '../plan/usage.ts';
import type { LogLevel, LogRecord } from './log-record.ts';
import type { LogWriter } from './log-writer.ts';

/** What a line about a request needs of it. */
export type LoggedRequest = {
  readonly id: RequestId;
  readonly endpoint: string;
  readonly startedAt: Milliseconds;
  readonly receivedAt: number;
  readonly snapshot: { readonly plan: Plan; readonly generation: number };
  readonly principal: { readonly name: string };
  readonly understood: { readonly facts: { readonly asked: string | undefined; readonly stream: boolean } } | undefined;
  readonly decision: { readonly rule: { readonly kind: string } } | undefined;
  readonly outcomes: readonly AttemptOutcome[];
  readonly waits: readonly { readonly since: Milliseconds; readonly endedAt: Milliseconds }[];
  readonly answeredBy: PlannedAttempt | undefined;
  readonly degradation: { readonly reason: string } | undefined;
  readonly firstTokenAt: Milliseconds | undefined;
  readonly usage: Usage | undefined;
  readonly failure: Failure | undefined;
  readonly terminal: string | undefined;
  /** The answer that was given before, where it was given again. */
  readonly caching: { readonly answer: { readonly provider: string; readonly model: string } | undefined } | undefined;
};

/** How far a limit is used, as far as a line tells. */
export type LoggedUse = {
  readonly limit: { readonly label: string };
  readonly unit: string;
  readonly most: number;
  readonly used: number;
};

/** An attempt that failed, and the one that follows it. */
export type LoggedFallback = {
  readonly from: PlannedAttempt;
  readonly to: PlannedAttempt;
  readonly reason: Failure;
};

/** When a request ended, by both clocks. */
type Ended = { readonly endedAt: Milliseconds; readonly endedWallMs: number };

/** The lines that the gateway writes. */
export type RequestLog = {
  /** The one line of a request, after it ended. */
  settled(request: LoggedRequest & Ended): void;
  upstreamError(request: LoggedRequest, attempt: PlannedAttempt, failed: Failure): void;
  fallback(request: LoggedRequest, fallback: LoggedFallback): void;
  cooldown(
    request: LoggedRequest,
    attempt: PlannedAttempt,
    health: Extract<DeploymentHealth, { kind: 'cooling' }>,
  ): void;
  /** A request was refused, since a limit is full. */
  limitFull(request: LoggedRequest, failed: Failure): void;
  /** A limit has little room left. */
  limitNear(request: LoggedRequest, use: LoggedUse): void;
  badClient(reason: string, remoteAddress: string | undefined): void;
  internalError(error: unknown, requestId: RequestId | undefined): void;
  /** Anything else worth a line. */
  event(level: LogLevel, event: string, fields: { readonly [field: string]: Json | undefined }): void;
};

/** Creates the log of a gateway. */
export function createRequestLog(writer: LogWriter, wall: () => number): RequestLog {
  const line = (level: LogLevel, event: string, fields: { readonly [field: string]: Json | undefined }): void => {
    writer.write({ timestamp: new Date(wall()).toISOString(), level, event, ...fields });
  };
  return {
    settled: (request) => writer.write(requestLine(request)),
    upstreamError(request, attempt, failed) {
      line(failureCatalogue[failed.kind].level, 'upstream_error', {
        ...whoOf(request, attempt),
        error: failed.kind,
        ...upstreamWords(failed),
        message: `${providerOf(request, attempt)} failed: ${ownWords(failed)}`,
      });
    },
    fallback(request, { from, to, reason }) {
      line('warn', 'fallback', {
        request_id: request.id,
        component: 'routing',
        from: deploymentOf(request, from),
        to: deploymentOf(request, to),
        source: to.source,
        reason: reason.kind,
        message: `fallback from ${deploymentOf(request, from)} to ${deploymentOf(request, to)}`,
      });
    },
    cooldown(request, attempt, health) {
      line('warn', 'cooldown', {
        ...whoOf(request, attempt),
        reason: health.why,
        seconds: Math.round((health.until - health.since) / 100) / 10,
        message: `${deploymentOf(request, attempt)} is set aside`,
      });
    },
    limitFull(request, failed) {
      line('warn', 'rate_limit', {
        request_id: request.id,
        component: 'routing',
        state: 'full',
        model: request.understood?.facts.asked ?? 'auto',
        key: request.principal.name,
        retry_after_seconds: Math.ceil((failed.retryAfterMs ?? 0) / 1000),
        message: failed.message,
      });
    },
    limitNear(request, { limit, unit, most, used }) {
      line('warn', 'rate_limit', {
        request_id: request.id,
        component: 'routing',
        state: 'near',
        limit: limit.label,
        used,
        most,
        unit,
        message: `the limit of ${limit.label} is nearly full: ${used} of ${most} ${unit}`,
      });
    },
    badClient(reason, remoteAddress) {
      line('warn', 'bad_client', {
        reason,
        remote_address: remoteAddress,
        message: 'a connection was closed, since what came was no proper request',
      });
    },
    internalError(error, id) {
      // The stack is for the log alone; answers never carry it.
      line('error', 'internal_error', {
        request_id: id,
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    },
    event: line,
  };
}

const endTime = createIsoTime();

function requestLine(request: LoggedRequest & Ended): LogRecord {
  const { answeredBy, usage, failure, endedAt, endedWallMs } = request;
  const status = failure === undefined ? 200 : failureCatalogue[failure.kind].status;
  return {
    timestamp: endTime(endedWallMs),
    level: failure === undefined ? 'info' : failureCatalogue[failure.kind].level,
    event: 'request_routed',
    component: 'routing',
    request_id: request.id,
    // The first `provider` on the line is the one that answered: people count it with awk.
    provider: answeredBy === undefined ? request.caching?.answer?.provider : providerOf(request, answeredBy),
    model: request.understood?.facts.asked ?? 'auto',
    backend_model: answeredBy?.model ?? request.caching?.answer?.model,
    endpoint: request.endpoint,
    stream: request.understood?.facts.stream,
    rule: request.decision?.rule.kind,
    source: answeredBy?.source,
    degraded: request.degradation?.reason,
    status_code: status,
    state: request.terminal,
    error: failure?.kind,
    ...(failure === undefined ? {} : upstreamWords(failure)),
    message: failure === undefined ? undefined : ownWords(failure),
    latency_ms: round(endedAt - request.startedAt),
    ttft_ms: request.firstTokenAt === undefined ? undefined : round(request.firstTokenAt - request.startedAt),
    queue_ms:
      request.waits.length === 0
        ? undefined
        : round(request.waits.reduce((sum, one) => sum + (one.endedAt - one.since), 0)),
    prompt_tokens: usage?.promptTokens,
    completion_tokens: usage?.completionTokens,
    total_tokens: usage === undefined ? undefined : (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0),
    cache_hit: request.caching?.answer !== undefined,
    key: request.principal.name,
    generation: request.snapshot.generation,
    attempts: request.outcomes.map((one) => ({
      deployment: deploymentOf(request, one.attempt),
      source: one.attempt.source,
      ms: round(one.endedAt - one.startedAt),
      outcome: one.failure?.kind ?? 'answered',
    })),
  };
}

/** How an upstream classed its failure, where it did so in a word. */
function upstreamWords({ upstreamStatus, upstreamError }: Failure): { readonly [field: string]: Json | undefined } {
  return {
    upstream_status: upstreamStatus,
    upstream_type: wordOf(upstreamError?.type),
    upstream_code: wordOf(upstreamError?.code),
  };
}

function wordOf(value: Json | undefined): string | number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined;
}

function providerOf({ snapshot }: LoggedRequest, attempt: PlannedAttempt): string {
  return snapshot.plan.deployments[attempt.deployment]?.provider ?? 'unknown';
}

/** Fields of a line about one attempt. */
function whoOf(request: LoggedRequest, attempt: PlannedAttempt): { readonly [field: string]: Json } {
  return {
    request_id: request.id,
    component: 'routing',
    provider: providerOf(request, attempt),
    deployment: deploymentOf(request, attempt),
  };
}

function deploymentOf(request: LoggedRequest, attempt: PlannedAttempt): string {
  return `${providerOf(request, attempt)}/${attempt.model}`;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
