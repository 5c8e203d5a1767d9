import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import {
  chat,
  delta,
  type FakeUpstream,
  fault,
  hang,
  json,
  openStream,
  rawBytes,
  reset,
  startFakeUpstream,
  usage,
} from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const closers = closersAfterEach();

type Setup = {
  readonly upstreams: readonly FakeUpstream[];
  readonly gateway: TestGateway;
  readonly clock: ManualClock;
};

/** A pool `m` of two equal members that are tried in their order, and `n`, which stands in for it. */
async function setup(
  settings: { readonly router_settings?: Record<string, unknown> } = {},
  type = 'openai_compatible',
): Promise<Setup> {
  const upstreams = await Promise.all([startFakeUpstream(['m']), startFakeUpstream(['m']), startFakeUpstream(['n'])]);
  const [a, b, c] = upstreams;
  const clock = createManualClock();
  const gateway = await startGateway({
    clock,
    providers: {
      a: { type, base_url: a?.url, models: ['m'] },
      b: { type, base_url: b?.url, models: ['m'] },
      c: { type, base_url: c?.url, models: ['n'] },
    },
    mappings: { load_balancing: { m: { strategy: 'direct', providers: ['a', 'b'], fallback: 'n' } } },
    settings: { router_settings: { num_retries: 1, ...settings.router_settings } },
  });
  closers.push(...upstreams.map((one) => one.close), gateway.close);
  return { upstreams, gateway, clock };
}

const counts = (upstreams: readonly FakeUpstream[]): readonly number[] => upstreams.map((one) => one.requests.length);

describe('2: going on after a failure', () => {
  test('the other member first, then the fallback', async () => {
    const { upstreams, gateway } = await setup();
    upstreams[0]?.script(fault(500));
    upstreams[1]?.script(fault(503));
    const answer = await gateway.chat();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-signalbox-route')).toBe('c/n');
    expect(answer.headers.get('x-litellm-attempted-fallbacks')).toBe('1');
    expect(counts(upstreams)).toEqual([1, 1, 1]);
  });

  test('what an answer that broke off had told is no part of what comes of the next attempts', async () => {
    // llama.cpp is asked for a stream whatever the client wants, so that an attempt knows its first words.
    const { upstreams, gateway } = await setup({}, 'llama_cpp');
    upstreams[0]?.script(fault(500));
    upstreams[1]?.script(fault(500));
    upstreams[2]?.script(reset([delta({ content: 'half' }), usage()]));
    const answer = await gateway.chat();
    expect([answer.status, answer.headers.get('x-signalbox-degraded')]).toEqual([502, null]);
    const line = await gateway.logged('request_routed');
    expect([line['ttft_ms'], line['prompt_tokens'], line['degraded']]).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    ['400', fault(400, 'bad')],
    ['401', fault(401, 'no')],
    ['422', fault(422, 'no')],
  ])('%s from the first: what the client did wrong is not asked again of the same', async (status, behaviour) => {
    const { upstreams, gateway } = await setup();
    upstreams[0]?.script(behaviour);
    const answer = await gateway.chat();
    expect(upstreams[0]?.requests).toHaveLength(1);
    // A wrong key is the gateway's own fault, and others may serve; a bad request is bad everywhere.
    if (status === '401') expect(answer.status).toBe(200);
    else expect([answer.status, counts(upstreams)]).toEqual([Number(status), [1, 0, 0]]);
  });

  test('all fail: the first failure decides, each attempt is named, no host is', async () => {
    const { upstreams, gateway } = await setup({ router_settings: { num_retries: 1 } });
    for (const one of upstreams) one.script(fault(500, 'secret http://10.1.2.3:99 says no'));
    const answer = await gateway.chat();
    expect(answer.status).toBe(502);
    const text = await answer.text();
    expect(text).not.toMatch(/10\.1\.2\.3|127\.0\.0\.1/);
    expect((await gateway.logged('request_routed'))['attempts']).toHaveLength(3);
  });

  test('no more attempts than are allowed', async () => {
    const { upstreams, gateway } = await setup({ router_settings: { num_retries: 0, max_fallbacks: 0 } });
    upstreams[0]?.script(fault(500));
    expect((await gateway.chat()).status).toBe(502);
    expect(counts(upstreams)).toEqual([1, 0, 0]);
  });

  test.each([
    ['the field', { num_retries: 0 }, {}, [1, 0, 1]],
    ['the header before the field', { num_retries: 0 }, { 'x-litellm-num-retries': '1' }, [1, 1, 1]],
  ])('as often as the request says: %s', async (_what, fields, headers, counted) => {
    const { upstreams, gateway } = await setup();
    for (const one of upstreams) one.script(fault(500));
    await gateway.chat(fields, { headers });
    expect(counts(upstreams)).toEqual(counted);
  });

  test('failures set a deployment aside, for as long as is declared', async () => {
    const { upstreams, gateway, clock } = await setup({ router_settings: { allowed_fails: 2, cooldown_time: 30 } });
    upstreams[0]?.script(fault(500));
    for (let count = 0; count < 6; count++) expect((await gateway.chat()).status).toBe(200);
    const asked = upstreams[0]?.requests.length ?? 0;
    expect(asked).toBeLessThan(6);
    expect(await gateway.logged('cooldown')).toMatchObject({ component: 'routing' });
    upstreams[0]?.script(chat('Back'));
    await gateway.chat();
    expect(upstreams[0]?.requests.length).toBe(asked);
    await clock.advance(61_000);
    for (let count = 0; count < 20; count++) await gateway.chat();
    expect(upstreams[0]?.requests.length).toBeGreaterThan(asked);
  });

  test('Retry-After sets a deployment aside at once', async () => {
    const { upstreams, gateway } = await setup();
    upstreams[0]?.script(fault(429, 'Slow down', { 'retry-after': '120' }));
    await gateway.chat();
    await gateway.chat();
    expect(upstreams[0]?.requests).toHaveLength(1);
  });

  test('a test is passed with the first word, while its answer goes on', async () => {
    const { upstreams, gateway, clock } = await setup();
    upstreams[0]?.script(fault(429, 'Slow down', { 'retry-after': '20' }));
    await gateway.chat();
    await clock.advance(23_000);
    upstreams[0]?.script(openStream([delta({ content: 'Once' })]));
    const leave = new AbortController();
    const long = await gateway.chat({ stream: true }, { signal: leave.signal });
    expect(long.headers.get('x-signalbox-route')).toBe('a/m');
    upstreams[0]?.script(chat('Here'));
    expect((await gateway.chat()).headers.get('x-signalbox-route')).toBe('a/m');
    leave.abort();
  });
});

