import { execFile } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { queryObjects } from 'node:v8';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CarriedRequest, Connection, type OutgoingRequest, type Transfer } from '../../src/gateway/connection.ts';
import { type ConnectionPool, createConnectionPool, type PoolOptions } from '../../src/gateway/connection-pool.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { closersAfterEach } from '../support/closers.ts';
import { until } from '../support/until.ts';

const closers = closersAfterEach();
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../support/tls', name), 'utf8');
const secure = { key: pem('key.pem'), cert: pem('certificate.pem') };

/** One request as the server saw it. */
type Seen = { readonly line: string; readonly head: string; readonly body: string; readonly connection: number };
type Answer = (socket: Socket, seen: Seen) => void;

type Server = {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly Seen[];
  /** Connections so far, and those that stand. */
  readonly sockets: readonly Socket[];
  open(): number;
};

type ServerOptions = {
  readonly tls?: { readonly key: string; readonly cert: string; readonly maxVersion?: SecureVersion };
  readonly host?: string;
  /** Answers before the body has come. */
  readonly early?: boolean;
};

/** A server of bare sockets, which reads whole requests and leaves the answer's bytes to its script. */
async function serve(answer: Answer, { tls, host = '127.0.0.1', early = false }: ServerOptions = {}): Promise<Server> {
  const seen: Seen[] = [];
  const sockets: Socket[] = [];
  const take = (socket: Socket): void => {
    const connection = sockets.push(socket) - 1;
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
        if (!early && text.length < end + 4 + length) return;
        // What comes after a server has ended the connection reaches nobody.
        if (socket.writableEnded) return;
        const head = text.slice(0, end);
        const one = {
          line: head.split('\r\n')[0] ?? '',
          head,
          body: text.slice(end + 4, end + 4 + length),
          connection,
        };
        text = early ? '' : text.slice(end + 4 + length);
        seen.push(one);
        answer(socket, one);
        if (early) return;
      }
    });
  };
  const server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
  server.on('tlsClientError', () => {});
  server.listen(0, host);
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = (): number => sockets.filter((socket) => !socket.destroyed).length;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { url: `${tls === undefined ? 'http' : 'https'}://${shown}:${port}`, port, seen, sockets, open };
}

function poolOf(url: string, options: Partial<PoolOptions> = {}): ConnectionPool {
  const pool = createConnectionPool(url, {
    connectTimeoutMs: 5000,
    tls: { verify: true, ca: secure.cert },
    ...options,
  });
  closers.push(() => pool.destroy());
  return pool;
}

/** What was heard of a request: its answer, or in brackets what went wrong. */
type Heard = {
  readonly transfer: Transfer;
  readonly whole: Promise<string>;
  body: string;
  status: number;
  calls: number;
};

function ask(pool: ConnectionPool, path = '/', more: Partial<OutgoingRequest> & { onData?: () => void } = {}): Heard {
  let settle: (text: string) => void = () => {};
  const heard = {
    body: '',
    status: 0,
    calls: 0,
    whole: new Promise<string>((resolve) => {
      settle = resolve;
    }),
  };
  const { onData = () => {}, ...request } = more;
  const transfer = pool.send(
    { method: 'POST', path, headers: [], body: Buffer.from(path), ...request },
    {
      onHead({ status }) {
        heard.calls++;
        heard.status = status;
      },
      onData(bytes) {
        heard.calls++;
        heard.body += bytes.toString('latin1');
        onData();
      },
      onEnd() {
        heard.calls++;
        settle(`${heard.status} ${heard.body}`);
      },
      onProblem(problem) {
        heard.calls++;
        if (problem.kind === 'malformed') settle(`[malformed: ${problem.detail}]`);
        else settle(`[${problem.kind === 'broken' ? problem.code : problem.error}]`);
      },
    },
  );
  return Object.assign(heard, { transfer });
}

const tooLarge = 'HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig';
const reply = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;
const echo: Answer = (socket, { body }) => socket.write(reply(body));

/** Settles once every connection of a server is gone. */
const gone = (server: Server): Promise<true> => until('the connections to go', () => server.open() === 0 && true);
/** Lets what has arrived be told. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));

/** Time that stands still until it is moved; sockets have their own. */
const stopTime = (): void =>
  void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });

