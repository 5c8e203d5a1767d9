import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import {
  chat,
  delta,
  done,
  type FakeUpstream,
  fault,
  finish,
  hang,
  openStream,
  reset,
  startFakeUpstream,
  stream,
  usage,
} from '../support/fake-upstream.ts';
import { readStream, startGateway, type TestGateway, type TestGatewayOptions, textOf } from '../support/gateway.ts';
import { createManualClock } from '../support/manual-clock.ts';

const closers = closersAfterEach();

/** A gateway before two fakes, the second of which stands in for the first. */
async function startPair(
  more: Partial<TestGatewayOptions> = {},
): Promise<{ first: FakeUpstream; second: FakeUpstream; gateway: TestGateway }> {
  const [first, second] = await Promise.all([startFakeUpstream(), startFakeUpstream(['n'])]);
  const gateway = await startGateway({
    providers: {
      first: { type: 'openai_compatible', base_url: first.url, models: ['m'] },
      second: { type: 'openai_compatible', base_url: second.url, models: ['n'] },
    },
    mappings: { exact_matches: { m: { provider: 'first', fallback: 'n' } } },
    settings: { router_settings: { num_retries: 0 }, ...more.settings },
    ...(more.clock === undefined ? {} : { clock: more.clock }),
  });
  closers.push(first.close, second.close, gateway.close);
  return { first, second, gateway };
}

const hello = [
  delta({ role: 'assistant' }),
  delta({ content: 'Hel' }),
  delta({ content: 'lo' }),
  finish(),
  usage(),
  done,
];

describe('spine 3.4: failover before the first byte is invisible', () => {
  test.each([
    ['a refused status', fault(500)],
    ['429', fault(429, 'Slow down', { 'retry-after': '1' })],
    ['529', fault(529)],
    ['a reset before any byte', reset()],
    ['a stream that ends before it says anything', stream([])],
    ['a stream whose first event is an error', stream(['data: {"error":{"message":"no","code":500}}\n\n'])],
    ['200 with an error for a body', fault(200)],
    ['a page in place of a stream', stream(['<html></html>'], { 'content-type': 'text/html' })],
    ['a stream that says nothing but [DONE]', stream([done])],
  ])('%s', async (_what, behaviour) => {
    const { first, second, gateway } = await startPair();
    first.script(behaviour);
    second.script(chat('Second says so'));
    const answer = await gateway.chat({ stream: true });
    expect(answer.status).toBe(200);
    const { events } = await readStream(answer);
    expect(textOf(events)).toBe('Second says so');
    expect(events.filter((event) => event === '[DONE]')).toHaveLength(1);
    expect(answer.headers.get('x-signalbox-route')).toBe('second/n');
    expect(answer.headers.get('x-litellm-attempted-fallbacks')).toBe('1');
  });
});

