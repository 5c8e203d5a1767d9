import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import {
  type Behaviour,
  delta,
  done,
  endless,
  finish,
  hang,
  json,
  openStream,
  rawBytes,
  stream,
  usage,
} from '../support/fake-upstream.ts';
import { readStream, textOf } from '../support/gateway.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { oneUpstream } from '../support/one-upstream.ts';
import { until } from '../support/until.ts';

const closers = closersAfterEach();
const startOne = oneUpstream(closers);

const whole = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'backend',
  system_fingerprint: 'fp_1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

const sse = 'text/event-stream';

describe('spine 3.4: a stream is known by its first bytes', () => {
  const pieces = [delta({ content: 'Hel' }), delta({ content: 'lo' }), finish(), done];
  test.each([
    'text/event-stream',
    'Text/Event-Stream; charset=UTF-8',
    'text/plain',
    'application/octet-stream',
    'application/json',
    '',
  ])('it comes as %j', async (type) => {
    const { upstream, gateway } = await startOne();
    upstream.script(typed(type, pieces));
    expect(textOf((await readStream(await gateway.chat({ stream: true }))).events)).toBe('Hello');
  });

  test.each([1, 2, 3, 5])('without a type, cut after %i bytes', async (cut) => {
    const { upstream, gateway } = await startOne();
    const bytes = Buffer.from(`\uFEFF${pieces.join('')}`);
    upstream.script(typed('', [bytes.subarray(0, cut), bytes.subarray(cut)]));
    expect(textOf((await readStream(await gateway.chat({ stream: true }))).events)).toBe('Hello');
  });

  test.each([
    ['an error', { error: { message: 'no', type: 'x', code: 500 } }, 'text/event-stream', 'upstream_error'],
    ['an error', { error: { message: 'no', type: 'x', code: 500 } }, 'application/json', 'upstream_error'],
    ['an error', { error: { message: 'no', type: 'x', code: 500 } }, 'text/plain', 'upstream_error'],
    ['a detail', { detail: 'Model is overloaded' }, 'application/json', 'upstream_error'],
    ['something else', { hello: 1 }, 'application/json', 'upstream_malformed'],
  ])('%s with status 200 stays a failure: %j as %s', async (_what, body, type, code) => {
    const { upstream, gateway } = await startOne();
    upstream.script(json(body, 200, { 'content-type': type }));
    const answer = await gateway.chat({ stream: true });
    expect([answer.status, await answer.text()]).toEqual([502, expect.stringContaining(`"code":"${code}"`)]);
  });
});

function typed(type: string, pieces: readonly (string | Uint8Array)[]): Behaviour {
  return async (answer) => {
    answer.writeHead(200, type === '' ? {} : { 'content-type': type });
    answer.flushHeaders();
    for (const piece of pieces) {
      await new Promise<void>((resolve) => answer.write(piece, () => resolve()));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    answer.end();
  };
}

describe('spine 3.4: one whole answer where a stream was asked for is streamed', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };
  test.each([
    ['as JSON', { 'content-type': 'application/json' }],
    ['called a stream', { 'content-type': sse }],
  ])('%s', async (_what, headers) => {
    const { upstream, gateway } = await startOne();
    upstream.script(json(whole, 200, headers));
    const { events } = await readStream(await gateway.chat({ stream: true, stream_options: { include_usage: true } }));
    const head = {
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      system_fingerprint: 'fp_1',
    };
    expect(events.slice(0, -1).map((event) => JSON.parse(event))).toEqual([
      {
        ...head,
        choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, logprobs: null, finish_reason: null }],
      },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { ...head, choices: [], usage: whole.usage },
    ]);
    expect(events.at(-1)).toBe('[DONE]');
  });

  test('usage goes to those who asked, and into the log', async () => {
    const { upstream, gateway } = await startOne();
    upstream.script(json(whole));
    const { events } = await readStream(await gateway.chat({ stream: true }));
    expect(events.join('')).not.toContain('usage');
    expect(await gateway.logged('request_routed')).toMatchObject({ state: 'completed', completion_tokens: 2 });
  });

  test.each([1e300, -5, 1.5, '7', null])('a count of %j is none', async (count) => {
    const { upstream, gateway } = await startOne();
    upstream.script(json({ ...whole, usage: { prompt_tokens: count, completion_tokens: 2 } }));
    expect((await gateway.chat()).status).toBe(200);
    expect(await gateway.logged('request_routed')).toMatchObject({ completion_tokens: 2 });
    expect(await gateway.logged('request_routed')).not.toHaveProperty('prompt_tokens');
  });

  test('calls of tools get the index that a stream has', async () => {
    const { upstream, gateway } = await startOne();
    const message = { role: 'assistant', content: null, tool_calls: [call, { ...call, id: 'call_2' }] };
    upstream.script(json({ ...whole, choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }));
    const { events } = await readStream(await gateway.chat({ stream: true }));
    expect(JSON.parse(events[0] ?? '')).toMatchObject({
      choices: [
        {
          delta: {
            tool_calls: [
              { index: 0, ...call },
              { index: 1, ...call, id: 'call_2' },
            ],
          },
        },
      ],
    });
    expect(JSON.parse(events[1] ?? '')).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  });
});

