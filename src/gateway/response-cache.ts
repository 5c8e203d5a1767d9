import type { GuardedStore } from '../stores/guarded-store.ts';
import type { EntryKey } from '../stores/store.ts';
import type { CacheControls } from '../wire/cache-controls.ts';
import type { CachedAnswer } from './cached-answer.ts';

/** Answers that were given, by request. It outlives the snapshot as long as the configuration names the same store. */
export type ResponseCache = {
  /** What the store is made of, so that another configuration can tell whether it means the same. */
  readonly place: string;
  readonly store: GuardedStore;
  /** Requests under way that others wait for, by key. */
  readonly flights: Map<string, Flight>;
  readonly counts: CacheCounts;
};

/** What the cache is to one request. */
export type Caching = {
  readonly cache: ResponseCache;
  readonly controls: CacheControls;
  /** As `x-signalbox-cache` says it. */
  outcome: 'hit' | 'miss' | 'bypass';
  readonly key: EntryKey | undefined;
  /** Of a hit: the answer that was given before. */
  answer: CachedAnswer | undefined;
  /** Equal requests wait for this one. */
  flight: Flight | undefined;
  /** What was streamed so far; undefined where the answer is not to be kept. */
  pieces: (Uint8Array | string)[] | undefined;
  /** Bytes of the pieces, roughly. */
  size: number;
};

/** A request under way; `answer` resolves with what it came to, if others may have it. */
export type Flight = {
  readonly answer: Promise<CachedAnswer | undefined>;
  /** Ends it, once; an answer can be had here until it is written. */
  land(answer: CachedAnswer | undefined, written?: Promise<void>): void;
};

/** What became of requests since the start. */
export type CacheCounts = {
  hits: number;
  /** Hits that waited for an equal request under way. */
  shared: number;
  misses: number;
  bypassed: number;
  stored: number;
  readonly byModel: Map<string, { hits: number; misses: number }>;
};

/** Creates a cache in front of a store. */
export function createResponseCache(place: string, store: GuardedStore): ResponseCache {
  return {
    place,
    store,
    flights: new Map(),
    counts: { hits: 0, shared: 0, misses: 0, bypassed: 0, stored: 0, byModel: new Map() },
  };
}

/** Names that are counted by themselves; a pattern lets clients make up any number. */
const mostModels = 1000;

/** Counts a request that was looked up. */
export function countLookup({ counts }: ResponseCache, model: string, isHit: boolean): void {
  if (isHit) counts.hits++;
  else counts.misses++;
  let own = counts.byModel.get(model);
  if (own === undefined) {
    if (counts.byModel.size >= mostModels) return;
    own = { hits: 0, misses: 0 };
    counts.byModel.set(model, own);
  }
  if (isHit) own.hits++;
  else own.misses++;
}

/** Lets equal requests wait for one; it must land, whatever becomes of it. */
export function takeOff({ flights }: ResponseCache, id: string): Flight {
  const { promise, resolve } = Promise.withResolvers<CachedAnswer | undefined>();
  let hasLanded = false;
  const flight: Flight = {
    answer: promise,
    land(answer, written = Promise.resolve()) {
      if (hasLanded) return;
      hasLanded = true;
      resolve(answer);
      void written.then(() => flights.delete(id));
    },
  };
  flights.set(id, flight);
  return flight;
}
