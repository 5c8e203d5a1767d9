import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import type { Milliseconds, ProviderId, RequestId } from '../plan/ids.ts';
import type { DialectName } from '../plan/provider.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import type { Dialect } from '../providers/provider.ts';
import type { LimitUse } from '../routing/limits.ts';
import type { LoggedFallback } from '../telemetry/request-log.ts';
import type { Clock } from './clock.ts';
import type { GatewayRequest, SettledRequest } from './request.ts';
import type { Seats } from './seat-queue.ts';
import type { Snapshot } from './snapshot.ts';

/** What the gateway tells the log; telemetry implements it. */
export type GatewayLog = {
  /** The one line of a request, after it ended. */
  settled(request: SettledRequest): void;
  upstreamError(request: GatewayRequest, attempt: PlannedAttempt, failed: Failure): void;
  fallback(request: GatewayRequest, fallback: LoggedFallback): void;
  cooldown(
    request: GatewayRequest,
    attempt: PlannedAttempt,
    health: Extract<DeploymentHealth, { kind: 'cooling' }>,
  ): void;
  limitFull(request: GatewayRequest, failed: Failure): void;
  limitNear(request: GatewayRequest, use: LimitUse): void;
  badClient(reason: string, remoteAddress: string | undefined): void;
  internalError(error: unknown, requestId: RequestId | undefined): void;
};

/** Everything the gateway is given; it makes nothing of this itself. */
export type GatewayDependencies = {
  /** The snapshot in force; a request asks once, when it begins. */
  readonly current: () => Snapshot;
  readonly dialects: Readonly<Record<DialectName, Dialect>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newRequestId: () => RequestId;
  readonly log: GatewayLog;
  /** Keeps what became of a request, for explanations. */
  readonly keep: (request: SettledRequest) => void;
  /** Waits for a provider's live model list, once for all who ask; settles when it is known or cannot be. */
  readonly listing: (provider: ProviderId) => Promise<void>;
  /** Waits until it is known what providers have in memory, for no longer than the limit. */
  readonly residency: (providers: readonly ProviderId[], limit: Milliseconds) => Promise<void>;
  /** Waits for the next look at a provider whose model is loading, once for all who ask. */
  readonly look: (provider: ProviderId) => Promise<void>;
  /** Has a provider looked at soon: a request met a closed door there, or had a model loaded. */
  readonly soon: (provider: ProviderId) => void;
};

/** Writes down how requests ended: their decision and their line of the log. */
export type Settled = {
  add(request: SettledRequest): void;
  /** Writes what waits for the end of the turn. */
  flush(): void;
};

/** What the pipeline knows of the gateway that it runs in. */
export type PipelineContext = GatewayDependencies & {
  readonly seats: Seats;
  readonly settled: Settled;
  readonly isDraining: () => boolean;
  /** Requests under way. */
  readonly active: () => number;
};