describe('upstream connections: kept', () => {
  test('the one that was used last is used next', async () => {
    const server = await serve(echo);
    const pool = poolOf(server.url);
    await Promise.all(['/a', '/b', '/c'].map((path) => ask(pool, path).whole));
    const last = server.seen.at(-1)?.connection;
    for (let count = 0; count < 5; count++) expect(await ask(pool, '/d').whole).toBe('200 /d');
    expect(new Set(server.seen.slice(3).map(({ connection }) => connection))).toEqual(new Set([last]));
    expect(server.sockets).toHaveLength(3);
  });

  test.each([
    ['end', (socket: Socket) => socket.end()],
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['word unasked', (socket: Socket) => socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n')],
  ])('one is not used after the server’s %s', async (_what, close) => {
    const server = await serve(echo);
    const pool = poolOf(server.url);
    await ask(pool, '/a').whole;
    const [socket] = server.sockets;
    if (socket === undefined) throw new Error('No connection');
    close(socket);
    await gone(server);
    await settled();
    expect(await ask(pool, '/b').whole).toBe('200 /b');
    expect(server.seen.map(({ connection, body }) => [connection, body])).toEqual([
      [0, '/a'],
      [1, '/b'],
    ]);
  });

  test.each([
    ['none', '', 3000, 5000],
    ['timeout=12', 'keep-alive: timeout=12\r\n', 9000, 11_000],
    ['timeout=100000', 'keep-alive: timeout=100000\r\n', 299_000, 301_000],
  ])('unused ones are closed in time; the server’s word: %s', async (_what, header, before, after) => {
    const server = await serve((socket) => socket.write(reply('x', header)));
    const pool = poolOf(server.url);
    stopTime();
    await Promise.all([ask(pool).whole, ask(pool).whole]);
    await vi.advanceTimersByTimeAsync(before);
    await ask(pool).whole;
    expect(server.sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(after);
    vi.useRealTimers();
    await gone(server);
  });

  test.each([
    ['connection: close', reply('x', 'connection: close\r\n')],
    ['a word of two seconds', reply('x', 'keep-alive: timeout=2\r\n')],
    ['bytes after the end', `${reply('x')}${reply('y')}`],
  ])('none is kept after %s', async (_what, bytes) => {
    const server = await serve((socket) => socket.write(bytes));
    const pool = poolOf(server.url);
    for (let count = 1; count <= 3; count++) expect(await ask(pool).whole).toBe('200 x');
    expect(server.sockets).toHaveLength(3);
    await gone(server);
  });

  test('what is done to a request after its end does not reach the next one', async () => {
    const server = await serve((socket, { body }) => socket.write(reply(body)));
    const pool = poolOf(server.url);
    const first = ask(pool, '/a');
    await first.whole;
    const second = ask(pool, '/b');
    first.transfer.pause();
    first.transfer.abort();
    expect(await second.whole).toBe('200 /b');
    expect(server.sockets).toHaveLength(1);
  });

  test('an answer that is paused as it ends leaves a connection that reads', async () => {
    const server = await serve(echo);
    const pool = poolOf(server.url);
    const first = ask(pool, '/a', { onData: () => first.transfer.pause() });
    expect(await first.whole).toBe('200 /a');
    expect(await ask(pool, '/b').whole).toBe('200 /b');
    expect(server.sockets).toHaveLength(1);
  });
});

describe('upstream connections: sent again', () => {
  /** The first request of a connection is answered, its second one is not: the connection ends. */
  const endOnSecond = (socket: Socket, { connection, body }: Seen, count: number): void =>
    void (count > 1 && connection === 0 ? socket.destroy() : socket.write(reply(body)));

  test('once, on a fresh connection, where the server closed as it was used again', async () => {
    let count = 0;
    const server = await serve((socket, seen) => endOnSecond(socket, seen, ++count));
    const pool = poolOf(server.url);
    await ask(pool, '/a').whole;
    expect(await ask(pool, '/b').whole).toBe('200 /b');
    expect(server.seen.map(({ body }) => body)).toEqual(['/a', '/b', '/b']);
  });

  test('never a second time', async () => {
    let count = 0;
    const server = await serve((socket, seen) => (++count > 1 ? socket.destroy() : echo(socket, seen)));
    const pool = poolOf(server.url);
    await ask(pool, '/a').whole;
    const heard = ask(pool, '/b');
    expect(await heard.whole).toBe('[ECONNRESET]');
    expect(heard.calls).toBe(1);
    expect(server.seen).toHaveLength(3);
  });

  test.each([
    ['on a fresh connection', 0, ''],
    ['after the first byte of an answer', 1, 'H'],
    ['after a word on the way', 1, 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('not %s', async (_what, before, bytes) => {
    let count = 0;
    const server = await serve((socket, seen) => {
      if (++count <= before) echo(socket, seen);
      else socket.end(bytes);
    });
    const pool = poolOf(server.url);
    if (before > 0) await ask(pool, '/a').whole;
    expect(await ask(pool, '/b').whole).toBe('[ECONNRESET]');
    expect(server.seen).toHaveLength(before + 1);
  });

  test('not after a second, when the server may have fallen over it', async () => {
    const server = await serve((socket, seen) => {
      if (seen.body === '/a') return echo(socket, seen);
      vi.advanceTimersByTime(1500);
      socket.destroy();
    });
    const pool = poolOf(server.url);
    stopTime();
    await ask(pool, '/a').whole;
    expect(await ask(pool, '/b').whole).toBe('[ECONNRESET]');
    expect(server.seen).toHaveLength(2);
  });
});

describe('upstream connections: many at once', () => {
  test('1000 requests, cut and closed at random: each has its own answer, and none is sent twice but unseen ones', async () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return (seed >>> 8) % below;
    };
    const cutOff = new Map<string, number>();
    const used = new Set<number>();
    const server = await serve((socket, { body, connection }) => {
      const isKept = used.has(connection);
      used.add(connection);
      if (random(10) === 0 && isKept) {
        cutOff.set(body, (cutOff.get(body) ?? 0) + 1);
        return void socket.destroy();
      }
      const text = `${body}${'.'.repeat(random(3000))}`;
      const size = text.length.toString(16);
      const bytes =
        random(2) === 0
          ? reply(text)
          : `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${size};x\r\n${text}\r\n0\r\n\r\n`;
      const send = (from: number): void => {
        const end = from + 1 + random(bytes.length);
        socket.write(bytes.slice(from, end), () => {
          if (end < bytes.length) setImmediate(() => send(end));
          else if (random(10) === 0) socket.end();
        });
      };
      send(0);
    });
    const pool = poolOf(server.url);
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < 1000) {
        const path = `/${next++}/`;
        const answer = await ask(pool, path).whole;
        expect(answer.replace(/\.*$/, '')).toBe(`200 ${path}`);
      }
    };
    await Promise.all(Array.from({ length: 200 }, worker));
    const counts = new Map<string, number>();
    for (const { body } of server.seen) counts.set(body, (counts.get(body) ?? 0) + 1);
    expect(counts.size).toBe(1000);
    for (const [body, count] of counts) expect(count, body).toBe(1 + (cutOff.get(body) ?? 0));
    expect(cutOff.size).toBeGreaterThan(10);
    pool.destroy();
    await gone(server);
  });
});

describe.each([
  ['TCP', undefined],
  ['TLS', secure],
])('upstream connections: bytes over %s', (_what, tls) => {
  const withTls = tls === undefined ? {} : { tls };

  test.each([
    ['reads no more', (socket: Socket) => void socket.pause().write(tooLarge)],
    ['reads on', (socket: Socket) => void socket.write(tooLarge)],
    ['reads on and ends', (socket: Socket) => void socket.end(tooLarge)],
  ])(
    'a server that answers while 50 MB are on their way and %s is heard, and not used again',
    async (_what, answer) => {
      const server = await serve(answer, { ...withTls, early: true });
      const pool = poolOf(server.url);
      expect(await ask(pool, '/', { body: Buffer.alloc(50_000_000) }).whole).toBe('413 big');
      for (const socket of server.sockets) socket.resume();
      await gone(server);
    },
  );

  test.each([
    ['end', (socket: Socket) => socket.end(), '200 xyz'] as const,
    ...(tls === undefined ? [['reset', (socket: Socket) => socket.resetAndDestroy(), '[ECONNRESET]'] as const] : []),
  ])('the server’s %s amid a pause is heard after it', async (_what, close, wanted) => {
    const server = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nxyz'), withTls);
    const heard = ask(poolOf(server.url), '/', { onData: () => heard.transfer.pause() });
    await until('the data', () => heard.body !== '');
    const [socket] = server.sockets;
    if (socket === undefined) throw new Error('No connection');
    close(socket);
    await settled();
    heard.transfer.resume();
    expect(await heard.whole).toBe(wanted);
    await gone(server);
  });

  test('a pause stops the reading, and it goes on later', async () => {
    const size = 64_000_000;
    const server = await serve((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
    }, withTls);
    const pool = poolOf(server.url);
    let came = 0;
    let ended: () => void = () => {};
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const before = process.memoryUsage().rss;
    let isPaused = false;
    let afterPause = 0;
    const transfer = pool.send(
      { method: 'GET', path: '/', headers: [], body: new Uint8Array() },
      {
        onHead: () => {},
        onData: ({ length }) => {
          came += length;
          if (isPaused) afterPause += length;
          else if (came < 100_000) {
            isPaused = true;
            transfer.pause();
          }
        },
        onEnd: () => ended(),
        onProblem: () => {},
      },
    );
    await until('the pause', () => isPaused);
    // Another connection is served meanwhile, more than once: what could be read would have been.
    const other = await serve(echo);
    const second = poolOf(other.url);
    for (let count = 0; count < 200; count++) await ask(second, `/${count}`).whole;
    // TLS hands on what it has deciphered already.
    expect(afterPause).toBeLessThanOrEqual(tls === undefined ? 0 : 70_000);
    expect(server.sockets[0]?.writableLength).toBeGreaterThan(size / 2);
    expect(process.memoryUsage().rss - before).toBeLessThan(3 * size);
    isPaused = false;
    came += 100_000;
    transfer.resume();
    await end;
    expect(came).toBe(size + 100_000);
  });

  test('an answer that ends with its connection', async () => {
    const server = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'), withTls);
    expect(await ask(poolOf(server.url)).whole).toBe('200 all of it');
  });

  test('one that is cut is not whole', async () => {
    const server = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHell'), withTls);
    expect(await ask(poolOf(server.url)).whole).toBe('[ECONNRESET]');
  });

  test.each([
    ['while the request goes out', { body: Buffer.alloc(20_000_000) }, () => {}, () => true],
    ['before the head', {}, () => {}, (_heard: Heard, server: Server) => server.seen.length > 0],
    [
      'amid the head',
      {},
      (socket: Socket) => socket.write('HTTP/1.1 2'),
      (_heard: Heard, server: Server) => server.seen.length > 0,
    ],
    [
      'amid the body',
      {},
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nx'),
      (heard: Heard) => heard.body !== '',
    ],
  ] as const)('an abort %s frees the socket and calls nobody', async (_phase, request, answer, isThere) => {
    const server = await serve(answer, withTls);
    const pool = poolOf(server.url);
    const heard = ask(pool, '/', request);
    await until('a connection', () => server.sockets.length > 0);
    await until('the phase', () => isThere(heard, server));
    const { calls } = heard;
    heard.transfer.abort();
    await gone(server);
    await settled();
    expect(heard.calls).toBe(calls);
  });

  test('destroy() cuts what runs and tells it, keeps nothing, and lets nobody in again', async () => {
    const server = await serve(
      (socket, { body }) => (body === '/kept' ? socket.write(reply('x')) : undefined),
      withTls,
    );
    const pool = poolOf(server.url);
    await Promise.all([ask(pool, '/kept').whole, ask(pool, '/kept').whole]);
    const running = ['/a', '/b', '/c'].map((path) => ask(pool, path));
    await until('the requests', () => server.seen.length === 5);
    pool.destroy();
    expect(await Promise.all(running.map(({ whole }) => whole))).toEqual(Array(3).fill('[ECONNABORTED]'));
    expect(await ask(pool, '/late').whole).toBe('[ECONNABORTED]');
    await gone(server);
    expect(server.seen).toHaveLength(5);
  });
});

describe('upstream connections: that do not come about', () => {
  const closedPort = async (): Promise<number> => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  };

  test('refused', async () => {
    expect(await ask(poolOf(`http://127.0.0.1:${await closedPort()}`)).whole).toBe('[ECONNREFUSED]');
  });

  test('a host that nobody knows', async () => {
    expect(await ask(poolOf('http://nobody.invalid')).whole).toMatch(/^\[(?:ENOTFOUND|EAI_AGAIN)\]$/);
  });

  test('nobody picks up: it takes as long as it may', async () => {
    const hole = await startBlackHole();
    closers.push(hole.close);
    expect(await ask(poolOf(hole.url, { connectTimeoutMs: 50 })).whole).toBe('[ETIMEDOUT]');
  });

  test('the TLS handshake never ends: it takes as long as it may', async () => {
    const server = await serve(() => {});
    const pool = poolOf(server.url.replace('http:', 'https:'), { connectTimeoutMs: 50 });
    expect(await ask(pool).whole).toBe('[ETIMEDOUT]');
    await gone(server);
  });

  test.each([
    ['signed by nobody known', secure, '127.0.0.1', undefined, /^\[DEPTH_ZERO_SELF_SIGNED_CERT\]$/],
    ['for another name', secure, 'localhost', secure.cert, /^\[ERR_TLS_CERT_ALTNAME_INVALID\]$/],
    [
      'for another name, by TLS 1.2',
      { ...secure, maxVersion: 'TLSv1.2' as const },
      'localhost',
      secure.cert,
      /^\[ERR_TLS_CERT_ALTNAME_INVALID\]$/,
    ],
    [
      'that has expired',
      { key: secure.key, cert: pem('expired.pem') },
      '127.0.0.1',
      pem('expired.pem'),
      /^\[CERT_HAS_EXPIRED\]$/,
    ],
  ])('a certificate %s: none is sent, however often it is asked', async (_what, tls, host, ca, wanted) => {
    const server = await serve(echo, { tls });
    const pool = poolOf(`https://${host}:${server.port}`, { tls: { verify: true, ca } });
    for (let count = 0; count < 3; count++) expect(await ask(pool).whole).toMatch(wanted);
    expect(server.seen).toEqual([]);
    const lax = poolOf(`https://${host}:${server.port}`, { tls: { verify: false, ca: undefined } });
    expect(await ask(lax, '/x').whole).toBe('200 /x');
  });

  test('plain HTTP where TLS is wanted', async () => {
    const plain = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    closers.push(() => plain.close());
    const { port } = plain.address() as AddressInfo;
    expect(await ask(poolOf(`https://127.0.0.1:${port}`)).whole).toMatch(/^\[(?:EPROTO|ERR_SSL_\w+)\]$/);
  });

  test('TLS where plain HTTP is wanted', async () => {
    const server = await serve(echo, { tls: secure });
    expect(await ask(poolOf(`http://127.0.0.1:${server.port}`)).whole).toMatch(/^\[(?:ECONNRESET|malformed: .*)\]$/);
  });

  test.each([
    [
      'the name is looked up',
      'http://localhost:9',
      () => vi.spyOn(dns, 'lookup').mockImplementation((() => {}) as never),
    ],
    ['TCP connects', undefined, () => {}],
  ])('an abort while %s calls nobody', async (_what, url, prepare) => {
    prepare();
    const hole = url === undefined ? await startBlackHole() : undefined;
    if (hole !== undefined) closers.push(hole.close);
    const heard = ask(poolOf(url ?? hole?.url ?? ''));
    await settled();
    heard.transfer.abort();
    await settled();
    expect(heard.calls).toBe(0);
  });

  test('an abort amid the TLS handshake frees the socket and calls nobody', async () => {
    const server = await serve(() => {});
    const heard = ask(poolOf(server.url.replace('http:', 'https:')));
    await until('a connection', () => server.sockets.length > 0);
    heard.transfer.abort();
    await gone(server);
    expect(heard.calls).toBe(0);
  });
});

