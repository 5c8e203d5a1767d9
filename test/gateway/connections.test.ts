import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ListenerLimits } from '../../src/gateway/listener.ts';
import { type BareGateway, startBareGateway } from '../support/bare-gateway.ts';
import { closersAfterEach } from '../support/closers.ts';
import { delta, type FakeUpstream, hang, json, openStream, startFakeUpstream } from '../support/fake-upstream.ts';
import { startProduct } from '../support/product.ts';
import { rawPost, sendRaw } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const closers = closersAfterEach();

async function begin(limits: Partial<ListenerLimits> = {}): Promise<{ upstream: FakeUpstream; gateway: BareGateway }> {
  const upstream = await startFakeUpstream(['m']);
  const gateway = await startBareGateway(
    {
      providers: { u: { type: 'openai_compatible', base_url: upstream.url, models: ['m'] } },
      settings: { router_settings: { num_retries: 0 } },
    },
    { limits: { connections: 1000, bodyBytes: 1024 ** 3, ...limits } },
  );
  closers.push(upstream.close, gateway.close);
  return { upstream, gateway };
}

const post = (streams = false): string =>
  rawPost('/v1/chat/completions', `{"model":"m","stream":${streams},"messages":[{"role":"user","content":"Hi"}]}`);
const get = 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n';

const whole = (content: string): object => ({
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
});

const badClients = ({ events }: BareGateway): readonly unknown[] =>
  events.filter(({ event }) => event === 'bad_client').map(({ fields }) => fields['reason']);

describe('spine 7: more connections than are held', () => {
  test('idle ones make room, the oldest first; those with a request stay; one line is written', async () => {
    const { upstream, gateway } = await begin({ connections: 20 });
    upstream.script(hang);
    const busy = sendRaw(gateway.port, post());
    await upstream.received(1);
    const idle = Array.from({ length: 60 }, () => sendRaw(gateway.port, ''));
    const used = sendRaw(gateway.port, get);
    await used.reads(/200 OK/);
    await Promise.all(idle.slice(0, 41).map((one) => one.closed));
    expect(busy.socket.destroyed).toBe(false);
    expect(badClients(gateway)).toEqual(['more than 20 connections']);
    for (const one of [busy, used, ...idle]) one.socket.destroy();
    expect(await gateway.leftovers()).toEqual([]);
  });

  test('a flood of connections that ask nothing closes no client’s kept connection', async () => {
    const { gateway } = await begin({ connections: 20 });
    const kept = sendRaw(gateway.port, get);
    await kept.reads(/200 OK/);
    const idle = Array.from({ length: 60 }, () => sendRaw(gateway.port, ''));
    await Promise.all(idle.slice(0, 40).map((one) => one.closed));
    kept.socket.write(get);
    await kept.reads(/200 OK[\s\S]*200 OK/);
    for (const one of [kept, ...idle]) one.socket.destroy();
    expect(await gateway.leftovers()).toEqual([]);
  });

  test('where all are busy, a new one has to wait its turn elsewhere', async () => {
    const { upstream, gateway } = await begin({ connections: 3 });
    upstream.script(hang);
    const busy = Array.from({ length: 3 }, () => sendRaw(gateway.port, post()));
    await upstream.received(3);
    await sendRaw(gateway.port, '').closed;
    expect(gateway.gateway.active()).toBe(3);
    for (const one of busy) one.socket.destroy();
    expect(await gateway.leftovers()).toEqual([]);
  });

  test('idle connections up to the descriptor limit: others are answered, the log says why', async () => {
    const product = await startProduct({
      files: { 'config/providers.yaml': JSON.stringify({ providers: { echo: { type: 'echo', models: ['m'] } } }) },
      descriptors: 200,
    });
    closers.push(product.stop);
    const { port } = new URL(product.url);
    const sockets: Socket[] = [];
    for (let count = 0; count < 400; count++) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      await once(socket, 'connect');
      if (count % 50 !== 0) continue;
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
      const answer = await fetch(`${product.url}/v1/chat/completions`, { method: 'POST', body });
      expect(answer.status).toBe(200);
      await answer.text();
    }
    const lines = await until('the line', () => {
      const found = product.log().filter((line) => String(line['reason']).startsWith('more than'));
      return found.length > 0 && found;
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ event: 'bad_client', reason: 'more than 100 connections' });
    for (const socket of sockets) socket.destroy();
  });
});

