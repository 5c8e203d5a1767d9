import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { createDiskStore } from '../../src/stores/disk-store.ts';
import { createMemoryStore } from '../../src/stores/memory-store.ts';
import { createRedisStore } from '../../src/stores/redis-store.ts';
import type { Store } from '../../src/stores/store.ts';
import { describeReal } from '../real/real.ts';
import { type RealRedis, startRedis } from '../real/servers.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-store-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A store under test, and how its time goes on. */
type Bench = { readonly store: Store; readonly wait: (ms: number) => Promise<void> };

const bytes = (text: string): Uint8Array => Buffer.from(text);
const shown = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();
const minute = milliseconds(60_000);

/** What every store keeps to. */
function check(open: (namespace: string) => Promise<Bench>): void {
  let count = 0;
  const benches: Bench[] = [];
  const fresh = async (namespace = `contract-${process.pid}-${count++}`): Promise<Bench> => {
    const bench = await open(namespace);
    benches.push(bench);
    return bench;
  };
  afterEach(async () => {
    for (const { store } of benches.splice(0)) await store.close();
  });

  test('what was set is there, byte for byte, until another value replaces it', async () => {
    const { store } = await fresh();
    const key = { model: 'm', hash: 'a1' };
    expect(await store.get(key)).toBeUndefined();
    const odd = Uint8Array.from([0, 255, 10, 13, 128]);
    await store.set(key, odd, minute);
    expect([...((await store.get(key)) ?? [])]).toEqual([...odd]);
    await store.set(key, bytes('two'), minute);
    expect(shown(await store.get(key))).toBe('two');
  });

  test('an entry runs out with its time', async () => {
    const { store, wait } = await fresh();
    await store.set({ model: 'm', hash: 'short' }, bytes('x'), milliseconds(200));
    await store.set({ model: 'm', hash: 'long' }, bytes('y'), minute);
    await wait(300);
    expect(await store.get({ model: 'm', hash: 'short' })).toBeUndefined();
    expect(shown(await store.get({ model: 'm', hash: 'long' }))).toBe('y');
  });

  test.each(['a:b/c', 'x*', '..', 'Modèle 8b', '[a]', 'a%2Fb', 'x'.repeat(3000)])(
    'a model named %.20s is flushed alone',
    async (model) => {
      const { store } = await fresh();
      await store.set({ model, hash: '1' }, bytes('x'), minute);
      await store.set({ model, hash: '2' }, bytes('x'), minute);
      await store.set({ model: 'xother', hash: '1' }, bytes('y'), minute);
      expect((await store.measure()).models.map((one) => [one.model, one.entries])).toEqual(
        expect.arrayContaining([
          [model, 2],
          ['xother', 1],
        ]),
      );
      expect(await store.flush(model)).toBe(2);
      expect(await store.get({ model, hash: '1' })).toBeUndefined();
      expect(shown(await store.get({ model: 'xother', hash: '1' }))).toBe('y');
      expect(await store.flush(undefined)).toBe(1);
      expect(await store.measure()).toMatchObject({ entries: 0, bytes: 0 });
    },
  );

  test('what is too large is not kept, and nothing else leaves for it', async () => {
    const { store } = await fresh();
    await store.set({ model: 'm', hash: 'small' }, bytes('x'), minute);
    await store.set({ model: 'm', hash: 'huge' }, new Uint8Array(9 * 1024 * 1024), minute);
    expect(await store.get({ model: 'm', hash: 'huge' })).toBeUndefined();
    expect(shown(await store.get({ model: 'm', hash: 'small' }))).toBe('x');
  });

  test('namespaces do not see each other', async () => {
    const [one, two] = [await fresh('ns-one'), await fresh('ns-two')];
    await one.store.flush(undefined);
    await two.store.flush(undefined);
    await one.store.set({ model: 'm', hash: '1' }, bytes('x'), minute);
    expect(await two.store.get({ model: 'm', hash: '1' })).toBeUndefined();
    expect(await two.store.flush(undefined)).toBe(0);
  });

  test('a store that works answers a ping', async () => {
    const { store } = await fresh();
    await expect(store.ping()).resolves.toBeUndefined();
  });
}

