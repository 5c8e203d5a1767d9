import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { closersAfterEach } from '../support/closers.ts';
import {
  chat,
  delta,
  type FakeUpstream,
  fault,
  hang,
  hold,
  openStream,
  startFakeUpstream,
} from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

const closers = closersAfterEach();

type Setup = { readonly upstream: FakeUpstream; readonly gateway: TestGateway; readonly clock: ManualClock };

/** A model `m` at one provider, `n` at another that may stand in for it. */
async function setup(parts: {
  readonly provider?: Record<string, unknown>;
  readonly entry?: Record<string, unknown>;
  readonly mappings?: Record<string, unknown>;
  readonly settings?: Record<string, unknown>;
  readonly environment?: Record<string, string>;
}): Promise<Setup> {
  const upstream = await startFakeUpstream(['m', 'n']);
  const clock = createManualClock();
  const gateway = await startGateway({
    clock,
    providers: {
      a: { type: 'openai_compatible', base_url: upstream.url, models: ['m'], ...parts.provider },
      b: { type: 'openai_compatible', base_url: upstream.url, models: ['n'] },
    },
    mappings: { exact_matches: { m: { provider: 'a', fallback: 'n', ...parts.entry } }, ...parts.mappings },
    settings: { router_settings: { num_retries: 0 }, ...parts.settings },
    ...(parts.environment === undefined ? {} : { environment: parts.environment }),
  });
  closers.push(upstream.close, gateway.close);
  return { upstream, gateway, clock };
}

const limits = (all: object): Record<string, unknown> => ({ rate_limit_settings: { limits: all } });
const headersOf = (answer: Response): Record<string, string> =>
  Object.fromEntries([...answer.headers].filter(([name]) => /^(x-ratelimit|retry-after)/.test(name)));

describe('4.2: limits at every place where one can be declared', () => {
  test.each([
    ['rate_limit_settings', { settings: limits({ m: { rpm: 1 } }) }],
    ['an exact entry', { entry: { rate_limit: { rpm: 1 } } }],
    ['an alias', { mappings: { model_aliases: { m2: 'm' } }, settings: limits({ m2: { rpm: 1 } }), asks: 'm2' }],
    [
      'a key',
      {
        settings: {
          general_settings: { master_key: 'os.environ/MASTER' },
          server_settings: { keys: [{ name: 'laptop', key: 'os.environ/LAPTOP', rpm: 1 }] },
        },
        environment: { MASTER: 'sk-master-of-the-test', LAPTOP: 'sk-laptop-of-the-test' },
      },
    ],
  ])(
    '%s: one more is refused with 429 and says when',
    async (_, { asks = 'm', ...parts }: Parameters<typeof setup>[0] & { asks?: string }) => {
      const { gateway, upstream, clock } = await setup(parts);
      const headers = { authorization: 'Bearer sk-laptop-of-the-test' };
      expect((await gateway.chat({ model: asks }, { headers })).status).toBe(200);
      const began = performance.now();
      const refused = await gateway.chat({ model: asks }, { headers });
      expect(performance.now() - began).toBeLessThan(200);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '61']);
      expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } });
      expect(upstream.requests.length).toBe(1);
      await clock.advance(61_000);
      expect((await gateway.chat({ model: asks }, { headers })).status).toBe(200);
    },
  );

  test.each([
    ['a model', { models: [{ name: 'm', rpm: 1 }] }],
    ['a provider', { rate_limits: { requests_per_minute: 1 } }],
  ])('%s that is full is passed over: its fallback answers', async (_, provider) => {
    const { gateway } = await setup({ provider });
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('a/m');
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('b/n');
  });

  test('rate_limited_fallback sends a request over its name’s limit on', async () => {
    const { gateway } = await setup({
      settings: limits({ m: { rpm: 1 } }),
      mappings: { special_cases: { rate_limited_fallback: { enabled: true } } },
    });
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('a/m');
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('b/n');
  });

  test('as many at the same time as a name may have', async () => {
    const { gateway, upstream } = await setup({ settings: limits({ m: { max_parallel_requests: 1 } }) });
    upstream.script(openStream([delta({ content: 'Hi' })]));
    const leaving = new AbortController();
    const first = await gateway.chat({ stream: true }, { signal: leaving.signal });
    expect(first.status).toBe(200);
    expect((await gateway.chat()).status).toBe(429);
    leaving.abort();
    upstream.script(chat('Hello'));
    await until('the place to be free', async () => (await gateway.chat()).status === 200);
  });
});

