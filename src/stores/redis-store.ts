import type { Redis, RedisOptions } from 'ioredis';
import type { EntryKey, ModelSize, Store } from './store.ts';
import { largestValue, nameOf, sizesByModel } from './store.ts';
import { storeProblem } from './store-problem.ts';

export type RedisStoreOptions = {
  /** `redis://` or `rediss://`; what it does not say is taken from the fields. */
  readonly url: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: boolean;
  /** Word before every key. */
  readonly namespace: string;
};

/** Redis bounds its memory itself; a single value is bounded as elsewhere. */
const largest = largestValue(Number.MAX_SAFE_INTEGER);

/**
 * Creates a store in Redis, shared by all gateways of one namespace: `NAMESPACE:MODEL:HASH`. It
 * connects at once and keeps trying; while it is not connected every command rejects at once.
 */
export function createRedisStore(options: RedisStoreOptions): Store {
  let isClosed = false;
  let client: Redis | undefined;
  let problem = 'it is not connected yet';
  // Only a gateway with Redis loads its client.
  const loading = import('ioredis').then(({ Redis }) => {
    if (isClosed) return;
    client = options.url === undefined ? new Redis(connection(options)) : new Redis(options.url, connection(options));
    client.on('error', (error: Error) => {
      problem = storeProblem(error);
    });
  });
  // An address that is none is found when the client is made: the gateway serves on without its cache.
  const settled = loading.catch((error: unknown) => {
    problem = storeProblem(error);
  });
  const connected = (): Redis => {
    if (client?.status === 'ready') return client;
    throw new Error(problem);
  };
  const prefix = `${part(options.namespace)}:`;
  const textOf = ({ model, hash }: EntryKey): string => `${prefix}${part(model)}:${hash}`;
  return {
    kind: 'redis',
    async get(key) {
      return (await connected().getBuffer(textOf(key))) ?? undefined;
    },
    async set(key, value, ttlMs) {
      if (value.length > largest) return;
      await connected().set(textOf(key), Buffer.from(value), 'PX', Math.max(1, Math.round(ttlMs)));
    },
    async flush(model) {
      const redis = connected();
      let removed = 0;
      for await (const keys of keysOf(redis, prefix, model)) removed += await redis.unlink(...keys);
      return removed;
    },
    async measure() {
      const redis = connected();
      const sizes: [model: string, bytes: number][] = [];
      for await (const keys of keysOf(redis, prefix, undefined)) {
        const lengths = await Promise.all(keys.map((key) => redis.strlen(key)));
        for (const [at, key] of keys.entries()) sizes.push([modelOf(key, prefix), lengths[at] ?? 0]);
      }
      const models: readonly ModelSize[] = sizesByModel(sizes);
      const bytes = models.reduce((sum, one) => sum + one.bytes, 0);
      return { entries: sizes.length, bytes, maxBytes: undefined, models };
    },
    async ping() {
      // Written, so that a server that only reads or is full does not pass; the key is no entry's.
      await connected().set(`${part(options.namespace)}.ping`, '', 'PX', 1000);
    },
    async close() {
      isClosed = true;
      await settled;
      client?.disconnect();
    },
  };
}

/** Waits between attempts to connect: soon at first, so that a restart is hardly seen. */
const firstWaitMs = 50;
const longestWaitMs = 1000;
/** A server that says nothing for so long, while something is asked of it, is asked over a new connection. */
const longestSilenceMs = 2000;

function connection(options: RedisStoreOptions): Omit<RedisOptions, 'replyMapping'> {
  const { host, port, username, password, database, tls } = options;
  return {
    ...(options.url === undefined ? { host, port } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(options.url === undefined || database !== 0 ? { db: database } : {}),
    ...(tls ? { tls: {} } : {}),
    // A command that cannot be sent now is worth nothing later: the request has gone on without it.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: longestSilenceMs,
    // A machine that is switched off says nothing, and the system itself would believe in its connection for a quarter of an hour.
    socketTimeout: longestSilenceMs,
    // Else a connection that is being made, or was cut, holds the process up for two seconds at its end.
    disconnectTimeout: 0,
    retryStrategy: (attempt) => Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempt, 10)),
  };
}

/** Keys of entries of a model, or all, a batch at a time; SCAN never holds the server up. What others keep under the same word is not ours. */
async function* keysOf(redis: Redis, prefix: string, model: string | undefined): AsyncGenerator<readonly string[]> {
  const match = `${literally(prefix)}${model === undefined ? '*' : literally(part(model))}:*`;
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', match, 'COUNT', 1000, 'TYPE', 'string');
    cursor = next;
    if (keys.length > 0) yield keys;
  } while (cursor !== '0');
}

/** A text that a pattern of Redis takes as it stands. */
function literally(text: string): string {
  return text.replaceAll(/[\\*?[\]^-]/g, (letter) => `\\${letter}`);
}

/** A name without the colon that separates the parts of a key. */
function part(name: string): string {
  return encodeURIComponent(name);
}

function modelOf(key: string, prefix: string): string {
  return nameOf(key.slice(prefix.length, key.lastIndexOf(':')));
}