/** Bound of the bounded stores in these tests. */
const maxBytes = 64 * 1024;

describe('5: every store keeps the contract: memory', () => {
  check(async () => {
    const clock = createManualClock();
    return { store: createMemoryStore({ maxBytes, time: clock }), wait: clock.advance };
  });
});

describe('5: every store keeps the contract: disk', () => {
  const folder = newFolder();
  check(async (namespace) => {
    const clock = createManualClock();
    return { store: createDiskStore({ folder, namespace, maxBytes, time: clock }), wait: clock.advance };
  });
});

describeReal('5: every store keeps the contract: a real Redis', ['redis'], () => {
  let redis: RealRedis | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());
  check(async (namespace) => {
    const store = createRedisStore({ ...plainRedis, port: redis?.port ?? 0, namespace });
    await until('a connection to Redis', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    );
    const wait = async (ms: number): Promise<void> => {
      const end = performance.now() + ms;
      await until('the time to pass on the server', () => performance.now() > end);
    };
    return { store, wait };
  });

  test('5: keys that others keep under the same word are neither counted nor removed', async () => {
    const client = new Redis({ port: redis?.port ?? 0 });
    const store = createRedisStore({ ...plainRedis, port: redis?.port ?? 0, namespace: 'shared' });
    await client.set('shared:0a1b', 'an answer of another gateway');
    await client.rpush('shared:a:queue', 'x');
    await until('a connection to Redis', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    );
    await store.set({ model: 'm', hash: '1' }, bytes('x'), minute);
    expect(await store.measure()).toMatchObject({ entries: 1, models: [{ model: 'm' }] });
    expect(await store.flush(undefined)).toBe(1);
    expect(await client.exists('shared:0a1b', 'shared:a:queue')).toBe(2);
    await store.close();
    client.disconnect();
  });
});

const plainRedis = {
  url: undefined,
  host: '127.0.0.1',
  username: undefined,
  password: undefined,
  database: 0,
  tls: false,
};

describe('5: bounded in bytes, the least recently used leaves first', () => {
  const stores: readonly [string, (clock: ManualClock) => Store][] = [
    ['memory', (time) => createMemoryStore({ maxBytes, time })],
    ['disk', (time) => createDiskStore({ folder: newFolder(), namespace: 'n', maxBytes, time })],
  ];
  test.each(stores)('%s', async (_name, open) => {
    const clock = createManualClock();
    const store = open(clock);
    const value = new Uint8Array(6000);
    for (let count = 0; count < 8; count++) await store.set({ model: 'm', hash: `k${count}` }, value, minute);
    await store.get({ model: 'm', hash: 'k0' });
    for (let count = 8; count < 14; count++) await store.set({ model: 'm', hash: `k${count}` }, value, minute);
    const size = await store.measure();
    expect(size.bytes).toBeLessThanOrEqual(maxBytes);
    expect(size.entries).toBeLessThan(14);
    expect(await store.get({ model: 'm', hash: 'k0' })).toBeDefined();
    expect(await store.get({ model: 'm', hash: 'k1' })).toBeUndefined();
  });
});

