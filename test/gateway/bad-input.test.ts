import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { startBareGateway } from '../support/bare-gateway.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { rawPost, sendRaw } from '../support/raw-client.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    providers: { echo: { type: 'echo', models: ['llama3.1', 'qwen'] } },
    settings: { server_settings: { max_body_bytes: 100_000 } },
  });
});
afterAll(() => gateway.close());

const messages = '"messages":[{"role":"user","content":"Hi"}]';
const deep = `${'['.repeat(2000)}${']'.repeat(2000)}`;

describe('spine 3.6: bad input gets a clear error', () => {
  test.each([
    ['no body', '', 400, null],
    ['half a JSON', '{"model":', 400, null],
    ['something after the JSON', `{"model":"qwen",${messages}} x`, 400, null],
    ['a list', '[]', 400, null],
    ['text', '"hello"', 400, null],
    ['a form', 'model=qwen&messages=x', 400, null],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, null],
    ['a key twice', `{"model":"qwen","model":"llama3.1",${messages}}`, 400, 'model'],
    ['too deep', `{"model":"qwen",${messages},"x":${deep}}`, 400, null],
    ['no messages', '{"model":"qwen"}', 400, 'messages'],
    ['messages of another type', '{"model":"qwen","messages":"Hi"}', 400, 'messages'],
    ['empty messages', '{"model":"qwen","messages":[]}', 400, 'messages'],
    ['a model that is no text', `{"model":7,${messages}}`, 400, 'model'],
    ['a model with half a surrogate pair', `{"model":"\\ud800x",${messages}}`, 400, 'model'],
    ['a model with a NUL', `{"model":"qwen\\u0000",${messages}}`, 404, 'model'],
    ['a model of many letters', `{"model":"${'a'.repeat(50_000)}",${messages}}`, 400, 'model'],
    ['a tag of many letters', `{"model":"qwen",${messages},"tags":["${'a'.repeat(50_000)}"]}`, 400, 'tags'],
    [
      'a capability of many letters',
      `{${messages},"metadata":{"capability":"${'a'.repeat(50_000)}"}}`,
      400,
      'capability',
    ],
    ['a tier that is none', `{"model":"qwen",${messages},"metadata":{"min_tier":"platinum"}}`, 400, null],
    ['a raw control letter', `{"model":"qwen\u0000",${messages}}`, 400, null],
    ['a byte order mark', `\uFEFF{"model":"qwen",${messages}}`, 400, null],
    ['a key twice, far within', `{"model":"qwen",${messages},"x":[{"a":1,"\\u0061":2}]}`, 400, 'a'],
    ['a number without an end', `{"model":"qwen",${messages},"x":1e}`, 400, null],
    ['stream that is no truth', `{"model":"qwen","stream":"yes",${messages}}`, 400, 'stream'],
    ['max_tokens that is no number', `{"model":"qwen","max_tokens":"many",${messages}}`, 400, 'max_tokens'],
    ...([
      ['cache', '"yes"', 'cache'],
      ['cache', '{"ttl":"long"}', 'cache.ttl'],
      ['metadata', '5', 'metadata'],
      ['metadata', '{"capability":5}', 'metadata.capability'],
      ['metadata', '{"tags":"a"}', 'metadata.tags'],
      ['tags', '["a",1]', 'tags'],
      ['num_retries', '-1', 'num_retries'],
      ['num_retries', '"few"', 'num_retries'],
      ['timeout', '"soon"', 'timeout'],
      ['timeout', '0', 'timeout'],
      ['timeout', '-1', 'timeout'],
      ['timeout', 'true', 'timeout'],
      ['request_timeout', '[]', 'request_timeout'],
      ['stream_timeout', '{}', 'stream_timeout'],
      ['fallbacks', '"llama3.1"', 'fallbacks'],
      ['fallbacks', '[{"model":5}]', 'fallbacks'],
      ['disable_fallbacks', '1', 'disable_fallbacks'],
      ['mock_testing_fallbacks', '"yes"', 'mock_testing_fallbacks'],
      ['stream_options', 'true', 'stream_options'],
      ['stream_options', '{"include_usage":"yes"}', 'stream_options.include_usage'],
      ['response_format', '"json"', 'response_format'],
      ['max_completion_tokens', '"many"', 'max_completion_tokens'],
      ['n', '[]', 'n'],
      ['tools', '{}', 'tools'],
    ].map(([field = '', value = '', param = '']) => [
      `${field} of another type: ${value}`,
      `{"model":"qwen",${messages},"${field}":${value}}`,
      400,
      param,
    ]) as [string, string, number, string][]),
    ['too large', `{"model":"qwen",${messages},"x":"${'a'.repeat(200_000)}"}`, 413, null],
    ['an unknown model', `{"model":"lama3.1",${messages}}`, 404, 'model'],
  ])('%s', async (what, body, status, param) => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body });
    expect(answer.status).toBe(status);
    const text = await answer.text();
    const { error } = JSON.parse(text) as {
      error: { message: string; type: string; param: string | null; code: string };
    };
    expect(error).toEqual({
      message: expect.any(String),
      type: expect.stringMatching(/_error$/),
      param,
      code: expect.any(String),
    });
    expect(text).not.toMatch(/ at .*\.ts|node_modules|Error:|127\.0\.0\.1/);
    if (what === 'an unknown model') expect(error.message).toContain('llama3.1');
  });

  test.each([
    ['x-litellm-num-retries', '-1'],
    ['x-litellm-num-retries', 'many'],
    ['x-litellm-num-retries', '1.5'],
    ['x-litellm-timeout', 'soon'],
    ['x-litellm-timeout', '0'],
    ['x-litellm-timeout', ''],
    ['x-litellm-stream-timeout', '-3'],
    ['x-priority', 'bulkk'],
  ])('a header of another type: %s: %s', async (name, value) => {
    const answer = await gateway.chat({ model: 'qwen' }, { headers: { [name]: value } });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { code: 'invalid_type', param: name, message: expect.stringContaining(`"${value}"`) },
    });
  });

  test.each<[what: string, fields: Record<string, unknown>, headers?: Record<string, string>]>([
    [
      'null is a field that is not set',
      { cache: null, metadata: null, tags: null, num_retries: null, tools: null, stream_options: null },
    ],
    ['a number as text', { num_retries: '2', timeout: ' 2.5 ', stream_timeout: '3' }],
    ['true as text', { disable_fallbacks: 'true', mock_testing_fallbacks: 'false' }],
    ['fallbacks by model', { fallbacks: [{ model: 'llama3.1', temperature: 0 }] }],
    ['fallbacks by the name asked for', { fallbacks: [{ qwen: ['llama3.1'] }] }],
    ['what only passes through', { seed: 'soon', user: 7, logit_bias: 'x', metadata: { mine: { a: 1 } } }],
    ['a prompt of another endpoint', { prompt: 5, input: {} }],
    ['a number in a header', {}, { 'x-litellm-num-retries': ' 2 ' }],
    ['a known priority', {}, { 'x-priority': 'High' }],
    ['tags in a header', {}, { 'x-litellm-tags': 'a, b,' }],
  ])('what clients of LiteLLM send is taken: %s', async (_what, fields, headers = {}) => {
    expect((await gateway.chat({ model: 'qwen', ...fields }, { headers })).status).toBe(200);
  });

  test('a priority means what the conditions of the plan say, where they read it', async () => {
    const own = await startGateway({
      providers: { echo: { type: 'echo', models: ['qwen'] } },
      mappings: {
        routing_rules: {
          request_metadata_routing: { vip: { provider: 'echo', condition: 'header.x-priority == "vip"' } },
        },
      },
    });
    expect((await own.chat({ model: 'qwen' }, { headers: { 'x-priority': 'vip' } })).status).toBe(200);
    await own.close();
  });

  test('LiteLLM’s fallbacks by the name asked for are gone on with', async () => {
    const fields = { model: 'qwen', mock_testing_fallbacks: true };
    const answer = await gateway.chat({ ...fields, fallbacks: [{ other: ['x'] }, { qwen: ['llama3.1'] }] });
    expect(answer.headers.get('x-signalbox-route')).toBe('echo/llama3.1');
  });

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-8', 'nonsense'])(
    'a body is JSON whatever the Content-Type says: %s (A6b)',
    async (type) => {
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        body: `{"model":"qwen",${messages}}`,
        headers: { 'content-type': type },
      });
      expect(answer.status).toBe(200);
    },
  );
});

