import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartRefused } from '../../src/ops/start-refused.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const master = 'sk-master-0123456789abcdef';
const laptop = 'sk-laptop-0123456789abcdef';
const providers = { echo: { type: 'echo', models: ['m', 'other'] } };

/** A request by which every header, Host included, can be chosen; its status and headers. */
function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: options.method ?? 'GET', headers: options.headers ?? {} }, (answer) => {
      let text = '';
      answer.on('data', (piece: Buffer) => {
        text += piece.toString();
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

describe('spine 3.5: with a master key', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({
      providers,
      settings: {
        general_settings: { master_key: 'os.environ/LITELLM_MASTER_KEY' },
        server_settings: {
          keys: [{ name: 'laptop', key: 'os.environ/LAPTOP_KEY', models: ['m'] }],
          cors: { enabled: true, allowed_origins: ['http://localhost:*', 'https://chat.example.com'] },
        },
      },
      environment: { LITELLM_MASTER_KEY: master, LAPTOP_KEY: laptop },
    });
  });
  afterAll(() => gateway.close());

  test.each([
    ['no key', {}, 401],
    ['a wrong key', { authorization: 'Bearer sk-wrong' }, 401],
    ['Bearer', { authorization: `Bearer ${master}` }, 200],
    ['bearer, in small letters', { authorization: `bearer ${master}` }, 200],
    ['bare', { authorization: master }, 200],
    ['x-api-key', { 'x-api-key': master }, 200],
    ['api-key', { 'api-key': master }, 200],
    ['x-litellm-api-key', { 'x-litellm-api-key': master }, 200],
    ['x-litellm-api-key with Bearer', { 'x-litellm-api-key': `Bearer ${master}` }, 200],
    ['an empty Bearer beside a good x-api-key', { authorization: 'Bearer ', 'x-api-key': master }, 200],
    ['an empty header beside a good Bearer', { 'x-litellm-api-key': '', authorization: `Bearer ${master}` }, 200],
    ['an empty Bearer alone', { authorization: 'Bearer' }, 401],
    ['a named key', { authorization: `Bearer ${laptop}` }, 200],
    ['a beginning of the key', { authorization: `Bearer ${master.slice(0, -1)}` }, 401],
  ])('%s', async (_what, headers, status) => {
    const answer = await ask(`${gateway.url}/v1/models`, { headers });
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test('liveness and the verdict of /health stay open, the rest does not', async () => {
    for (const path of ['/health/liveliness', '/health/liveness', '/health/readiness', '/health'])
      expect((await ask(`${gateway.url}${path}`, {})).status, path).toBe(200);
    for (const path of ['/v1/models', '/model/info', '/model_group/info', '/v1/models/m'])
      expect((await ask(`${gateway.url}${path}`, {})).status, path).toBe(401);
  });

  test('a named key may ask for its names only', async () => {
    const asked = (model: string) => gateway.chat({ model }, { headers: { authorization: `Bearer ${laptop}` } });
    expect((await asked('m')).status).toBe(200);
    expect((await asked('other')).status).toBe(403);
  });

  test('a body is not read for who may not ask', async () => {
    expect((await gateway.chat({ model: 'm' })).status).toBe(401);
  });

  test.each([
    ['an allowed port', 'http://localhost:5173', true],
    ['an allowed host', 'https://chat.example.com', true],
    ['another host', 'https://evil.example', false],
    ['a host that begins like an allowed one', 'http://localhost.evil.example:80', false],
    ['another scheme', 'https://localhost:5173', false],
    ['null', 'null', false],
  ])('CORS: %s', async (_what, origin, allowed) => {
    const preflight = await ask(`${gateway.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    expect(preflight.headers['access-control-allow-origin']).toBe(allowed ? origin : undefined);
    const posted = await ask(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { origin, authorization: `Bearer ${master}`, 'content-type': 'text/plain' },
      body: '{"model":"m","messages":[{"role":"user","content":"Hi"}]}',
    });
    expect(posted.status).toBe(allowed ? 200 : 403);
    expect(posted.headers['access-control-allow-origin']).toBe(allowed ? origin : undefined);
  });

  test('the keys stand in no answer and in no line', async () => {
    await gateway.chat({}, { headers: { authorization: `Bearer ${master}` } });
    await gateway.logged('request_routed');
    const texts = [
      gateway.logText(),
      (await ask(`${gateway.url}/model/info`, { headers: { 'x-api-key': master } })).text,
    ];
    for (const text of texts) for (const key of [master, laptop]) expect(text).not.toContain(key);
  });
});

describe('spine 3.5: without a key', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ providers, settings: { server_settings: { host: '0.0.0.0' } } });
  });
  afterAll(() => gateway.close());

  test.each([
    ['127.0.0.1', 200],
    ['localhost', 200],
    ['LOCALHOST', 200],
    ['app.localhost', 200],
    ['[::1]', 200],
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
  ])('Host %s', async (host, status) => {
    expect((await ask(`${gateway.url}/v1/models`, { headers: { host: `${host}:${gateway.port}` } })).status).toBe(
      status,
    );
  });

  test.each([
    ['http://localhost/v1/models', 200],
    ['HTTP://127.0.0.1:4000/v1/models?x=1', 200],
    ['http://localhost', 404],
    ['http://evil.example/v1/models', 403],
    ['ftp://localhost/v1/models', 404],
  ])('spine 3.1: the target %s, as it is sent to proxies, goes before the header', async (path, status) => {
    const { hostname, port } = new URL(gateway.url);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({ hostname, port, path, headers: { host: 'localhost' } }, resolve);
      asked.on('error', reject).end();
    });
    answer.resume();
    expect(answer.statusCode).toBe(status);
  });

  test('a page of any foreign origin cannot post', async () => {
    const answer = await ask(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { origin: 'http://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
      body: '{"model":"m","messages":[]}',
    });
    expect(answer.status).toBe(403);
  });

  test('a wider host in a file is narrowed, and told at its line', async () => {
    expect(gateway.running.address.host).toBe('127.0.0.1');
    const { warnings } = await gateway.running.report(0 as never);
    expect(warnings.find((one) => one.code === 'host-narrowed')).toMatchObject({
      file: 'config/settings.yaml',
      line: 2,
    });
  });

  test('a wider host on the command line is refused', async () => {
    await expect(startGateway({ providers, host: '0.0.0.0' })).rejects.toThrow(StartRefused);
  });
});

describe('spine 2.3: master keys that protect nothing', () => {
  const withKey = (key: string | undefined, host?: string) =>
    startGateway({
      providers,
      settings: { general_settings: { master_key: 'os.environ/KEY' }, server_settings: { host: '0.0.0.0' } },
      environment: key === undefined ? {} : { KEY: key },
      ...(host === undefined ? {} : { host }),
    });

  test('one that is declared and not set refuses to start', async () => {
    await expect(withKey(undefined)).rejects.toMatchObject({ kind: 'secret' });
  });

  test('one that everybody knows is served on loopback only', async () => {
    const gateway = await withKey('sk-1234');
    expect(gateway.running.address.host).toBe('127.0.0.1');
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
    await gateway.close();
    await expect(withKey('sk-1234', '0.0.0.0')).rejects.toThrow(StartRefused);
  });

  test('a strong one serves the wider host', async () => {
    const gateway = await withKey(master);
    expect(gateway.running.address.host).toBe('0.0.0.0');
    await gateway.close();
  });
});