describe('spine 7: more bodies than are held', () => {
  const body = (letters: number): string =>
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(letters) }] });

  test('what is too much is told to come back, and there is room again after the others', async () => {
    const { upstream, gateway } = await begin({ bodyBytes: 1_000_000 });
    upstream.script(hang);
    const large = rawPost('/v1/chat/completions', body(600_000));
    const first = sendRaw(gateway.port, large);
    await upstream.received(1);
    const second = sendRaw(gateway.port, large);
    expect(await second.reads(/\}$/)).toMatch(/^HTTP\/1\.1 503[\s\S]*retry-after: 1[\s\S]*overloaded/);
    upstream.script(json(whole('Hello')));
    await sendRaw(gateway.port, post()).reads(/200 OK/);
    first.socket.destroy();
    await second.closed;
    await until('the first to be gone', () => gateway.gateway.active() === 0);
    await sendRaw(gateway.port, large).reads(/200 OK/);
  });

  test('one body alone is bounded by its own limit', async () => {
    const { upstream, gateway } = await begin({ bodyBytes: 1000 });
    upstream.script(json(whole('Hello')));
    await sendRaw(gateway.port, rawPost('/v1/chat/completions', body(600_000))).reads(/200 OK/);
  });
});

describe('spine 7: clients that take their time', () => {
  test.each([
    ['half a body, then silence', post().slice(0, -5), 30_000, /^HTTP\/1\.1 400[\s\S]*stopped before it was complete/],
    ['a body that never begins', post().slice(0, post().indexOf('{')), 30_000, /^HTTP\/1\.1 400/],
    [
      'a refused body, then silence',
      'POST /nothing HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nabc',
      5000,
      /^HTTP\/1\.1 404/,
    ],
  ])('%s: it is told and let go', async (_what, bytes, silence, wanted) => {
    const { gateway } = await begin();
    const client = sendRaw(gateway.port, bytes);
    await until('the request to be looked at', () => gateway.clock.pending() > 0);
    await gateway.clock.advance(silence);
    await client.reads(wanted);
    await gateway.clock.advance(5000);
    expect(await client.closed).toMatch(wanted);
    expect(await gateway.leftovers()).toEqual([]);
  });

  test.each([
    ['a whole answer', false],
    ['the end of a stream', true],
  ])('one that never reads %s is cut after a minute', async (_what, streams) => {
    const { upstream, gateway } = await begin();
    const content = 'x'.repeat(20_000_000);
    upstream.script(json(whole(content)));
    const client = sendRaw(gateway.port, post(streams));
    client.socket.pause();
    await until('the answer', () => gateway.gateway.active() === 0 && upstream.requests.length === 1);
    await until('the watch', () => gateway.clock.pending() > 0);
    await gateway.clock.advance(130_000);
    client.socket.resume();
    const text = await client.closed;
    expect(text.length).toBeLessThan(20_000_000);
    expect(await gateway.leftovers()).toEqual([]);
  });

  test('one that never reads on, in the middle of a stream, is cut with its attempt', async () => {
    const { upstream, gateway } = await begin();
    upstream.script(openStream(Array.from({ length: 1000 }, () => delta({ content: 'x'.repeat(20_000) }))));
    const client = sendRaw(gateway.port, post(true));
    client.socket.pause();
    const received = await upstream.received(1);
    await until('the pause', () => gateway.clock.pending() > 0);
    await gateway.clock.advance(3_600_000);
    await received.cancelled;
    await gateway.clock.advance(130_000);
    expect(await gateway.leftovers()).toEqual([]);
    client.socket.destroy();
  });
});