describe('spine 7: an upstream that lies', () => {
  test.each([
    ['a length that is too long', rawBytes('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"choices":')],
    [
      'a length that is too short',
      rawBytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{"choices":[]}'),
    ],
    ['bytes that are not HTTP', rawBytes('hello\r\n\r\n')],
    ['gzip that is none', rawBytes('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}')],
    ['200 with nothing', json('')],
    ['200 with a page', json('<html></html>', 200, { 'content-type': 'text/html' })],
    ['200 with half a JSON', json('{"choices":[{"index":0')],
    ['200 with null', json('null')],
    ['a status that does not exist', rawBytes('HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n')],
    ['a redirect', json('', 302, { location: 'http://127.0.0.1:1/' })],
    ['a header of a megabyte', rawBytes(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`)],
    ['a reset', reset()],
  ])('%s: the next one answers', async (_what, behaviour) => {
    const { upstreams, gateway } = await setup();
    upstreams[0]?.script(behaviour);
    const answer = await gateway.chat();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-signalbox-route')).toBe('b/m');
  });

  test('an answer that never ends is given up, in bounded memory', async () => {
    const { upstreams, gateway } = await setup({ router_settings: { num_retries: 0 } });
    upstreams[0]?.script((answer) => {
      answer.writeHead(200, { 'content-type': 'application/json' });
      const piece = Buffer.alloc(1024 * 1024, 0x61);
      answer.write('{"x":"');
      const pump = (): void => {
        while (!answer.destroyed) if (!answer.write(piece)) return void answer.once('drain', pump);
      };
      pump();
    });
    const before = process.memoryUsage().rss;
    const answer = await gateway.chat();
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('upstream_too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });

  test('one that hangs does not hold up another name', async () => {
    const { upstreams, gateway } = await setup();
    upstreams[0]?.script(hang);
    const gone = new AbortController();
    const held = gateway.chat({}, { signal: gone.signal }).catch(() => 'gone');
    await upstreams[0]?.received(1);
    expect((await gateway.chat({ model: 'n' })).status).toBe(200);
    gone.abort();
    expect(await held).toBe('gone');
  });
});