const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n';

describe('spine 3.6: a body that is refused', () => {
  const post = (headers: string): string => `${head}${headers}\r\n\r\n`;

  test.each([
    ['too large by its length', 'content-length: 200000', /413/],
    ['in an encoding', 'content-length: 10\r\ncontent-encoding: gzip', /400/],
  ])('%s: a client that waits for 100 is told at once', async (_what, headers, wanted) => {
    const { closed, socket } = sendRaw(gateway.port, post(`expect: 100-continue\r\n${headers}`));
    socket.end();
    const text = await closed;
    expect(text).toMatch(wanted);
    expect(text).not.toContain('100 Continue');
  });

  test('one that may come is asked for', async () => {
    const body = `{"model":"qwen",${messages}}`;
    const client = sendRaw(gateway.port, post(`expect: 100-continue\r\ncontent-length: ${body.length}`));
    await client.reads(/100 Continue\r\n\r\n$/);
    client.socket.write(body);
    await client.reads(/200 OK/);
    client.socket.destroy();
  });

  test.each([
    ['a body too large', 10 * 1024 * 1024, '/v1/chat/completions', /^HTTP\/1\.1 413[\s\S]*request_too_large/],
    ['a path that is not there', 10 * 1024 * 1024, '/v1/nothing', /^HTTP\/1\.1 404[\s\S]*unknown_url/],
  ])('%s: the answer comes whole while the body is still sent, then the end', async (_what, size, path, wanted) => {
    const client = sendRaw(gateway.port, `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${size}\r\n\r\n`);
    const answer = await client.reads(/\}$/);
    expect(answer).toMatch(wanted);
    expect(answer).toContain('connection: close');
    let failed = false;
    client.socket.on('error', () => {
      failed = true;
    });
    const piece = Buffer.alloc(64 * 1024, 0x20);
    for (let sent = 0; sent < size; sent += piece.length)
      await new Promise<void>((resolve) => client.socket.write(piece, () => resolve()));
    await client.closed;
    expect(failed).toBe(false);
  });
});

