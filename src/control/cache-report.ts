import type { CachedModel, CacheFlushReport, CacheReport } from '../contract/cache-report.ts';
import type { ResponseCache } from '../gateway/response-cache.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import type { StoreSize } from '../stores/store.ts';

/** What the cache in force holds and what it was good for. */
export async function describeCache({ plan, cache }: Snapshot): Promise<CacheReport> {
  const { enabled, kind, mode, namespace, ttlMs } = plan.settings.cache;
  const size = await cache?.store.measure().catch(() => undefined);
  const state = cache?.store.state();
  const resting = state?.kind === 'resting' ? state : undefined;
  const { hits, shared, misses, bypassed, stored } = cache?.counts ?? noCounts;
  return {
    ...{ enabled, kind, mode, namespace, ttlSeconds: ttlMs / 1000 },
    state: state?.kind ?? null,
    why: resting?.why ?? null,
    since: resting === undefined ? null : new Date(resting.since).toISOString(),
    entries: size?.entries ?? null,
    bytes: size?.bytes ?? null,
    maxBytes: size?.maxBytes ?? null,
    ...{ hits, shared, misses, bypassed, stored },
    hitRate: hits + misses === 0 ? null : hits / (hits + misses),
    models: cache === undefined ? [] : modelsOf(cache, size),
  };
}

const noCounts = { hits: 0, shared: 0, misses: 0, bypassed: 0, stored: 0 };

function modelsOf({ counts }: ResponseCache, size: StoreSize | undefined): readonly CachedModel[] {
  const names = new Set([...(size?.models ?? []).map((one) => one.model), ...counts.byModel.keys()]);
  return [...names].map((model) => {
    const kept = size?.models.find((one) => one.model === model);
    const unknown = size === undefined ? null : 0;
    return {
      model,
      entries: kept?.entries ?? unknown,
      bytes: kept?.bytes ?? unknown,
      ...(counts.byModel.get(model) ?? { hits: 0, misses: 0 }),
    };
  });
}

/** Removes what is kept, of one asked name or all; undefined where there is no cache. */
export async function flushCache(
  { cache }: Snapshot,
  model: string | undefined,
): Promise<CacheFlushReport | { readonly problem: string } | undefined> {
  if (cache === undefined) return undefined;
  try {
    return { model: model ?? null, removed: await cache.store.flush(model) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