describe('spine 3.6: what an upstream says is told as what it is', () => {
  test.each([false, true])('an answer that is compressed though nobody asked, stream %s', async (streams) => {
    const { upstream, gateway } = await startOne();
    upstream.script((answer) => {
      answer.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      answer.end(gzipSync(JSON.stringify(whole)));
    });
    const answer = await gateway.chat({ stream: streams });
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('is compressed (content-encoding \\"gzip\\"), wanted none');
    expect(upstream.requests[0]?.headers['accept-encoding']).toBeUndefined();
  });

  test('an error that is compressed goes by its status', async () => {
    const { upstream, gateway } = await startOne();
    upstream.script((answer) => {
      answer.writeHead(429, { 'content-encoding': 'gzip' });
      answer.end(gzipSync('{"error":{"message":"slow down"}}'));
    });
    expect((await gateway.chat()).status).toBe(429);
  });

  const key = 'canary0123456789';
  const extra = 'extra-header-canary';
  test.each(['message', 'code', 'type', 'param'])('a key or a host in "%s" never comes back', async (field) => {
    const { upstream, gateway } = await startOne(
      { api_key: 'os.environ/K', headers: { 'x-auth-token': 'os.environ/T' } },
      { environment: { K: key, T: extra } },
    );
    const words = `${key} ${extra} sk-canarycanary http://10.0.0.1:99/x ${new URL(upstream.url).host}`;
    upstream.script(json({ error: { message: 'no', type: 'x', code: 'y', [field]: words } }, 400));
    const answer = await gateway.chat();
    expect(upstream.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${key}`, 'x-auth-token': extra });
    expect(answer.status).toBe(400);
    expect(JSON.parse(await answer.text()).error[field]).toBe('[key] [key] [key] [address] [address]');
    await gateway.logged('request_routed');
    expect(gateway.logText()).not.toMatch(/canary|10\.0\.0\.1/);
  });

  test('nor does it in the middle of a stream', async () => {
    const { upstream, gateway } = await startOne({ api_key: 'os.environ/K' }, { environment: { K: key } });
    const error = { message: `bad ${key}`, type: key, code: 'invalid_request_error' };
    upstream.script(stream([delta({ content: 'a' }), `data: ${JSON.stringify({ error })}\n\n`]));
    const { events } = await readStream(await gateway.chat({ stream: true }));
    expect(events.at(-1)).toContain('"error"');
    expect(events.join('')).not.toContain(key);
  });

  test.each([
    [
      'a control letter in a text',
      'data: {"choices":[{"index":0,"delta":{"content":"a\u0001"},"finish_reason":null}]}\n\n',
    ],
    ['half a JSON', 'data: {"choices":[{]}\n\n'],
  ])('%s is no JSON, in a stream and put together', async (_what, event) => {
    const before = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n';
    for (const [provider, streams] of [
      [{}, true],
      [{ type: 'llama_cpp' }, false],
    ] as const) {
      const { upstream, gateway } = await startOne(provider);
      upstream.script(stream([before, event, finish(), done]));
      expect(await (await gateway.chat({ stream: streams })).text()).toContain('upstream_malformed');
    }
  });

  test('bytes that are no UTF-8 reach the client as letters', async () => {
    const { upstream, gateway } = await startOne();
    const text = Buffer.from(delta({ content: 'a\u00ffb' }), 'latin1');
    upstream.script(stream([text, text, finish(), done]));
    const bytes = Buffer.from(await (await gateway.chat({ stream: true })).arrayBuffer());
    expect(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toContain('a\uFFFDb');
  });
});

describe('spine 3.4: limits in time say which they were', () => {
  test.each([
    ['an attempt, not streamed', false, { timeout: 10 }, {}, 11_000, 'upstream_timeout_total'],
    ['an attempt, streamed', true, { timeout: 10 }, {}, 11_000, 'upstream_timeout_total'],
    ['the first token', true, { timeout: 100, stream_timeout: 10 }, {}, 11_000, 'upstream_timeout_first_token'],
    ['the request', false, { timeout: 100 }, { request_timeout: 10 }, 11_000, 'deadline_exceeded'],
  ])('%s', async (_what, streams, router, litellm, passed, code) => {
    const clock = createManualClock();
    const { upstream, gateway } = await startOne(
      {},
      {
        clock,
        settings: {
          router_settings: router,
          litellm_settings: litellm,
          server_settings: { stream_heartbeat_after: 0 },
        },
      },
    );
    upstream.script(hang);
    const asked = gateway.chat({ stream: streams });
    await upstream.received(1);
    await clock.advance(passed);
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([504, expect.stringContaining(`"code":"${code}"`)]);
  });

  test('a client that reads slowly is no silent upstream', async () => {
    const clock = createManualClock();
    const { upstream, gateway } = await startOne({}, { clock });
    const piece = delta({ content: 'x'.repeat(16_000) });
    let written = 0;
    upstream.script((answer) => {
      answer.writeHead(200, { 'content-type': sse });
      const write = (): void => {
        while (written < 2000) {
          written++;
          if (!answer.write(piece)) return void answer.once('drain', write);
        }
        answer.end(finish() + done);
      };
      write();
    });
    const answer = await gateway.chat({ stream: true });
    const reader = answer.body?.getReader();
    await reader?.read();
    let before = -1;
    await until('the upstream to be held back', () => {
      const isStill = written === before;
      before = written;
      return isStill;
    });
    await clock.advance(130_000);
    let text = '';
    for (;;) {
      const read = await reader?.read();
      if (read?.value === undefined) break;
      text += Buffer.from(read.value).toString();
    }
    expect(text.slice(-100)).toContain('[DONE]');
  });
});

describe('spine 7: an upstream that goes on after its end', () => {
  test.each([
    ['stays open', openStream([delta({ content: 'Hi' }), finish(), done])],
    ['goes on talking', endless(sse, delta({ content: 'Hi' }) + finish() + done, `: ${'x'.repeat(10_000)}\n\n`)],
  ])('%s: it is cut after a moment, and its connection is not used again', async (_what, behaviour) => {
    const clock = createManualClock();
    const { upstream, gateway } = await startOne({}, { clock });
    upstream.script(behaviour);
    const { events } = await readStream(await gateway.chat({ stream: true }));
    expect(events.at(-1)).toBe('[DONE]');
    const received = await upstream.received(1);
    await clock.advance(1001);
    await received.cancelled;
    upstream.script(json(whole));
    expect((await gateway.chat()).status).toBe(200);
  });

  test('the answer’s end comes in time: the connection is kept', async () => {
    const clock = createManualClock();
    const { upstream, gateway } = await startOne({}, { clock });
    const ports = new Set<number | undefined>();
    const behaviour = stream([delta({ content: 'Hi' }), finish(), done, usage()]);
    upstream.script(async (answer, request) => {
      ports.add(answer.socket?.remotePort);
      await behaviour(answer, request);
    });
    for (let count = 1; count <= 5; count++) {
      await (await gateway.chat({ stream: true })).text();
      const received = await upstream.received(count);
      await until('the answer’s end', () => received.events.includes('answered'));
    }
    await clock.advance(2000);
    await (await gateway.chat({ stream: true })).text();
    expect(ports.size).toBeLessThan(4);
  });
});

describe('spine 3.4: a kept connection that its server closes', () => {
  test.each([
    ['just as it is used again: the request is sent anew', 0, '', 200, 3],
    ['with half a head, on a connection of its own: it is not', 1, 'HTTP/1.1 200', 502, 1],
  ])('%s', async (_what, from, bytes, status, requests) => {
    const { upstream, gateway } = await startOne();
    if (from === 0) {
      upstream.script(json(whole));
      await (await gateway.chat()).text();
    }
    upstream.script(async ({ socket }) => {
      if (bytes !== '') await new Promise<void>((resolve) => socket?.write(bytes, () => resolve()));
      socket?.destroy();
    }, json(whole));
    expect((await gateway.chat()).status).toBe(status);
    expect(upstream.requests).toHaveLength(requests);
  });
});

describe('spine 7: an upstream that lies about HTTP', () => {
  const text = JSON.stringify(whole);
  test.each([
    ['early hints before the answer', `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n`.repeat(3)],
    ['nothing odd', ''],
  ])('%s is passed over', async (_what, before) => {
    const { upstream, gateway } = await startOne();
    upstream.script(
      rawBytes(
        `${before}HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
      ),
    );
    expect((await gateway.chat()).status).toBe(200);
  });

  test.each([
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 502],
    ['304', 'HTTP/1.1 304 Not Modified\r\n\r\n', 502],
    ['101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 502],
    [
      'a redirect',
      'HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
      502,
    ],
  ])('%s is no answer', async (_what, bytes, status) => {
    for (const streams of [false, true]) {
      const { upstream, gateway } = await startOne();
      upstream.script(rawBytes(bytes));
      const answer = await gateway.chat({ stream: streams });
      expect(answer.status).toBe(status);
      expect(await answer.text()).not.toContain('127.0.0.1');
    }
  });

  test('trailers are nobody’s', async () => {
    const { upstream, gateway } = await startOne();
    const body = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
    upstream.script(rawBytes(`${body}${text.length.toString(16)}\r\n${text}\r\n0\r\nx-trailer: 1\r\n\r\n`));
    expect((await gateway.chat()).status).toBe(200);
  });
});
