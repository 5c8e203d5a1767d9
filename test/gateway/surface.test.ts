import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chat, type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startFakeUpstream(['org/model:7b']);
  gateway = await startGateway({
    providers: {
      mine: {
        type: 'openai_compatible',
        base_url: upstream.url,
        models: [{ name: 'org/model:7b', context_length: 4096, capabilities: ['tools'] }],
      },
    },
    mappings: {
      load_balancing: { pool: { providers: [{ provider: 'mine', preferred_model: 'org/model:7b' }] } },
      model_aliases: { short: 'org/model:7b' },
    },
  });
});

afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** What each endpoint's answer looks like. */
const embeddings = json({
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
  model: 'x',
  usage: { prompt_tokens: 1, total_tokens: 1 },
});

const body = { messages: [{ role: 'user', content: 'Hi' }], prompt: 'Hi', input: 'Hi', model: 'org/model:7b' };

describe('spine 3.1: endpoints, each with and without /v1', () => {
  test.each([
    ['POST', '/chat/completions', 200],
    ['POST', '/completions', 200],
    ['POST', '/embeddings', 200],
    ['GET', '/models', 200],
    ['GET', '/models/org/model:7b', 200],
    ['GET', '/models/org%2Fmodel%3A7b', 200],
    ['GET', '/models/nobody', 404],
    ['GET', '/health', 200],
    ['GET', '/health?details=true', 200],
    ['GET', '/health/liveliness', 200],
    ['GET', '/health/liveness', 200],
    ['GET', '/health/readiness', 200],
    ['GET', '/model/info', 200],
    ['GET', '/model_group/info', 200],
    ['GET', '/nothing', 404],
    ['GET', '/chat/completions', 405],
    ['POST', '/models', 405],
  ])('%s %s', async (method, path, status) => {
    upstream.script(path === '/embeddings' ? embeddings : chat('Hello'));
    for (const prefix of ['', '/v1']) {
      const answer = await fetch(`${gateway.url}${prefix}${path}`, {
        method,
        ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
      });
      expect(answer.status, prefix + path).toBe(status);
      const text = await answer.text();
      // What is refused has OpenAI's form; everything is JSON.
      if (status >= 400)
        expect(JSON.parse(text)).toMatchObject({
          error: { message: expect.any(String), type: expect.any(String), code: expect.any(String) },
        });
      else expect(() => JSON.parse(text) as unknown).not.toThrow();
    }
  });

  test('what is not known names the nearest path', async () => {
    const answer = await fetch(`${gateway.url}/v1/chat/completion`, { method: 'POST', body: '{}' });
    expect(await answer.text()).toContain('/v1/chat/completions');
  });

  test('/health calls no model', async () => {
    const before = upstream.requests.length;
    await fetch(`${gateway.url}/health?details=true`);
    expect(upstream.requests.length).toBe(before);
  });

  test('a connection serves one view after the other', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    let text = '';
    const both = new Promise<void>((resolve, reject) => {
      socket.on('data', (piece: Buffer) => {
        text += piece.toString();
        if (text.split('HTTP/1.1 200 OK').length === 21) resolve();
      });
      socket.on('close', () => reject(new Error('The connection was closed')));
    });
    for (let count = 0; count < 20; count++) socket.write('GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await both;
    socket.destroy();
  });
});

describe('spine 3.9: GET /v1/models', () => {
  test('items say what people ask of them (A6a)', async () => {
    const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: Record<string, unknown>[] };
    expect(data.map((one) => one['id'])).toEqual(['org/model:7b', 'pool', 'short']);
    expect(data[0]).toEqual({
      id: 'org/model:7b',
      object: 'model',
      created: expect.any(Number),
      owned_by: 'mine',
      provider: 'mine',
      kind: 'model',
      context: 4096,
      capabilities: ['tools'],
      state: expect.any(String),
      loaded: null,
    });
  });
});

describe('spine 3.8: headers of an answer', () => {
  test('name the request, the decision, the route and what it took', async () => {
    const answer = await gateway.chat({ model: 'pool' });
    const headers = Object.fromEntries(answer.headers);
    expect(headers).toMatchObject({
      'x-signalbox-route': 'mine/org/model:7b',
      'x-signalbox-generation': '1',
      'x-litellm-model-group': 'pool',
      'x-litellm-attempted-retries': '0',
      'x-litellm-attempted-fallbacks': '0',
    });
    expect(headers['x-request-id']).toBe(headers['x-signalbox-decision']);
    expect(headers['x-litellm-call-id']).toBe(headers['x-request-id']);
    expect(headers['x-litellm-model-id']).toMatch(/^[0-9a-f]{16}$/);
    for (const name of ['x-litellm-response-duration-ms', 'x-litellm-overhead-duration-ms'])
      expect(Number(headers[name])).toBeGreaterThan(0);
    expect(headers).not.toHaveProperty('x-litellm-model-api-base');
    expect(headers).not.toHaveProperty('x-signalbox-degraded');
  });

  test('a refused request has an id too', async () => {
    const answer = await gateway.chat({ model: 'nobody' });
    expect(answer.headers.get('x-request-id')).toBeTruthy();
    expect(answer.headers.get('x-signalbox-route')).toBeNull();
  });
});

describe('spine 3.3: same dialect in and out', () => {
  test('bytes pass untouched but for the model', async () => {
    const sent =
      '{ "messages":[{"role":"user","content":"\\u00e9 \ud83d\ude00"}],"model" :"short",  "x_unknown": {"b":1.50,"a":[ ]}, "seed":12345678901234567890 }';
    await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: sent });
    expect(upstream.requests.at(-1)?.body).toBe(sent.replace('"short"', '"org/model:7b"'));
  });

  test('unknown fields survive on the way back, and model is the asked name', async () => {
    const answer =
      '{"id":"1","object":"chat.completion","created":1, "model" : "other","x_new":{"z":1.0},"choices":[{"index":0,"message":{"role":"assistant","content":"a","x":null},"finish_reason":"stop"}]}';
    upstream.script(json(answer));
    expect(await (await gateway.chat({ model: 'short' })).text()).toBe(answer.replace('"other"', '"short"'));
  });
});
