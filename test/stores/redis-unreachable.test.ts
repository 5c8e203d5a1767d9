import { expect, test } from 'vitest';
import { createRedisStore } from '../../src/stores/redis-store.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { until } from '../support/until.ts';

/** Sockets and timers of this thread that would hold a process up. */
function held(): number {
  const names = ['TCPSocketWrap', 'TCPConnectWrap', 'Timeout'];
  return process.getActiveResourcesInfo().filter((name) => names.includes(name)).length;
}

test('spine 3.10: a store whose Redis cannot be reached is closed and holds nothing up', async () => {
  const hole = await startBlackHole();
  const before = held();
  const store = createRedisStore({
    url: hole.url.replace('http', 'redis'),
    ...{ host: '', port: 0, username: undefined, password: undefined, database: 0, tls: false, namespace: 'n' },
  });
  await until('the attempt', () => held() > before);
  await store.close();
  // A connection that is let be is given up after two seconds.
  await until('nothing to be held', () => held() <= before, 1000);
  expect(held()).toBeLessThanOrEqual(before);
  await hole.close();
});