test('4.2: no sixty seconds see more at the server than the limit, though requests waited for their seats', async () => {
  const { gateway, upstream, clock } = await setup({
    provider: { models: [{ name: 'm', rpm: 2 }], max_parallel_requests: 1 },
    entry: { fallback: undefined },
  });
  const came: number[] = [];
  const { behaviour, release } = hold();
  upstream.script((answer, request) => {
    came.push(clock.now() / 1000);
    return behaviour(answer, request);
  });
  const oneAfterTheOther = [gateway.chat(), gateway.chat()];
  await until('the second to wait', async () => {
    const { providers } = await gateway.running.report(milliseconds(0));
    return providers.flatMap((one) => one.deployments).some((one) => one.queue?.waiting === 1);
  });
  await clock.advance(40_000);
  await release();
  await release();
  await Promise.all(oneAfterTheOther);
  await clock.advance(21_000);
  const third = gateway.chat();
  await release();
  expect((await third).status).toBe(200);
  const refused = await gateway.chat();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40']);
  expect(came).toEqual([0, 40, 61]);
});

describe('4.2: when to ask again where too much runs', () => {
  test.each([
    ['a name', limits({ m: { max_parallel_requests: 1 } }), 429],
    ['the gateway', { general_settings: { max_parallel_requests: 1 } }, 503],
  ])('the limit of %s: a second where nothing is known, then by what answers take', async (_, settings, status) => {
    const { gateway, upstream, clock } = await setup({ settings });
    const { behaviour, release } = hold();
    upstream.script(behaviour);
    for (const [before, after] of ['1', '4'].entries()) {
      const running = gateway.chat();
      await upstream.received(before + 1);
      const refused = await gateway.chat();
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([status, after]);
      await clock.advance(8000);
      await release();
      expect((await running).status).toBe(200);
    }
  });
});

