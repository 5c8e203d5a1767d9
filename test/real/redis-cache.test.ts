import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { chat, type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startProduct } from '../support/product.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { type Certificate, makeCertificate, type RealRedis, startRedis } from './servers.ts';

describeReal('5: a real Redis', ['redis'], () => {
  let redis: RealRedis;
  let upstream: FakeUpstream;
  const gateways: TestGateway[] = [];
  beforeAll(async () => {
    [redis, upstream] = [await startRedis(), await startFakeUpstream(['m'])];
  });
  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway.close();
  });
  afterAll(async () => {
    await redis.stop();
    await upstream.close();
  });

  /** A gateway with the cache in Redis, once it has reached it. */
  async function open(params: Record<string, unknown> = {}): Promise<TestGateway> {
    const gateway = await startGateway({
      providers: { a: { type: 'openai_compatible', base_url: upstream.url, models: ['m'] } },
      settings: {
        litellm_settings: {
          cache: true,
          cache_params: { type: 'redis', host: '127.0.0.1', port: redis.port, ...params },
        },
      },
    });
    gateways.push(gateway);
    await until('the cache to be reached', async () => (await ping(gateway)).status === 200);
    return gateway;
  }

  const ping = (gateway: TestGateway): Promise<Response> => fetch(`${gateway.url}/cache/ping`);

  type Timed = { readonly status: number; readonly cache: string | null; readonly ms: number };
  const ask = async (gateway: TestGateway, seed: number): Promise<Timed> => {
    const began = performance.now();
    const answer = await gateway.chat({ seed });
    await answer.text();
    return { status: answer.status, cache: answer.headers.get('x-signalbox-cache'), ms: performance.now() - began };
  };
  const isHit = async (gateway: TestGateway, seed: number): Promise<boolean> =>
    (await ask(gateway, seed)).cache === 'hit';

  test('gateways of one namespace share answers; those of another do not', async () => {
    const [one, two, other] = [await open(), await open(), await open({ namespace: 'other' })];
    expect((await ask(one, 1)).cache).toBe('miss');
    await until('the answer at the second gateway', () => isHit(two, 1));
    expect((await ask(other, 1)).cache).toBe('miss');
  });

  /** Goes on asking while something happens to Redis; every request must be answered. */
  async function underLoad(gateway: TestGateway, happens: () => Promise<void>): Promise<readonly Timed[]> {
    const all: Timed[] = [];
    let isOver = false;
    const client = async (first: number): Promise<void> => {
      for (let count = 0; !isOver; count++) all.push(await ask(gateway, first + (count % 5)));
    };
    const clients = [100, 200, 300, 400].map(client);
    await until('requests before', () => all.length >= 40);
    await happens();
    isOver = true;
    await Promise.all(clients);
    return all;
  }

  const rests = (gateway: TestGateway): Promise<Record<string, unknown>> => gateway.logged('cache_resting');

  test('frozen in the middle of a load: no request fails, and once it rests none waits for it', async () => {
    const gateway = await open();
    let later: readonly Timed[] = [];
    const all = await underLoad(gateway, async () => {
      redis.freeze();
      await rests(gateway);
      later = await Promise.all(Array.from({ length: 20 }, (_, seed) => ask(gateway, seed)));
    });
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    expect(all.length).toBeGreaterThan(40);
    // While it rests nobody asks it. Were it asked, each of these in turn would take 50 ms at least.
    expect(later.map(({ status, cache }) => [status, cache])).toEqual(later.map(() => [200, 'miss']));
    const inTurn = performance.now();
    for (let seed = 0; seed < 20; seed++) await ask(gateway, seed);
    expect(performance.now() - inTurn).toBeLessThan(20 * 50);
    expect((await ping(gateway)).status).toBe(503);
    redis.thaw();
    await gateway.logged('cache_ready');
    await until('hits after it went on', () => isHit(gateway, 7));
  });

  test('a request that is the first to meet it frozen waits for its deadline of 50 ms and no longer', async () => {
    const gateway = await open();
    await ask(gateway, 1);
    redis.freeze();
    const { status, ms } = await ask(gateway, 2);
    redis.thaw();
    expect(status).toBe(200);
    expect(ms).toBeGreaterThanOrEqual(45);
    // The upstream’s own time and a busy machine are on top.
    expect(ms).toBeLessThan(500);
  });

  test('gone in the middle of a load, and back: no request fails, and answers are shared again', async () => {
    const gateway = await open();
    const { port } = redis;
    const all = await underLoad(gateway, async () => {
      await redis.stop();
      await rests(gateway);
      await ask(gateway, 1);
      redis = await startRedis({ port });
      await gateway.logged('cache_ready');
    });
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    await until('hits after it came back', () => isHit(gateway, 7));
  });

  test('a Redis that was never there: requests are answered, the ping says why', async () => {
    const gateway = await startGateway({
      providers: { a: { type: 'openai_compatible', base_url: upstream.url, models: ['m'] } },
      settings: { litellm_settings: { cache: true, cache_params: { type: 'redis', host: '127.0.0.1', port: 1 } } },
    });
    gateways.push(gateway);
    upstream.script(chat('Hello'));
    expect((await Promise.all([1, 2, 3, 4].map((seed) => ask(gateway, seed)))).map(({ status }) => status)).toEqual([
      200, 200, 200, 200,
    ]);
    expect(await (await ping(gateway)).json()).toMatchObject({
      error: { code: 'cache_unavailable', message: expect.stringMatching(/refused(?!.*127)/) },
    });
  });
});

