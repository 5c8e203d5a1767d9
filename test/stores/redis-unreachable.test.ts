import { expect, test } from 'vitest';
import { systemClock } from '../../src/gateway/clock.ts';
import { milliseconds } from '../../src/plan/ids.ts';
import { guardStore } from '../../src/stores/guarded-store.ts';
import { createRedisStore } from '../../src/stores/redis-store.ts';
import { startFakeRedis } from '../declared-equals-executed/fake-redis.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { until } from '../support/until.ts';

/** Sockets and timers of this thread that would hold a process up. */
function held(): number {
  const names = ['TCPSocketWrap', 'TCPConnectWrap', 'Timeout'];
  return process.getActiveResourcesInfo().filter((name) => names.includes(name)).length;
}

const options = {
  url: undefined,
  ...{ host: '127.0.0.1', port: 0, username: undefined, password: undefined, database: 0, tls: false, namespace: 'n' },
};

test('spine 3.10: a store whose Redis cannot be reached is closed and holds nothing up', async () => {
  const hole = await startBlackHole();
  const before = held();
  const store = createRedisStore({ ...options, url: hole.url.replace('http', 'redis') });
  await until('the attempt', () => held() > before);
  await store.close();
  // A connection that is let be is given up after two seconds.
  await until('nothing to be held', () => held() <= before, 1000);
  expect(held()).toBeLessThanOrEqual(before);
  await hole.close();
});

test('spine 3.10: a connection whose other end is gone without a word is given up for a new one', async () => {
  const redis = await startFakeRedis();
  const store = guardStore(createRedisStore({ ...options, port: redis.port }), {
    ...{ deadlineMs: milliseconds(50), time: systemClock, onChange: () => {} },
  });
  const ask = (): Promise<boolean> => store.set({ model: 'm', hash: 'h' }, Buffer.from('x'), milliseconds(1000));
  await until('it to be connected', ask);
  redis.forget();
  await until('the store to rest', async () => !(await ask()) && store.state().kind === 'resting');
  await until('the store to be back', () => store.state().kind === 'ready', 8000);
  expect(await ask()).toBe(true);
  await store.close();
  redis.close();
});