describe('4.2: what counts', () => {
  test('each attempt that is sent counts one, what is refused counts none', async () => {
    const { gateway, upstream, clock } = await setup({
      settings: { ...limits({ m: { rpm: 3 } }), router_settings: { num_retries: 1, retry_after: 0 } },
    });
    upstream.script(fault(500), chat('Hello'));
    const pending = gateway.chat();
    await upstream.received(1);
    await until('the retry', async () => {
      await clock.advance(500);
      return upstream.requests.length === 2;
    });
    expect((await pending).headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect((await gateway.chat({ messages: 'none' })).status).toBe(400);
    expect((await gateway.chat()).headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect((await gateway.chat()).status).toBe(429);
  });

  test('what had no seat in time counts none', async () => {
    const { gateway, upstream } = await setup({
      provider: { max_parallel_requests: 1 },
      settings: { ...limits({ m: { rpm: 2 } }), server_settings: { max_queue_length: 0 } },
    });
    const { behaviour, release } = hold();
    upstream.script(behaviour, chat('Hello'));
    const first = gateway.chat();
    await upstream.received(1);
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('b/n');
    await release();
    expect((await first).headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('a/m');
  });

  test('an attempt that failed without a word used no tokens', async () => {
    const { gateway, upstream } = await setup({ settings: limits({ m: { tpm: 1000 } }) });
    upstream.script(fault(500), chat('Hello'));
    const ask = async (): Promise<string | null> =>
      (await gateway.chat({ max_tokens: 900 })).headers.get('x-signalbox-route');
    expect([await ask(), await ask()]).toEqual(['b/n', 'a/m']);
  });

  test('the prompt of a request whose client left counts, its answer does not', async () => {
    const { gateway, upstream } = await setup({ settings: limits({ m: { tpm: 1000 } }) });
    upstream.script(hang, chat('Hello'));
    const messages = [{ role: 'user', content: 'one two three '.repeat(200) }];
    const leaving = new AbortController();
    const left = gateway.chat({ messages, max_tokens: 300 }, { signal: leaving.signal }).catch(() => undefined);
    await upstream.received(1);
    leaving.abort();
    await left;
    await upstream.requests[0]?.cancelled;
    const used = await until('the count to be true', async () => {
      const { headers } = await gateway.chat({ max_tokens: 1 });
      const tokens = 1000 - Number(headers.get('x-ratelimit-remaining-tokens'));
      return tokens < 700 ? tokens : undefined;
    });
    expect(used).toBeGreaterThan(500);
  });

  test('an answer from the cache counts none, and is given though the limit is full', async () => {
    const { gateway, upstream } = await setup({
      settings: { ...limits({ m: { rpm: 1 } }), litellm_settings: { cache: true } },
    });
    expect((await gateway.chat()).status).toBe(200);
    const again = await gateway.chat();
    expect([again.status, again.headers.get('x-signalbox-cache')]).toEqual([200, 'hit']);
    const other = [{ role: 'user', content: 'Something else' }];
    expect((await gateway.chat({ messages: other })).status).toBe(429);
    expect(upstream.requests.length).toBe(1);
  });

  test.each([false, true])('tokens count as the server counted them; as a stream: %s', async (stream) => {
    const { gateway } = await setup({ settings: limits({ m: { tpm: 1000 } }) });
    const first = await gateway.chat({ stream, max_tokens: 400 });
    await first.text();
    expect(headersOf(first)).toMatchObject({ 'x-ratelimit-limit-tokens': '1000' });
    // A stream's headers go out while its 400 tokens of output are only taken; the server counts 5 tokens in all.
    const left = Number(first.headers.get('x-ratelimit-remaining-tokens'));
    if (stream) expect(left).toBeLessThan(600);
    else expect(left).toBe(995);
    await until('the count to be true', async () => {
      const { status } = await gateway.chat({ max_tokens: 900, messages: [{ role: 'user', content: 'Hi' }] });
      return status === 200;
    });
  });

  test('headers in OpenAI’s forms, on answers and refusals', async () => {
    const { gateway, clock } = await setup({ settings: limits({ m: { rpm: 2 } }) });
    expect(headersOf(await gateway.chat())).toEqual({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': '1m1s',
    });
    await clock.advance(20_000);
    await gateway.chat();
    expect(headersOf(await gateway.chat())).toEqual({
      'retry-after': '41',
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1m1s',
    });
  });

  test.each([
    ['an answer', 200, { rate_limit: { rpm: 5 } }],
    ['a refusal', 429, { fallback: undefined }],
  ])('headers of the limit with least room, though it is of the provider alone: on %s', async (_, status, entry) => {
    const { gateway } = await setup({ provider: { rate_limits: { requests_per_minute: 1 } }, entry });
    const answer = await gateway.chat();
    const told = status === 200 ? answer : await gateway.chat();
    expect([told.status, told.headers.get('x-ratelimit-limit-requests')]).toEqual([status, '1']);
    expect(told.headers.get('x-ratelimit-remaining-requests')).toBe('0');
  });

  test('where nothing is limited nothing is said', async () => {
    const { gateway } = await setup({});
    expect(headersOf(await gateway.chat())).toEqual({});
  });

  test('events named rate_limit: once when nearly full, and for each refusal', async () => {
    const { gateway } = await setup({ settings: limits({ m: { rpm: 5 } }) });
    for (let sent = 0; sent < 7; sent++) await gateway.chat();
    await until('both refusals', () => gateway.log().filter((line) => line['state'] === 'full').length === 2);
    const lines = gateway.log().filter((line) => line['event'] === 'rate_limit');
    expect(lines.map(({ state, message }) => [state, message])).toEqual([
      ['near', 'the limit of model "m" is nearly full: 4 of 5 requests a minute'],
      ['full', expect.stringContaining('the limit of model "m" is full: 5 of 5 requests a minute')],
      ['full', expect.stringContaining('the limit of model "m" is full: 5 of 5 requests a minute')],
    ]);
  });
});
