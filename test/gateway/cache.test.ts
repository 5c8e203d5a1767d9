import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import {
  chat,
  delta,
  done,
  type FakeUpstream,
  fault,
  finish,
  hold,
  json,
  openStream,
  reset,
  startFakeUpstream,
  stream,
} from '../support/fake-upstream.ts';
import { readStream, startGateway, type TestGateway, textOf } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

const closers = closersAfterEach();

type Setup = {
  readonly upstream: FakeUpstream;
  readonly other: FakeUpstream;
  readonly gateway: TestGateway;
  readonly clock: ManualClock;
};

type Settings = Record<string, Record<string, unknown>>;

const models = ['m', 'n', 'tiny:1b'];

/** `m` and `n` of one server; `p` of a server that `m` stands in for. */
async function setup(settings: Settings = {}, mappings: Record<string, unknown> = {}): Promise<Setup> {
  const [upstream, other] = [await startFakeUpstream(models), await startFakeUpstream(['p'])];
  const clock = createManualClock();
  const gateway = await startGateway({
    clock,
    providers: {
      a: { type: 'openai_compatible', base_url: upstream.url, models },
      b: { type: 'openai_compatible', base_url: other.url, models: ['p'] },
    },
    mappings: { exact_matches: { p: { provider: 'b', fallback: 'm' } }, ...mappings },
    settings: {
      ...settings,
      litellm_settings: { cache: true, ...settings['litellm_settings'] },
      router_settings: { num_retries: 0 },
    },
  });
  closers.push(upstream.close, other.close, gateway.close);
  return { upstream, other, gateway, clock };
}

const state = (answer: Response): string | null => answer.headers.get('x-signalbox-cache');
const cacheParams = (params: Record<string, unknown>): Settings => ({ litellm_settings: { cache_params: params } });

/** Asks twice in a row, and says what each was and how often the upstream was asked. */
async function twice(
  { gateway, upstream, other }: Setup,
  first: Record<string, unknown> = {},
  second: Record<string, unknown> = first,
): Promise<{ readonly states: readonly (string | null)[]; readonly asked: number }> {
  const states: (string | null)[] = [];
  for (const fields of [first, second]) {
    const answer = await gateway.chat(fields);
    await answer.arrayBuffer();
    states.push(state(answer));
  }
  return { states, asked: upstream.requests.length + other.requests.length };
}

