import type { Milliseconds, ProviderId, RequestId } from '../plan/ids.ts';
import type { DialectName } from '../plan/provider.ts';
import type { Dialect } from '../providers/provider.ts';
import type { RequestLog } from '../telemetry/request-log.ts';
import type { Clock } from './clock.ts';
import type { SettledRequest } from './request.ts';
import type { Seats } from './seat-queue.ts';
import type { Snapshot } from './snapshot.ts';

/** Everything the gateway is given; it makes nothing of this itself. */
export type GatewayDependencies = {
  /** The snapshot in force; a request asks once, when it begins. */
  readonly current: () => Snapshot;
  readonly dialects: Readonly<Record<DialectName, Dialect>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newRequestId: () => RequestId;
  readonly log: Omit<RequestLog, 'event'>;
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