describe('upstream connections: addresses and names', () => {
  test('an IPv6 literal, in the host header too', async () => {
    const server = await serve(echo, { host: '::1' });
    expect(await ask(poolOf(server.url), '/six').whole).toBe('200 /six');
    expect(server.seen[0]?.head).toContain(`host: [::1]:${server.port}`);
  });

  test('a name with two addresses, of which one is dead', async () => {
    const server = await serve(echo);
    vi.spyOn(dns, 'lookup').mockImplementation(((
      _name: string,
      _options: object,
      tell: (...words: unknown[]) => void,
    ) => {
      setImmediate(() =>
        tell(null, [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ]),
      );
    }) as never);
    const pool = poolOf(`http://two.test:${server.port}`);
    expect(await ask(pool, '/two').whole).toBe('200 /two');
    expect(await ask(pool, '/two').whole).toBe('200 /two');
    expect(server.sockets).toHaveLength(1);
  });

  test('the host that a provider declares', async () => {
    const server = await serve(echo);
    await ask(poolOf(server.url, { host: 'models.example:8443' })).whole;
    expect(server.seen[0]?.head).toContain('host: models.example:8443\r\n');
    expect(server.seen[0]?.head).not.toContain('127.0.0.1');
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s goes on', async (maxVersion) => {
    const goesOn: (boolean | null)[] = [];
    const server = await serve(
      (socket, { body }) => {
        goesOn.push((socket as TLSSocket).isSessionReused());
        socket.write(reply(body, 'connection: close\r\n'));
      },
      { tls: { ...secure, maxVersion } },
    );
    const pool = poolOf(server.url);
    for (let count = 0; count < 3; count++) expect(await ask(pool, '/x').whole).toBe('200 /x');
    expect(goesOn).toEqual([false, true, true]);
  });
});