describe('5: an equal request is answered from the cache', () => {
  test('whole: the same body, its route, its key (F2)', async () => {
    const { gateway, upstream } = await setup();
    const [first, second] = [await gateway.chat(), await gateway.chat()];
    expect([state(first), state(second)]).toEqual(['miss', 'hit']);
    expect(await second.text()).toBe(await first.text());
    expect(upstream.requests).toHaveLength(1);
    expect(first.headers.has('x-litellm-cache-key')).toBe(false);
    expect(second.headers.get('x-litellm-cache-key')).toMatch(/^[0-9a-f]{64}$/);
    for (const name of ['x-signalbox-route', 'x-litellm-model-id', 'x-litellm-model-group'])
      expect(second.headers.get(name)).toBe(first.headers.get(name));
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  });

  test('a stream as a stream: the same events', async () => {
    const { gateway, upstream } = await setup();
    const fields = { stream: true, stream_options: { include_usage: true } };
    const [first, second] = [await gateway.chat(fields), await gateway.chat(fields)];
    const events = (await readStream(first)).events;
    const again = await readStream(second);
    expect(second.headers.get('content-type')).toContain('text/event-stream');
    expect(again.events).toEqual(events);
    expect([textOf(again.events), again.events.at(-1), upstream.requests.length]).toEqual(['Hello', '[DONE]', 1]);
  });

  test('embeddings too', async () => {
    const { gateway, upstream } = await setup();
    upstream.script(json({ object: 'list', model: 'm', data: [{ index: 0, embedding: [0.5] }] }));
    const ask = (input: string): Promise<Response> =>
      fetch(`${gateway.url}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ model: 'm', input }) });
    const [first, second, third] = [await ask('a'), await ask('a'), await ask('b')];
    expect([first, second, third].map(state)).toEqual(['miss', 'hit', 'miss']);
    expect(await second.text()).toBe(await first.text());
  });

  test('the log and the record say so, with the route and the price of nothing', async () => {
    const { gateway } = await setup();
    await (await gateway.chat()).text();
    await (await gateway.chat()).text();
    const lines = await until('two lines', () => {
      const found = gateway.log().filter((line) => line['event'] === 'request_routed');
      return found.length === 2 && found;
    });
    expect(
      lines.map((line) => [line['cache_hit'], line['provider'], line['backend_model'], line['total_tokens']]),
    ).toEqual([
      [false, 'a', 'm', 5],
      [true, 'a', 'm', 5],
    ]);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['the order of fields', { temperature: 0, seed: 1 }, { seed: 1, temperature: 0 }],
    ['metadata, and who may stand in', { metadata: { a: 1 }, fallbacks: ['n'] }, { metadata: { a: 2 } }],
    ['what says nothing', {}, { stop: null, stream: false }],
    ['how much of a hurry it is in', { metadata: { priority: 'batch' } }, {}],
  ])('what does not matter: %s', async (_title, first, second) => {
    expect(await twice(await setup(), first, second)).toEqual({ states: ['miss', 'hit'], asked: 1 });
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['the name', { model: 'm' }, { model: 'n' }],
    ['a parameter', { temperature: 0 }, { temperature: 1 }],
    ['one that only some servers know', { top_k: 1 }, { top_k: 2 }],
    ['whole or stream', {}, { stream: true }],
    ['the user', { user: 'a' }, { user: 'b' }],
    ['the namespace', { cache: { namespace: 'a' } }, { cache: { namespace: 'b' } }],
  ])('what matters: %s', async (_title, first, second) => {
    expect(await twice(await setup(), first, second)).toEqual({ states: ['miss', 'miss'], asked: 2 });
  });
});

describe('5: controls of a request', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>, readonly string[]]>([
    ['no-cache asks anew', {}, { cache: { 'no-cache': true } }, ['miss', 'bypass']],
    ['no-store keeps nothing', { cache: { 'no-store': true } }, {}, ['miss', 'miss']],
    ['no-store takes what is kept', {}, { cache: { 'no-store': true } }, ['miss', 'hit']],
    ['a largest age of nothing', {}, { cache: { 's-maxage': 0 } }, ['miss', 'miss']],
    ['no-cache keeps its answer', { cache: { 'no-cache': true } }, {}, ['bypass', 'hit']],
    ['namespaces hold together', { cache: { namespace: 'a' } }, { cache: { namespace: 'a' } }, ['miss', 'hit']],
  ])('%s', async (_title, first, second, states) => {
    expect((await twice(await setup(), first, second)).states).toEqual(states);
  });

  test('ttl and s-maxage', async () => {
    const { gateway, clock } = await setup();
    await gateway.chat({ cache: { ttl: 10 } });
    await clock.advance(5000);
    expect(state(await gateway.chat({ cache: { 's-maxage': 4 } }))).toBe('miss');
    await clock.advance(3000);
    expect(state(await gateway.chat({ cache: { 's-maxage': 4 } }))).toBe('hit');
    await gateway.chat({ seed: 1, cache: { ttl: 10 } });
    await clock.advance(9000);
    expect(state(await gateway.chat({ seed: 1 }))).toBe('hit');
    await clock.advance(2000);
    expect(state(await gateway.chat({ seed: 1 }))).toBe('miss');
  });

  test('the header Cache-Control', async () => {
    const { gateway } = await setup();
    await gateway.chat();
    expect(state(await gateway.chat({}, { headers: { 'cache-control': 'no-cache' } }))).toBe('bypass');
  });

  test('a wrong one is refused, with its name', async () => {
    const { gateway, upstream } = await setup();
    const answer = await gateway.chat({ cache: { ttl: 'long' } });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { param: 'cache.ttl', message: expect.stringContaining('"cache.ttl"') },
    });
    expect(upstream.requests).toHaveLength(0);
  });

  test('the controls never reach an upstream, with or without a cache', async () => {
    for (const cache of [true, false]) {
      const { gateway, upstream } = await setup({ litellm_settings: { cache } });
      await gateway.chat({ cache: { ttl: 10 } });
      expect(upstream.requests.map(({ body }) => body)).toEqual([expect.not.stringContaining('ttl')]);
    }
  });

  test('mode default_off: only who asks takes part', async () => {
    const one = await setup(cacheParams({ mode: 'default_off' }));
    expect(await twice(one)).toEqual({ states: ['bypass', 'bypass'], asked: 2 });
    expect((await twice(one, { cache: { 'use-cache': true } })).states).toEqual(['miss', 'hit']);
  });
});

describe('5: what cache_params and server_settings declare', () => {
  test('ttl, and another one by name (F2): the name that was asked, else the one that it stands for', async () => {
    const { gateway, clock } = await setup(
      { ...cacheParams({ ttl: 100 }), server_settings: { cache_ttl_by_model: { n: 10, long: 100 } } },
      { model_aliases: { long: 'n', other: 'n' } },
    );
    const ask = async (): Promise<readonly (string | null)[]> => {
      const answers = ['m', 'n', 'long', 'other'].map((model) => gateway.chat({ model }));
      return (await Promise.all(answers)).map(state);
    };
    await ask();
    await clock.advance(50_000);
    expect(await ask()).toEqual(['hit', 'miss', 'hit', 'miss']);
    await clock.advance(60_000);
    expect(await ask()).toEqual(['miss', 'miss', 'miss', 'miss']);
  });

  test('supported_call_types', async () => {
    expect((await twice(await setup(cacheParams({ supported_call_types: ['aembedding'] })))).states).toEqual([
      'bypass',
      'bypass',
    ]);
  });

  test('cache_max_bytes: what does not fit is not kept', async () => {
    const one = await setup({ server_settings: { cache_max_bytes: 2000 } });
    one.upstream.script(chat('long '.repeat(200)));
    expect((await twice(one)).states).toEqual(['miss', 'miss']);
  });

  test('without cache: true nothing is kept and no header is sent', async () => {
    const one = await setup({ litellm_settings: { cache: false } });
    expect(await twice(one)).toEqual({ states: [null, null], asked: 2 });
  });

  test('disk: answers survive a restart; one that was damaged is a miss', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-cache-'));
    closers.push(async () => rmSync(folder, { recursive: true, force: true }));
    const params = cacheParams({ type: 'disk', disk_cache_dir: folder, namespace: 'team' });
    const first = await setup(params);
    expect((await twice(first)).states).toEqual(['miss', 'hit']);
    await first.gateway.close();
    // Another port is another route, so the same upstream is needed.
    const gateway = await startGateway({
      clock: createManualClock(),
      providers: { a: { type: 'openai_compatible', base_url: first.upstream.url, models: ['m', 'n'] } },
      settings: { litellm_settings: { cache: true, ...params['litellm_settings'] } },
    });
    closers.push(gateway.close);
    const again = await gateway.chat();
    expect([state(again), await again.json()]).toMatchObject(['hit', { choices: [{ message: { content: 'Hello' } }] }]);
    const place = join(folder, 'team', 'm');
    const [name = ''] = readdirSync(place);
    writeFileSync(join(place, name), '{"form":1,"length":3}\nabX');
    expect(state(await gateway.chat())).toBe('miss');
  });
});

describe('5: what is never kept', () => {
  const toolCall = json({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
  });

  test.each([
    ['an error', fault(400), {}],
    ['a cut stream', reset([delta({ content: 'Hel' })]), { stream: true }],
    [
      'a stream that fails in band',
      stream([delta({ content: 'Hel' }), 'data: {"error":{"message":"no"}}\n\n']),
      { stream: true },
    ],
    ['a call of a tool', toolCall, {}],
    [
      'a streamed call of a tool',
      stream([
        delta({ tool_calls: [{ index: 0, id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }] }),
        finish(),
        done,
      ]),
      { stream: true },
    ],
  ])('%s', async (_title, behaviour, fields) => {
    const one = await setup();
    one.upstream.script(behaviour);
    const ask = async (): Promise<Response> => {
      const answer = await one.gateway.chat(fields);
      await answer.text().catch(() => undefined);
      return answer;
    };
    await ask();
    one.upstream.script(chat('Hello'));
    expect(state(await ask())).toBe('miss');
    expect(one.upstream.requests).toHaveLength(2);
  });

  test('calls of tools are, when the request asks; a text that tells of them always is', async () => {
    const one = await setup();
    one.upstream.script(toolCall);
    expect((await twice(one, { cache: { 'use-cache': true } })).states).toEqual(['miss', 'hit']);
    one.upstream.script(chat('say {"tool_calls": [{"x": 1}]} to it'));
    expect((await twice(one, { seed: 2 })).states).toEqual(['miss', 'hit']);
  });

  test('a call of a tool that was kept for those who ask is given to nobody else', async () => {
    const one = await setup();
    one.upstream.script(toolCall);
    const asking = { cache: { 'use-cache': true } };
    expect((await twice(one, asking, {})).states).toEqual(['miss', 'miss']);
    expect(state(await one.gateway.chat(asking))).toBe('hit');
  });

  test('the answer of who stands in: the other is asked again once it is back', async () => {
    const { gateway, other } = await setup();
    other.script(fault(500), chat('Hello'));
    expect((await gateway.chat({ model: 'p' })).headers.get('x-signalbox-route')).toBe('a/m');
    expect((await gateway.chat({ model: 'p' })).headers.get('x-signalbox-route')).toBe('b/p');
    expect(state(await gateway.chat({ model: 'p' }))).toBe('hit');
  });

  test('an answer that is less than was asked for, which each client is to be told', async () => {
    const one = await setup({}, { capabilities: { deep: { models: ['tiny:1b'], min_model_size: '70B' } } });
    expect(await twice(one, { model: 'deep' })).toEqual({ states: ['miss', 'miss'], asked: 2 });
  });

  test('a stream whose client leaves', async () => {
    const { gateway, upstream } = await setup();
    upstream.script(openStream([delta({ content: 'Hel' })]), chat('Hello'));
    const leaving = new AbortController();
    const answer = await gateway.chat({ stream: true }, { signal: leaving.signal });
    await answer.body?.getReader().read();
    leaving.abort();
    await upstream.requests[0]?.cancelled;
    expect(state(await gateway.chat({ stream: true }))).toBe('miss');
  });
});

describe('5: equal requests at the same time', () => {
  test.each([false, true])('one goes, all are answered (stream: %s)', async (isStream) => {
    const { gateway, upstream } = await setup();
    const { behaviour, release } = hold();
    upstream.script(behaviour);
    const asked = Array.from({ length: 10 }, () => gateway.chat({ stream: isStream }));
    await upstream.received(1);
    await release();
    const answers = await Promise.all(asked);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(texts).size).toBe(1);
    expect(answers.map(state).sort()).toEqual([...Array.from({ length: 9 }, () => 'hit'), 'miss']);
    expect(upstream.requests).toHaveLength(1);
  });

  test('who is in a hurry does not wait for a batch', async () => {
    const { gateway, upstream } = await setup();
    const { behaviour, release } = hold();
    upstream.script(behaviour, chat('Hello'));
    const batch = gateway.chat({ metadata: { priority: 'batch' } });
    await upstream.received(1);
    expect(state(await gateway.chat())).toBe('miss');
    await release();
    expect(state(await batch)).toBe('miss');
  });

  test('when the first fails, the others go on by themselves', async () => {
    const { gateway, upstream } = await setup();
    const { promise, resolve } = Promise.withResolvers<void>();
    upstream.script((answer, request) => promise.then(() => fault(400)(answer, request)), chat('Hello'));
    const first = gateway.chat();
    await upstream.received(1);
    const others = [gateway.chat(), gateway.chat()];
    // Both wait: nothing more reaches the upstream until the first is over.
    await (await gateway.chat({ seed: 5 })).text();
    expect(upstream.requests).toHaveLength(2);
    resolve();
    expect((await first).status).toBe(400);
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('nobody waits for another longer than for its own attempt', async () => {
    const { gateway, upstream, clock } = await setup();
    const { behaviour, release } = hold();
    upstream.script(behaviour, chat('Hello'));
    const first = gateway.chat();
    await upstream.received(1);
    const hurried = gateway.chat({ timeout: 5 });
    await (await gateway.chat({ seed: 5 })).text();
    await clock.advance(4900);
    expect(upstream.requests).toHaveLength(2);
    await clock.advance(200);
    expect(state(await hurried)).toBe('miss');
    await release();
    expect(state(await first)).toBe('miss');
  });

  test('who leaves while waiting for another is gone at once', async () => {
    const { gateway, upstream } = await setup();
    const { behaviour, release } = hold();
    upstream.script(behaviour, chat('Hello'));
    const first = gateway.chat();
    await upstream.received(1);
    const leaving = new AbortController();
    const follower = gateway.chat({}, { signal: leaving.signal }).catch(() => 'left');
    await (await gateway.chat({ seed: 5 })).text();
    leaving.abort();
    expect(await follower).toBe('left');
    await until('its line', () => gateway.log().some((line) => line['state'] === 'client_closed'));
    await release();
    expect((await first).status).toBe(200);
  });

  test('when the first leaves, the others go on by themselves', async () => {
    const { gateway, upstream } = await setup();
    upstream.script(openStream([delta({ content: 'Hel' })]), chat('Hello'));
    const leaving = new AbortController();
    const first = await gateway.chat({ stream: true }, { signal: leaving.signal });
    await first.body?.getReader().read();
    const follower = gateway.chat({ stream: true });
    await (await gateway.chat({ seed: 5 })).text();
    leaving.abort();
    expect(textOf((await readStream(await follower)).events)).toBe('Hello');
  });

  test('who keeps nothing, and who brings tools, waits for nobody', async () => {
    const { gateway, upstream } = await setup();
    const { behaviour, release } = hold();
    upstream.script(behaviour, behaviour, behaviour, chat('Hello'));
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    const asked = [gateway.chat({ tools }), gateway.chat({ tools }), gateway.chat({ cache: { 'no-store': true } })];
    await upstream.received(3);
    for (const _one of asked) await release();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('5: rights and limits', () => {
  test('a hit uses no limit', async () => {
    const one = await setup({ general_settings: { max_parallel_requests: 1 } });
    await one.gateway.chat();
    one.upstream.script(openStream([delta({ content: 'x' })]));
    const busy = await one.gateway.chat({ stream: true });
    expect([(await one.gateway.chat({ seed: 9 })).status, state(await one.gateway.chat())]).toEqual([503, 'hit']);
    await busy.body?.cancel();
  });

  test('a key gets only what it may ask for, kept or not', async () => {
    const upstream = await startFakeUpstream(['m', 'n']);
    const gateway = await startGateway({
      providers: { a: { type: 'openai_compatible', base_url: upstream.url, models: ['m', 'n'] } },
      settings: {
        litellm_settings: { cache: true },
        general_settings: { master_key: 'os.environ/MASTER' },
        server_settings: { keys: [{ name: 'small', key: 'os.environ/SMALL', models: ['n'] }] },
      },
      environment: { MASTER: 'sk-0123456789abcdef', SMALL: 'sk-small-0123456789' },
    });
    closers.push(upstream.close, gateway.close);
    const as = (key: string): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${key}` } });
    expect((await gateway.chat({}, as('sk-0123456789abcdef'))).status).toBe(200);
    expect((await gateway.chat({}, as('sk-small-0123456789'))).status).toBe(403);
  });

  test('/cache/ping without a cache says so, with LiteLLM’s status', async () => {
    const { gateway } = await setup({ litellm_settings: { cache: false } });
    const answer = await fetch(`${gateway.url}/cache/ping`);
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      { error: { type: 'cache_ping_error', param: 'cache_ping', code: 'cache_unavailable' } },
    ]);
  });
});
