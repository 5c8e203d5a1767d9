import type { ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import type { Concealed } from '../wire/redact.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { KeyRing } from './identify.ts';
import type { ResponseCache } from './response-cache.ts';

/** What stands behind a provider at run time: its connections and its key. */
export type Upstream = {
  readonly connections: ConnectionPool;
  /** The key as text, read from its reference; absent where the provider has none. */
  readonly key: string | undefined;
  /** Extra headers of every request: name, value, … */
  readonly headers: readonly string[];
  /** What its errors may repeat and no client may read: the key, secret headers, the host. */
  readonly concealed: Concealed;
};

/**
 * The plan in force with everything that belongs to it. Control swaps it as a whole; a request
 * keeps the one it began with.
 */
export type Snapshot = {
  /** Counts from 1; sent as `x-signalbox-generation`. */
  readonly generation: number;
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly upstreams: ReadonlyMap<ProviderId, Upstream>;
  readonly keys: KeyRing;
  /** Absent where the configuration asks for none. */
  readonly cache: ResponseCache | undefined;
};