describe('spine 3.4: what a stream carries', () => {
  test('model is the asked name in every event, [DONE] comes once', async () => {
    const { first, gateway } = await startPair();
    first.script(stream(hello));
    const { events } = await readStream(await gateway.chat({ stream: true, stream_options: { include_usage: true } }));
    expect(textOf(events)).toBe('Hello');
    expect(events.filter((event) => event === '[DONE]')).toEqual(['[DONE]']);
    const models = events
      .filter((event) => event.startsWith('{'))
      .map((event) => (JSON.parse(event) as { model: string }).model);
    expect(new Set(models)).toEqual(new Set(['m']));
  });

  test('usage is asked for on behalf of who did not, learned, and not passed on', async () => {
    const { first, gateway } = await startPair();
    first.script(stream(hello));
    const { events } = await readStream(await gateway.chat({ stream: true }));
    expect(JSON.parse(first.requests[0]?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
    expect(events.some((event) => event.includes('"usage"'))).toBe(false);
    expect(await gateway.logged('request_routed')).toMatchObject({
      completion_tokens: 2,
      prompt_tokens: 3,
    });
  });

  test('a stream without [DONE] that finished is complete all the same', async () => {
    const { first, gateway } = await startPair();
    first.script(stream(hello.slice(0, 4)));
    const { events } = await readStream(await gateway.chat({ stream: true }));
    expect(textOf(events)).toBe('Hello');
    expect(events.filter((event) => event === '[DONE]')).toHaveLength(1);
  });

  test('wherever the bytes are cut, the client reads the same', async () => {
    const { first, gateway } = await startPair();
    const bytes = Buffer.from([delta({ content: 'é😀 ' }), delta({ content: 'x' }), finish(), usage(), done].join(''));
    for (let cut = 1; cut < bytes.length; cut += 7) {
      first.script(stream([bytes.subarray(0, cut), bytes.subarray(cut)]));
      expect(textOf((await readStream(await gateway.chat({ stream: true }))).events)).toBe('é😀 x');
    }
  });
});

describe('spine 3.4: an upstream that dies mid-stream', () => {
  test.each([
    ['resets the connection', reset(hello.slice(0, 2))],
    ['ends without a finish', stream(hello.slice(0, 2))],
    [
      'sends an error event',
      stream([...hello.slice(0, 2), 'data: {"error":{"message":"out of memory","code":500}}\n\n']),
    ],
  ])('%s: an error in the stream, no [DONE], nobody else’s text', async (_what, behaviour) => {
    const { first, second, gateway } = await startPair();
    first.script(behaviour);
    const { events } = await readStream(await gateway.chat({ stream: true }));
    expect(textOf(events)).toBe('Hel');
    expect(events.at(-1)).toMatch(/^\{"error":\{/);
    expect(events).not.toContain('[DONE]');
    expect(second.requests).toHaveLength(0);
    expect(await gateway.logged('request_routed')).toMatchObject({ state: 'truncated' });
  });
});

describe('spine 3.4: the client goes, and the upstream is cancelled', () => {
  test.each([
    ['before the upstream says anything', hang, false],
    ['while it streams', openStream(hello.slice(0, 2)), true],
  ])('%s', async (_what, behaviour, hasBegun) => {
    const { first, second, gateway } = await startPair();
    first.script(behaviour);
    const gone = new AbortController();
    const asked = gateway.chat({ stream: true }, { signal: gone.signal }).catch(() => undefined);
    const received = await first.received(1);
    if (hasBegun) await (await asked)?.body?.getReader().read();
    gone.abort();
    await received.cancelled;
    expect(received.events).toEqual(['received', 'cancelled']);
    await asked;
    expect(second.requests).toHaveLength(0);
  });

  test('also one that does not stream', async () => {
    const { first, gateway } = await startPair();
    first.script(hang);
    const gone = new AbortController();
    const asked = gateway.chat({}, { signal: gone.signal }).catch(() => 'gone');
    const received = await first.received(1);
    gone.abort();
    await received.cancelled;
    expect(await asked).toBe('gone');
  });
});

describe('spine 3.4: limits in time', () => {
  test('no first token in time: the fallback answers', async () => {
    const clock = createManualClock();
    const { first, gateway } = await startPair({
      clock,
      settings: { router_settings: { num_retries: 0, stream_timeout: 5 } },
    });
    first.script(hang);
    const asked = gateway.chat({ stream: true });
    const received = await first.received(1);
    await clock.advance(5001);
    await received.cancelled;
    expect(textOf((await readStream(await asked)).events)).toBe('Hello');
  });

  test('a long silence between two events: an error in the stream', async () => {
    const clock = createManualClock();
    const { first, gateway } = await startPair({ clock });
    first.script(openStream(hello.slice(0, 2)));
    const answer = await gateway.chat({ stream: true });
    await clock.advance(121_000);
    const { events } = await readStream(answer);
    expect(events.at(-1)).toMatch(/^\{"error":/);
    expect(events).not.toContain('[DONE]');
  });

  test('a silent upstream: comments keep the stream open, and going on stays possible', async () => {
    const clock = createManualClock();
    const { first, gateway } = await startPair({
      clock,
      settings: {
        router_settings: { num_retries: 0, stream_timeout: 60 },
        server_settings: { stream_heartbeat_after: 15 },
      },
    });
    first.script(hang);
    const asked = gateway.chat({ stream: true });
    await first.received(1);
    await clock.advance(31_000);
    const answer = await asked;
    expect(answer.status).toBe(200);
    await clock.advance(30_000);
    const { events, comments } = await readStream(answer);
    expect(comments.length).toBeGreaterThanOrEqual(2);
    expect(textOf(events)).toBe('Hello');
    expect(events.filter((event) => event === '[DONE]')).toHaveLength(1);
  });
});

describe('spine 3.4: backpressure', () => {
  test('an upstream is not read faster than the client reads', async () => {
    const { first, gateway } = await startPair();
    const piece = delta({ content: 'x'.repeat(16_000) });
    let written = 0;
    first.script((answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      const pump = (): void => {
        while (written < 20_000 && !answer.destroyed) {
          written++;
          if (!answer.write(piece)) return void answer.once('drain', pump);
        }
        answer.end(finish() + done);
      };
      pump();
    });
    const gone = new AbortController();
    const answer = await gateway.chat({ stream: true }, { signal: gone.signal });
    await answer.body?.getReader().read();
    const before = written;
    // The client reads nothing more; what fits into buffers on the way is all that is taken.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBeLessThan(5000);
    expect(written).toBeGreaterThanOrEqual(before);
    gone.abort();
  });
});
