import type { EntryKey, Store, StoreTime } from './store.ts';
import { largestValue, sizesByModel } from './store.ts';

type Entry = { readonly key: EntryKey; readonly value: Uint8Array; readonly size: number; readonly expiresAt: number };

/** What an entry takes beside its value and key, as measured: most of it is what Node keeps of bytes of their own. */
const entryOverhead = 1024;

/** Creates a store in this process's memory: gone with it, bounded, the least recently used leaves first. */
export function createMemoryStore(options: { readonly maxBytes: number; readonly time: StoreTime }): Store {
  const { maxBytes, time } = options;
  // A map keeps the order in which entries were put in, so the first is the least recently used.
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const remove = (id: string, entry: Entry): void => {
    entries.delete(id);
    bytes -= entry.size;
  };
  const dropExpired = (): void => {
    const now = time.now();
    for (const [id, entry] of entries) if (entry.expiresAt <= now) remove(id, entry);
  };
  return {
    kind: 'local',
    get(key) {
      const id = idOf(key);
      const entry = entries.get(id);
      if (entry === undefined) return Promise.resolve(undefined);
      if (entry.expiresAt <= time.now()) {
        remove(id, entry);
        return Promise.resolve(undefined);
      }
      entries.delete(id);
      entries.set(id, entry);
      return Promise.resolve(entry.value);
    },
    set(key, value, ttlMs) {
      if (value.length > largestValue(maxBytes)) return Promise.resolve();
      const id = idOf(key);
      const old = entries.get(id);
      if (old !== undefined) remove(id, old);
      const size = value.length + 2 * id.length + entryOverhead;
      // A copy: a small Buffer is a piece of 64 KiB that Node shares out, and would keep all of them.
      entries.set(id, { key, value: new Uint8Array(value), size, expiresAt: time.now() + ttlMs });
      bytes += size;
      for (const [oldest, entry] of entries) {
        if (bytes <= maxBytes) break;
        remove(oldest, entry);
      }
      return Promise.resolve();
    },
    flush(model) {
      const before = entries.size;
      for (const [id, entry] of entries) if (model === undefined || entry.key.model === model) remove(id, entry);
      return Promise.resolve(before - entries.size);
    },
    measure() {
      dropExpired();
      const models = sizesByModel([...entries.values()].map(({ key, size }) => [key.model, size]));
      return Promise.resolve({ entries: entries.size, bytes, maxBytes, models });
    },
    ping: () => Promise.resolve(),
    close() {
      entries.clear();
      bytes = 0;
      return Promise.resolve();
    },
  };
}

function idOf({ model, hash }: EntryKey): string {
  return `${model}\n${hash}`;
}