describe('upstream connections: what would break HTTP is not sent', () => {
  const secret = 'sk-very-secret\r\nx-injected: 1';
  test.each([
    ['a key with a line end', { headers: ['authorization', `Bearer ${secret}`] }, undefined, 'authorization'],
    ['a letter beyond latin1', { headers: ['x', 'sk-very-secret€'] }, undefined, '"x"'],
    ['NUL', { headers: ['x', 'sk-very-secret\0'] }, undefined, '"x"'],
    ['a name with a line end', { headers: ['x\r\ny', '1'] }, undefined, 'cannot be sent'],
    ['a length of its own', { headers: ['Content-Length', '1'] }, undefined, 'Content-Length'],
    ['a coding of its own', { headers: ['transfer-encoding', 'chunked'] }, undefined, 'transfer-encoding'],
    ['a path with a blank', { path: '/a b' }, undefined, 'path'],
    ['a path with a line end', { path: '/a\r\nx: 1' }, undefined, 'path'],
    ['a path beyond ASCII', { path: '/ä' }, undefined, 'path'],
    ['a host with a line end', {}, secret, 'host'],
    ['a host that is empty', {}, '', 'host'],
  ])('%s', async (_what, request, host, named) => {
    const server = await serve(echo);
    const pool = poolOf(server.url, { host });
    let told = '';
    try {
      ask(pool, '/', request);
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      told = String(error);
    }
    expect(told).toContain(named);
    expect(told).not.toContain('secret');
    await settled();
    expect(server.sockets).toHaveLength(0);
  });
});