describe('5: a disk survives a restart', () => {
  const open = (folder: string): Store =>
    createDiskStore({ folder, namespace: 'n', maxBytes, time: createManualClock() });

  test('what was kept is there, with its time', async () => {
    const folder = newFolder();
    const first = open(folder);
    await first.set({ model: 'a/b', hash: '1' }, bytes('one'), minute);
    await first.set({ model: 'a/b', hash: '2' }, bytes('two'), minute);
    await first.close();
    const second = open(folder);
    expect(await second.measure()).toMatchObject({ entries: 2, bytes: 6, models: [{ model: 'a/b', entries: 2 }] });
    expect(shown(await second.get({ model: 'a/b', hash: '1' }))).toBe('one');
  });

  test('what ran out meanwhile and what was never finished is gone', async () => {
    const folder = newFolder();
    const first = open(folder);
    await first.set({ model: 'm', hash: 'old' }, bytes('x'), minute);
    await first.set({ model: 'm', hash: 'new' }, bytes('y'), minute);
    const place = join(folder, 'n', 'm');
    utimesSync(join(place, 'old.entry'), 1000, 1000);
    writeFileSync(join(place, '.new-of-a-killed-process.entry'), 'half');
    expect(await open(folder).measure()).toMatchObject({ entries: 1 });
    expect(readdirSync(place)).toEqual(['new.entry']);
  });

  test('an answer is given before all that the folder holds was looked at', async () => {
    const folder = newFolder();
    const first = open(folder);
    for (let count = 0; count < 100; count++) await first.set({ model: 'm', hash: `k${count}` }, bytes('x'), minute);
    const second = open(folder);
    const order: string[] = [];
    await Promise.all([
      second.measure().then(({ entries }) => order.push(`measured ${entries}`)),
      second.get({ model: 'm', hash: 'k0' }).then((found) => order.push(`got ${shown(found)}`)),
    ]);
    expect(order).toEqual(['got x', 'measured 100']);
  });

  test('files are for their owner alone', async () => {
    const folder = newFolder();
    await open(folder).set({ model: 'm', hash: 'k' }, bytes('x'), minute);
    expect(statSync(join(folder, 'n', 'm', 'k.entry')).mode & 0o077).toBe(0);
    expect(statSync(join(folder, 'n', 'm')).mode & 0o077).toBe(0);
  });

  test('a file that another process removed is not there, and not counted', async () => {
    const folder = newFolder();
    const store = open(folder);
    await store.set({ model: 'm', hash: 'k' }, bytes('x'), minute);
    rmSync(join(folder, 'n', 'm', 'k.entry'));
    expect(await store.get({ model: 'm', hash: 'k' })).toBeUndefined();
    expect(await store.measure()).toMatchObject({ entries: 0, bytes: 0 });
  });
});

describe('5: a folder that others use too', () => {
  const open = (folder: string): Store =>
    createDiskStore({ folder, namespace: 'n', maxBytes, time: createManualClock() });
  const key = { model: 'm', hash: 'k' };

  test('what is not an entry of the cache is neither counted nor removed', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'n', 'm', 'lost+found'), { recursive: true });
    mkdirSync(join(folder, 'n', 'm', 'old.entry'));
    writeFileSync(join(folder, 'n', 'm', 'main.ts'), 'source');
    utimesSync(join(folder, 'n', 'm', 'main.ts'), 1000, 1000);
    const store = open(folder);
    expect(await store.get(key)).toBeUndefined();
    await store.set(key, bytes('x'), minute);
    expect(await store.measure()).toMatchObject({ entries: 1, bytes: 1 });
    expect(await store.flush(undefined)).toBe(1);
    expect(readdirSync(join(folder, 'n', 'm')).sort()).toEqual(['lost+found', 'main.ts', 'old.entry']);
  });

  test('an entry that cannot be read is not there', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'n', 'm', 'k.entry'), { recursive: true });
    expect(await open(folder).get(key)).toBeUndefined();
  });

  test('what another gateway has kept there is flushed with the rest', async () => {
    const folder = newFolder();
    const [one, other] = [open(folder), open(folder)];
    expect(await one.get(key)).toBeUndefined();
    await other.set(key, bytes('x'), minute);
    expect(await one.flush('m')).toBe(1);
    expect(await one.get(key)).toBeUndefined();
  });
});

test('5: an address of Redis that is none is told at each use, and ends nothing', async () => {
  const store = createRedisStore({ ...plainRedis, port: 1, url: 'redis://127.0.0.1:${PORT}', namespace: 'n' });
  await expect.poll(() => store.ping().catch((error: Error) => error.message)).toBe('its address is no URL');
  await store.close();
});

test('5: what answers and is no Redis is told, and ends nothing', async () => {
  const server = createServer((socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    socket.on('error', () => {});
  }).listen(0);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const store = createRedisStore({ ...plainRedis, port, namespace: 'n' });
  await expect.poll(() => store.ping().catch((error: Error) => error.message)).toBe('what answers there is no Redis');
  await store.close();
  server.close();
});
