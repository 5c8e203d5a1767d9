/**
 * Stores: where values outlive the request that made them. One interface, an implementation a file
 * (memory, disk, Redis), and one contract suite that all of them pass (test/stores). A store keeps
 * bytes and does not know what they mean; it is bounded, and an entry that cannot be read is one
 * that is not there. `guarded-store.ts` keeps a store that is slow or gone from holding anybody up.
 * Nothing outside `main.ts` opens a store. Start reading here.
 */
import type { Milliseconds } from '../plan/ids.ts';

/** What an entry is found by: the name that was asked for, and a hash of all that matters of the request. */
export type EntryKey = { readonly model: string; readonly hash: string };

/** What a store holds; what has run out may still be counted until it is asked for. */
export type StoreSize = {
  readonly entries: number;
  readonly bytes: number;
  /** Bound of `bytes`; undefined where the store's own server sets it. */
  readonly maxBytes: number | undefined;
  readonly models: readonly ModelSize[];
};

export type ModelSize = { readonly model: string; readonly entries: number; readonly bytes: number };

/** Where values are kept. Every method may reject; a caller that must not wait uses a guarded store. */
export type Store = {
  readonly kind: 'local' | 'disk' | 'redis';
  /** The value as it was set; undefined where it is not there, has run out or cannot be read. */
  get(key: EntryKey): Promise<Uint8Array | undefined>;
  /** Keeps a value for a time; one that is larger than the store allows is not kept. */
  set(key: EntryKey, value: Uint8Array, ttlMs: Milliseconds): Promise<void>;
  /** Removes what was kept for one model, or all; says how many entries that were. */
  flush(model: string | undefined): Promise<number>;
  measure(): Promise<StoreSize>;
  /** Resolves where the store can be written to, else rejects with the reason. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** Time as stores use it; the gateway's clock is one. */
export type StoreTime = {
  now(): Milliseconds;
  wall(): number;
  after(delay: Milliseconds, callback: () => void): { stop(): void };
};

/** Largest value that a store of a bound keeps: one answer must not drive out most of the others. */
export function largestValue(maxBytes: number): number {
  return Math.min(8 * 1024 * 1024, Math.floor(maxBytes / 8));
}

/** Puts entries together to what each model has, the largest first. */
export function sizesByModel(entries: Iterable<readonly [model: string, bytes: number]>): readonly ModelSize[] {
  const byModel = new Map<string, { entries: number; bytes: number }>();
  for (const [model, bytes] of entries) {
    const size = byModel.get(model) ?? { entries: 0, bytes: 0 };
    byModel.set(model, { entries: size.entries + 1, bytes: size.bytes + bytes });
  }
  return [...byModel].map(([model, size]) => ({ model, ...size })).sort((a, b) => b.bytes - a.bytes);
}

/** A name out of a part of a path or key that `encodeURIComponent` made of it. */
export function nameOf(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