describe('upstream connections: nothing is left of a request', () => {
  test('10,000 requests leave no timers, listeners or objects behind', async () => {
    const warned: string[] = [];
    const listen = ({ name }: Error): void => void warned.push(name);
    process.on('warning', listen);
    closers.push(() => process.off('warning', listen));
    const server = await serve(echo);
    const pool = poolOf(server.url);
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await ask(pool).whole;
    const before = timers();
    for (let at = 0; at < 10_000; at += 10) await Promise.all(Array.from({ length: 10 }, () => ask(pool).whole));
    expect(server.sockets).toHaveLength(10);
    // The test’s own runner has some.
    expect(timers()).toBeLessThan(before + 5);
    // A listener for each request would be warned of.
    expect(warned).toEqual([]);
    expect(queryObjects(CarriedRequest)).toBeLessThan(100);
    pool.destroy();
    await gone(server);
    expect(queryObjects(Connection)).toBeLessThan(100);
  });

  test('after destroy() the process ends', async () => {
    const server = await serve(echo);
    const code = `
      const { createConnectionPool } = await import(process.argv[1]);
      const pool = createConnectionPool(process.argv[2], { connectTimeoutMs: 60000, tls: { verify: true } });
      const request = { method: 'GET', path: '/', headers: [], body: new Uint8Array() };
      const onEnd = () => {
        pool.send(request, { onProblem: ({ code }) => console.log(code) });
        pool.destroy();
      };
      pool.send(request, { onHead() {}, onData() {}, onEnd, onProblem: console.log });
    `;
    const module = new URL('../../src/gateway/connection-pool.ts', import.meta.url).href;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', code, module, server.url],
      { timeout: 20_000 },
    );
    expect(stdout.trim()).toBe('ECONNABORTED');
  });
});