describeReal('5: a real Redis that speaks TLS', ['redis'], () => {
  let certificate: Certificate;
  let redis: RealRedis;
  let upstream: FakeUpstream;
  const closers: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    certificate = makeCertificate();
    [redis, upstream] = [await startRedis({ tls: certificate }), await startFakeUpstream(['m'])];
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
  afterAll(async () => {
    await redis.stop();
    await upstream.close();
    rmSync(certificate.folder, { recursive: true, force: true });
  });

  const configuration = (params: Record<string, unknown>) => ({
    providers: { a: { type: 'openai_compatible', base_url: upstream.url, models: ['m'] } },
    settings: { litellm_settings: { cache: true, cache_params: { type: 'redis', ...params } } },
  });
  const ask = (url: string): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
    });
  const forms: readonly [how: string, params: () => Record<string, unknown>][] = [
    ['ssl: true', () => ({ host: '127.0.0.1', port: redis.port, ssl: true })],
    ['rediss://', () => ({ redis_url: `rediss://localhost:${redis.port}/0` })],
  ];

  test.each(forms)('%s: answers are kept in it where its issuer is trusted', async (how, params) => {
    const { providers, settings } = configuration({ ...params(), namespace: how });
    const product = await startProduct({
      files: {
        'config/providers.yaml': JSON.stringify({ providers }),
        'config/settings.yaml': JSON.stringify(settings),
      },
      environment: { NODE_EXTRA_CA_CERTS: certificate.certificate },
    });
    closers.push(product.stop);
    await until('the cache', async () => (await fetch(`${product.url}/cache/ping`)).status === 200);
    await until('a hit', async () => (await ask(product.url)).headers.get('x-signalbox-cache') === 'hit');
  });

  test.each<[how: string, params: () => Record<string, unknown>, why: RegExp]>([
    ...forms.map(([how, params]): [string, typeof params, RegExp] => [how, params, /certificate is not accepted/]),
    ['no TLS', () => ({ host: '127.0.0.1', port: redis.port }), /closed|cut/],
  ])('%s: one that is not trusted is left out, told once, and fails no request', async (_how, params, why) => {
    const gateway = await startGateway(configuration(params()));
    closers.push(gateway.close);
    // A request that comes before the handshake has failed is told that nothing is connected yet.
    await until('why', async () => why.test(await (await fetch(`${gateway.url}/cache/ping`)).text()));
    for (let count = 0; count < 4; count++) {
      const answer = await ask(gateway.url);
      expect([answer.status, answer.headers.get('x-signalbox-cache')]).toEqual([200, 'miss']);
    }
    expect(await gateway.logged('cache_resting')).toMatchObject({ level: 'warn', message: expect.stringMatching(why) });
    const ping = await fetch(`${gateway.url}/cache/ping`);
    expect([ping.status, await ping.text()]).toEqual([503, expect.stringMatching(why)]);
    expect(gateway.log().filter(({ event }) => event === 'cache_resting')).toHaveLength(1);
  });
});
