import { createResponseCache, type ResponseCache } from '../gateway/response-cache.ts';
import { canonical } from '../plan/canonical.ts';
import { milliseconds } from '../plan/ids.ts';
import type { CacheSettings } from '../plan/settings.ts';
import { guardStore } from '../stores/guarded-store.ts';
import type { Store, StoreTime } from '../stores/store.ts';
import type { RequestLog } from '../telemetry/request-log.ts';

export type CacheOptions = {
  readonly openStore: (settings: CacheSettings) => Store;
  readonly clock: StoreTime;
  readonly log: Pick<RequestLog, 'event'>;
};

/** Longest that a request waits for the store. */
const deadlineMs = milliseconds(50);

/**
 * The cache of a configuration: the one that runs already where it means the same store, so that a
 * change of times, modes or routes empties nothing.
 */
export function cacheInForce(
  { openStore, clock, log }: CacheOptions,
  settings: CacheSettings,
  running: ResponseCache | undefined,
): ResponseCache | undefined {
  if (!settings.enabled) return undefined;
  const { kind, namespace, maxBytes, directory, redis } = settings;
  const place = canonical([kind, namespace, maxBytes, directory, redis]);
  if (running?.place === place) return running;
  const store = guardStore(openStore(settings), {
    deadlineMs,
    time: clock,
    onChange: (state) => {
      const isResting = state.kind === 'resting';
      log.event(isResting ? 'warn' : 'info', isResting ? 'cache_resting' : 'cache_ready', {
        component: 'cache',
        cache: kind,
        reason: isResting ? state.why : undefined,
        message: isResting
          ? `the ${kind} cache does not answer, so requests go on without it: ${state.why}`
          : `the ${kind} cache answers again`,
      });
    },
  });
  return createResponseCache(place, store);
}
