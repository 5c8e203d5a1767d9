/** `signalbox cache stats --json`. Counts are those since the start of the gateway. */
export type CacheReport = {
  readonly enabled: boolean;
  readonly kind: 'local' | 'disk' | 'redis';
  readonly mode: 'default_on' | 'default_off';
  readonly namespace: string;
  readonly ttlSeconds: number;
  /** Whether the store is used: one that does not answer rests. Null where there is none. */
  readonly state: 'ready' | 'resting' | null;
  readonly why: string | null;
  /** ISO time since when it rests. */
  readonly since: string | null;
  /** Null where the store cannot be asked. */
  readonly entries: number | null;
  readonly bytes: number | null;
  /** Null where the store’s own server sets the bound. */
  readonly maxBytes: number | null;
  readonly hits: number;
  /** Hits that waited for an equal request under way. */
  readonly shared: number;
  readonly misses: number;
  /** Requests that asked not to be answered from it, or that are never kept. */
  readonly bypassed: number;
  readonly stored: number;
  /** Hits among the requests that were looked up; null before the first. */
  readonly hitRate: number | null;
  readonly models: readonly CachedModel[];
};

/** What is kept of one asked name, and how often it was found. */
export type CachedModel = {
  readonly model: string;
  readonly entries: number | null;
  readonly bytes: number | null;
  readonly hits: number;
  readonly misses: number;
};

/** `signalbox cache flush --json`. */
export type CacheFlushReport = {
  /** The asked name whose answers were removed; null: all. */
  readonly model: string | null;
  readonly removed: number;
};
