import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { until } from './until.ts';

/** What reached the fake upstream with one request, and what became of it. */
export type Received = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes as text, once they have all come. */
  readonly body: string;
  /** In their order: `received`, `answered`, `cancelled` when the other side left before the end. */
  readonly events: readonly string[];
  /** Resolves when the other side leaves before the answer is complete. */
  readonly cancelled: Promise<void>;
};

/** How one request is answered: anything that can be done to a response. */
export type Behaviour = (answer: ServerResponse, request: Received) => void | Promise<void>;

/** A server that does to each request what its script says, and remembers what it was sent. For faults, not for proof. */
export type FakeUpstream = {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly Received[];
  /** The behaviours of the next requests for models, in order; the last one stays. */
  script(...behaviours: readonly Behaviour[]): void;
  /** Resolves once so many requests for models have come whole. */
  received(count: number): Promise<Received>;
  close(): Promise<void>;
};

export type FakeOptions = {
  /** With one it speaks TLS. */
  readonly certificate?: Pick<ServerOptions, 'key' | 'cert'>;
  /** Whether it has a list of models; some have none. */
  readonly lists?: boolean;
  /** What further GETs are answered with, by their paths. */
  readonly gets?: Readonly<Record<string, () => unknown>>;
};

/** Starts a fake upstream that lists `modelNames` and answers "Hello". */
export async function startFakeUpstream(
  modelNames: readonly string[] = ['m'],
  { certificate, gets = {}, lists = true }: FakeOptions = {},
): Promise<FakeUpstream> {
  const requests: Received[] = [];
  const waiting: { readonly count: number; readonly resolve: (one: Received) => void }[] = [];
  let behaviours: readonly Behaviour[] = [chat('Hello')];
  const sockets = new Set<Socket>();
  const take = (request: IncomingMessage, answer: ServerResponse): void => {
    void handle(request, answer);
  };
  const server = certificate === undefined ? createServer(take) : createTlsServer(certificate, take);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A reset is one of the things that are scripted.
    socket.on('error', () => {});
  });
  const handle = async (request: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const known = gets[path];
    if (request.method === 'GET')
      return known === undefined
        ? list(lists && isList(path), modelNames, answer)
        : json(await known())(answer, emptyRequest);
    const events: string[] = [];
    const cancelled = once(answer, 'close').then(() => {
      if (answer.writableFinished) return new Promise<void>(() => {});
      events.push('cancelled');
      return undefined;
    });
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    events.push('received');
    const { method = 'POST', headers } = request;
    const received: Received = { method, path, headers, body: Buffer.concat(pieces).toString(), events, cancelled };
    requests.push(received);
    for (const one of waiting.filter(({ count }) => count === requests.length)) one.resolve(received);
    const [behaviour = chat('Hello'), ...rest] = behaviours;
    if (rest.length > 0) behaviours = rest;
    await behaviour(answer, received);
    if (answer.writableEnded) events.push('answered');
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    script(...next) {
      behaviours = next;
    },
    received: (count) =>
      new Promise((resolve) => {
        const one = requests[count - 1];
        if (one === undefined) waiting.push({ count, resolve });
        else resolve(one);
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function isList(path: string): boolean {
  return /\/models(?:\?|$)/.test(path);
}

function list(isThere: boolean, names: readonly string[], answer: ServerResponse): void {
  answer.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' });
  answer.end(isThere ? JSON.stringify({ object: 'list', data: names.map((id) => ({ id, object: 'model' })) }) : '{}');
}

/** A whole chat answer, or the same as a stream where the request asks for one. */
export function chat(text: string): Behaviour {
  return (answer, { body }) => {
    const isStream = /"stream":\s*true/.test(body);
    if (isStream)
      return stream([
        delta({ role: 'assistant' }),
        ...text.split(/(?<= )/).map((content) => delta({ content })),
        finish(),
        usage(),
        done,
      ])(answer, emptyRequest);
    return json({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'backend',
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    })(answer, emptyRequest);
  };
}

const emptyRequest: Received = {
  method: 'POST',
  path: '',
  headers: {},
  body: '',
  events: [],
  cancelled: Promise.resolve(),
};

/** A JSON answer of any status. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Behaviour {
  return (answer) => {
    answer.writeHead(status, { 'content-type': 'application/json', ...headers });
    answer.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}

/** An error in OpenAI's form. */
export function fault(status: number, message = 'It does not work', headers: Record<string, string> = {}): Behaviour {
  return json({ error: { message, type: 'server_error', code: null } }, status, headers);
}

const chunk = (choices: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'backend', choices, ...more })}\n\n`;

/** An event of a stream with a piece of the answer. */
export const delta = (piece: object): string => chunk([{ index: 0, delta: piece, finish_reason: null }]);
/** The event that ends the answer. */
export const finish = (): string => chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]);
/** The event with the counts. */
export const usage = (): string => chunk([], { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } });
export const done = 'data: [DONE]\n\n';

/** A stream of text in any pieces; each is written and flushed by itself. */
export function stream(pieces: readonly (string | Uint8Array)[], headers: Record<string, string> = {}): Behaviour {
  return async (answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    answer.flushHeaders();
    for (const piece of pieces) {
      if (answer.destroyed) return;
      answer.write(piece);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    answer.end();
  };
}

/** A stream that stays open after its pieces. */
export function openStream(pieces: readonly (string | Uint8Array)[]): Behaviour {
  return (answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.flushHeaders();
    for (const piece of pieces) answer.write(piece);
  };
}

/** Writes a piece again and again, as fast as it is taken, until the other side leaves. */
export function endless(type: string, begin: string, piece: string): Behaviour {
  return (answer) => {
    if (!answer.headersSent) answer.writeHead(200, { 'content-type': type });
    answer.write(begin);
    const pump = (): void => {
      while (!answer.destroyed) if (!answer.write(piece)) return void answer.once('drain', pump);
    };
    pump();
  };
}

/** Answers that are held back. */
export type Held = {
  readonly behaviour: Behaviour;
  /** Lets the oldest that is held go, once there is one. */
  readonly release: () => Promise<void>;
  /** Lets all go that are held now. */
  readonly releaseAll: () => void;
};

/** Holds answers back until they are let go. */
export function hold(then: Behaviour = chat('Hello')): Held {
  const held: (() => void)[] = [];
  return {
    async behaviour(answer, request) {
      await new Promise<void>((resolve) => held.push(resolve));
      await then(answer, request);
    },
    release: async () => (await until('a request at the server', () => held.shift()))(),
    releaseAll() {
      for (const release of held.splice(0)) release();
    },
  };
}

/** No answer at all. */
export const hang: Behaviour = () => {};

/** The connection is reset after these pieces of a stream; without any, before a single byte. */
export function reset(pieces: readonly string[] = []): Behaviour {
  return async (answer) => {
    if (pieces.length > 0) {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of pieces) await new Promise<void>((resolve) => answer.write(piece, () => resolve()));
    }
    answer.socket?.resetAndDestroy();
  };
}

/** Bytes as they are, in place of an HTTP answer. */
export function rawBytes(bytes: string): Behaviour {
  return (answer) => {
    answer.socket?.end(bytes);
  };
}