describe('spine 7: whatever arrives, the process stays up and others are answered', () => {
  test.each([
    [
      'bytes that are not HTTP',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
      /400 Bad Request|^$/,
    ],
    ['a header of a megabyte', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`, /431|^$/],
    ['no Host', 'GET /v1/models HTTP/1.1\r\n\r\n', /400/],
    ['two lengths', `${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`, /400/],
    ['a length and chunks', `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, /400/],
    ['a length that is no number', `${head}content-length: many\r\n\r\n`, /400/],
    ['a chunk that is no chunk', `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`, /400|^$/],
    ['more than it said it would send', `${head}content-length: 2\r\nconnection: close\r\n\r\n{}GET nonsense`, /400/],
  ])('%s', async (_what, bytes, wanted) => {
    const { closed } = sendRaw(gateway.port, bytes);
    expect((await gateway.chat({ model: 'qwen' })).status).toBe(200);
    expect(await closed).toMatch(wanted);
  });

  test('many requests at once on one connection are answered in their order', async () => {
    const post = (model: string): string => rawPost('/v1/chat/completions', `{"model":"${model}",${messages}}`);
    const client = sendRaw(gateway.port, ['qwen', 'none', 'llama3.1', 'qwen'].map(post).join(''));
    const text = await client.reads(/(HTTP\/1\.1[\s\S]*){4}\}$/);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '404', '200', '200']);
    client.socket.destroy();
  });

  test('half a body, then silence: another is answered meanwhile', async () => {
    const { socket } = sendRaw(gateway.port, `${head}content-length: 1000\r\n\r\n{"model":`);
    expect((await gateway.chat({ model: 'qwen' })).status).toBe(200);
    socket.destroy();
  });

  test('two hundred megabytes are refused before they are taken', async () => {
    const size = 200 * 1024 * 1024;
    const { closed: answer, socket } = sendRaw(gateway.port, `${head}content-length: ${size}\r\n\r\n`);
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const before = process.memoryUsage().rss;
    for (let sent = 0; sent < 200 && !socket.destroyed; sent++) {
      if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), answer]);
    }
    expect(await answer).toContain('413');
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  test('the same in chunks, without a length', async () => {
    const { closed: answer, socket } = sendRaw(gateway.port, `${head}transfer-encoding: chunked\r\n\r\n`);
    const piece = `10000\r\n${' '.repeat(65_536)}\r\n`;
    for (let sent = 0; sent < 400 && !socket.destroyed; sent++) {
      if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), answer]);
    }
    expect(await answer).toContain('413');
  });

  test('five hundred idle connections', async () => {
    const sockets = await Promise.all(
      Array.from(
        { length: 500 },
        () =>
          new Promise<Socket>((resolve, reject) => {
            const socket = connect(gateway.port, '127.0.0.1', () => resolve(socket));
            socket.on('error', reject);
          }),
      ),
    );
    expect((await gateway.chat({ model: 'qwen' })).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  test.each(['GET /v1/models HTTP/1.1\r\nhost: local', 'POST /v1/chat/completions HTTP/1.1\r\n'])(
    'a client that stops in the middle of its headers is told 408: %j',
    async (bytes) => {
      const slow = await startBareGateway(
        { providers: { echo: { type: 'echo', models: ['qwen'] } } },
        { limits: { connections: 10, bodyBytes: 1024, headersMs: milliseconds(40) } },
      );
      const { closed } = sendRaw(slow.port, bytes);
      expect(await closed).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
      expect(slow.events).toMatchObject([{ event: 'bad_client', fields: { reason: 'ERR_HTTP_REQUEST_TIMEOUT' } }]);
      await slow.close();
    },
  );

  test('what was not HTTP is told in one line each', async () => {
    sendRaw(gateway.port, 'nonsense\r\n\r\n');
    const line = await gateway.logged('bad_client');
    expect(line).toMatchObject({ level: expect.any(String) });
  });
});
