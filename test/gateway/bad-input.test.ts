import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';

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
    ['stream that is no truth', `{"model":"qwen","stream":"yes",${messages}}`, 400, 'stream'],
    ['max_tokens that is no number', `{"model":"qwen","max_tokens":"many",${messages}}`, 400, 'max_tokens'],
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

/** Sends bytes on a connection of their own, and gives what comes back until it is closed. */
function send(bytes: string | Uint8Array): { readonly answer: Promise<string>; readonly socket: Socket } {
  const socket = connect(gateway.port, '127.0.0.1');
  const answer = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
  socket.write(bytes);
  return { answer, socket };
}

const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n';

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
    const { answer } = send(bytes);
    expect((await gateway.chat({ model: 'qwen' })).status).toBe(200);
    expect(await answer).toMatch(wanted);
  });

  test('half a body, then silence: another is answered meanwhile', async () => {
    const { socket } = send(`${head}content-length: 1000\r\n\r\n{"model":`);
    expect((await gateway.chat({ model: 'qwen' })).status).toBe(200);
    socket.destroy();
  });

  test('two hundred megabytes are refused before they are taken', async () => {
    const size = 200 * 1024 * 1024;
    const { answer, socket } = send(`${head}content-length: ${size}\r\n\r\n`);
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const before = process.memoryUsage().rss;
    for (let sent = 0; sent < 200 && !socket.destroyed; sent++) {
      if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), answer]);
    }
    expect(await answer).toContain('413');
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  test('the same in chunks, without a length', async () => {
    const { answer, socket } = send(`${head}transfer-encoding: chunked\r\n\r\n`);
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

  test('what was not HTTP is told in one line each', async () => {
    send('nonsense\r\n\r\n');
    const line = await gateway.logged('bad_client');
    expect(line).toMatchObject({ level: expect.any(String) });
  });
});
