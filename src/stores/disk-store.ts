import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { EntryKey, Store, StoreTime } from './store.ts';
import { largestValue, nameOf, sizesByModel } from './store.ts';

export type DiskStoreOptions = {
  readonly folder: string;
  /** First folder below `folder`, so that several gateways can share it. */
  readonly namespace: string;
  readonly maxBytes: number;
  readonly time: StoreTime;
};

/** A file of the store; what it was used last is its place in the index. */
type Known = { readonly model: string; readonly size: number };

/**
 * Creates a store of files, one an entry: `NAMESPACE/MODEL/HASH.entry`. A file comes into being
 * whole, by a rename; its modification time is when it runs out and its access time when it was
 * last used, so a restart reads no file. The least recently used leave first. The folder may hold
 * what is somebody else's: only files of that ending are looked at and removed.
 */
export function createDiskStore({ folder, namespace, maxBytes, time }: DiskStoreOptions): Store {
  const root = join(folder, pathPart(namespace));
  const pathOf = ({ model, hash }: EntryKey): string => join(root, pathPart(model), `${pathPart(hash)}${ending}`);
  const drafts = `${unfinished}${randomUUID()}-`;
  const index = createIndex(() => scan(root, { wall: time.wall(), isOurs: (draft) => draft.startsWith(drafts) }));
  const remove = async (path: string): Promise<void> => {
    index.forget(path);
    await rm(path, { force: true });
  };
  return {
    kind: 'disk',
    async get(key) {
      const path = pathOf(key);
      // Whatever keeps it from being read: it will be written anew.
      const found = await readEntry(path).catch(() => undefined);
      if (found === undefined) {
        index.forget(path);
        return undefined;
      }
      if (found.expiresAt <= time.wall()) {
        await remove(path).catch(() => undefined);
        return undefined;
      }
      index.remember(path, { model: key.model, size: found.value.length });
      // Another process may have removed it meanwhile, which harms nothing.
      await utimes(path, time.wall() / 1000, found.expiresAt / 1000).catch(() => undefined);
      return found.value;
    },
    async set(key, value, ttlMs) {
      if (value.length > largestValue(maxBytes)) return;
      const path = pathOf(key);
      const draft = join(dirname(path), `${drafts}${randomUUID()}${ending}`);
      await writeWhole({ path, draft }, value, { usedAt: time.wall(), expiresAt: time.wall() + ttlMs });
      index.remember(path, { model: key.model, size: value.length });
      // Nobody waits for the look at a large folder; what is too much leaves with the first value after it.
      index.ready().catch(() => undefined);
      if (!index.isWhole()) return;
      for (const oldest of index.paths()) {
        if (index.bytes() <= maxBytes) break;
        await remove(oldest);
      }
    },
    async flush(model) {
      const own = model === undefined ? root : join(root, pathPart(model));
      // Another gateway that shares the folder may have kept some.
      const leaving = (await scan(root, { wall: time.wall(), isOurs: () => true })).filter(([path]) =>
        path.startsWith(`${own}${sep}`),
      );
      for (const [path] of leaving) await remove(path);
      return leaving.length;
    },
    async measure() {
      await index.ready();
      const entries = index.entries();
      const models = sizesByModel(entries.map(({ model, size }) => [model, size]));
      return { entries: entries.length, bytes: index.bytes(), maxBytes, models };
    },
    async ping() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const path = join(root, '.ping');
      // An empty file fits on a disk that is full.
      await writeFile(path, Buffer.alloc(4096), { mode: 0o600 }).finally(() => rm(path, { force: true }));
    },
    close: () => Promise.resolve(),
  };
}

/** What the files are known to hold, without a look at each. */
type Index = {
  /** Waits for the one look at the disk that is needed, the first. */
  ready(): Promise<void>;
  isWhole(): boolean;
  forget(path: string): void;
  /** Puts a file at the end, as the one that was used last. */
  remember(path: string, known: Known): void;
  /** The least recently used first. */
  paths(): readonly string[];
  entries(): readonly Known[];
  bytes(): number;
};

function createIndex(look: () => ReturnType<typeof scan>): Index {
  const files = new Map<string, Known>();
  let bytes = 0;
  const forget = (path: string): void => {
    bytes -= files.get(path)?.size ?? 0;
    files.delete(path);
  };
  const remember = (path: string, known: Known): void => {
    forget(path);
    files.set(path, known);
    bytes += known.size;
  };
  let looked: Promise<void> | undefined;
  let isWhole = false;
  return {
    ready() {
      looked ??= look().then((found) => {
        // What was used meanwhile was used last.
        for (const [path, known] of [...found, ...files]) remember(path, known);
        isWhole = true;
      });
      // A folder that cannot be read now may be there the next time.
      looked.catch(() => {
        looked = undefined;
      });
      return looked;
    },
    isWhole: () => isWhole,
    forget,
    remember,
    paths: () => [...files.keys()],
    entries: () => [...files.values()],
    bytes: () => bytes,
  };
}

/** End of the names of all entries, and beginning of the names of those that are still being written. */
const ending = '.entry';
const unfinished = '.new-';

async function readEntry(path: string): Promise<{ value: Uint8Array; expiresAt: number }> {
  const file = await open(path);
  try {
    const { mtimeMs } = await file.stat();
    return { value: await file.readFile(), expiresAt: mtimeMs };
  } finally {
    await file.close();
  }
}

async function writeWhole(
  { path, draft }: { readonly path: string; readonly draft: string },
  value: Uint8Array,
  { usedAt, expiresAt }: { readonly usedAt: number; readonly expiresAt: number },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(draft, value, { mode: 0o600 });
    await utimes(draft, usedAt / 1000, expiresAt / 1000);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/**
 * The files that are there and have not run out, the least recently used first. What has run out
 * goes, and so do drafts of a process that was killed: all that are not ours.
 */
async function scan(
  root: string,
  { wall, isOurs }: { readonly wall: number; readonly isOurs: (draft: string) => boolean },
): Promise<readonly (readonly [path: string, known: Known])[]> {
  const found: { path: string; known: Known; usedAt: number }[] = [];
  for (const model of (await readdir(root).catch(whereMissing)) ?? []) {
    for (const name of (await readdir(join(root, model)).catch(() => undefined)) ?? []) {
      if (!name.endsWith(ending)) continue;
      const path = join(root, model, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats?.isFile() !== true) continue;
      const isDraft = name.startsWith(unfinished);
      if (isDraft && isOurs(name)) continue;
      if (!isDraft && stats.mtimeMs > wall)
        found.push({ path, known: { model: nameOf(model), size: stats.size }, usedAt: stats.atimeMs });
      else await rm(path, { force: true }).catch(() => undefined);
    }
  }
  found.sort((a, b) => a.usedAt - b.usedAt);
  return found.map(({ path, known }) => [path, known]);
}

function whereMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

/** A name as one part of a path, on every file system: no dot in front, no slash, not too long. */
function pathPart(name: string): string {
  const part = encodeURIComponent(name).replaceAll(
    /[.*~'()!]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return part.length > longestPart ? createHash('sha256').update(name).digest('hex') : part;
}

const longestPart = 200;
