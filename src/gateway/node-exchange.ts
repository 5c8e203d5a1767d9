import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { milliseconds } from '../plan/ids.ts';
import type { Clock } from './clock.ts';
import type { Exchange } from './exchange.ts';
import { inOnePiece, writeTogether } from './one-piece.ts';
import { type BodyReading, bodyProblem, discardBody, type HeldBodies, isUnread, readBody } from './read-body.ts';
import { atTurnEnd } from './turn-end.ts';

/** A request of Node's server with what belongs to it. */
export type NodeRequest = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client sends its body only when it is told to (`Expect: 100-continue`). */
  readonly waitsForContinue: boolean;
};

/** What all requests of a listener share. */
export type ListenerParts = {
  readonly clock: Clock;
  readonly bodies: HeldBodies;
  /** A fault of ours that nobody else is told of. */
  onFault(error: unknown): void;
  readonly connections: {
    /** Whether the connection ends with the answer that is under way, since the gateway does. */
    isLast(socket: Socket): boolean;
    /** Told once of each request, when its answer is over or the client is gone. */
    ended(socket: Socket): void;
  };
};

/**
 * A request of Node's server as an exchange. A class for its identity and lifetime, which one
 * listener on the response watches: a listener for each who asks would cost more than the asking.
 */
export class NodeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  extraHeaders: readonly string[] = [];
  readonly #given: NodeRequest;
  readonly #parts: ListenerParts;
  readonly #reading: BodyReading = { size: 0 };
  #watchers: (() => void)[] = [];

  constructor(given: NodeRequest, parts: ListenerParts) {
    const { request, response } = given;
    const url = originForm(request);
    const mark = url.indexOf('?');
    const rawPath = mark === -1 ? url : url.slice(0, mark);
    this.#given = given;
    this.#parts = parts;
    this.method = request.method ?? 'GET';
    this.path = rawPath.includes('%') ? decodePath(rawPath) : rawPath;
    this.query = mark === -1 ? '' : url.slice(mark + 1);
    response.once('close', () => this.#close());
  }

  get remoteAddress(): string {
    return this.#given.request.socket.remoteAddress ?? '';
  }

  get closed(): boolean {
    return this.#given.response.destroyed;
  }

  get started(): boolean {
    return this.#given.response.headersSent;
  }

  header(name: string): string | undefined {
    const value = this.#given.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  body(limit: number): Promise<Uint8Array> {
    const { request, response, waitsForContinue } = this.#given;
    const { bodies, clock } = this.#parts;
    const problem = bodyProblem(request, limit);
    if (problem !== undefined) return Promise.reject(problem);
    if (waitsForContinue) response.writeContinue();
    return readBody(this.#reading, { request, limit, bodies, clock, exchange: this });
  }

  whenClosed(listener: () => void): () => void {
    const { response } = this.#given;
    if (!response.destroyed) {
      this.#watchers.push(listener);
      return () => {
        const at = this.#watchers.indexOf(listener);
        if (at !== -1) this.#watchers.splice(at, 1);
      };
    }
    // It may have left while nobody watched.
    let isWatched = !response.writableFinished;
    queueMicrotask(() => {
      if (isWatched) this.#tell(listener);
    });
    return () => {
      isWatched = false;
    };
  }

  start(status: number, list: readonly string[]): void {
    const { response } = this.#given;
    this.#writeHead(status, list);
    response.flushHeaders();
  }

  answer(status: number, list: readonly string[], bytes: Uint8Array | string): void {
    const { request, response } = this.#given;
    const { clock, onFault } = this.#parts;
    const body = request.method === 'HEAD' ? '' : bytes;
    if (!isUnread(request)) {
      this.#writeHead(status, list);
      const end = (): void => {
        endInOneWrite(response, body);
        watchReader(response, clock);
      };
      return atTurnEnd(end, (error) => {
        this.destroy();
        onFault(error);
      });
    }
    // The rest of the body would stand in the way of the connection's next request.
    this.#writeHead(status, [...list, 'connection', 'close']);
    if (body.length === 0) response.flushHeaders();
    else response.write(body);
    discardBody(request, clock, () => response.end());
  }

  write(bytes: Uint8Array | string): boolean {
    const { response } = this.#given;
    const { socket } = response;
    if (response.destroyed || bytes.length === 0) return true;
    // Node frames what has no connection yet, since it waits behind another answer, and what HTTP/1.0 does not chunk.
    return socket === null || !response.chunkedEncoding ? response.write(bytes) : writeChunk(socket, bytes);
  }

  drained(): Promise<void> {
    const { response } = this.#given;
    const slow = response.socket?.writableNeedDrain === true ? response.socket : response;
    return new Promise((resolve) => {
      if (!slow.writableNeedDrain || response.destroyed) return resolve();
      const done = (): void => {
        slow.off('drain', done);
        response.off('close', done);
        resolve();
      };
      slow.on('drain', done);
      response.on('close', done);
    });
  }

  end(bytes?: Uint8Array | string): void {
    const { response } = this.#given;
    response.end(bytes);
    watchReader(response, this.#parts.clock);
  }

  destroy(): void {
    this.#given.request.socket.destroy();
  }

  #writeHead(status: number, list: readonly string[]): void {
    const { request, response } = this.#given;
    // A client that is not told would send its next request into a connection that is closed under it.
    if (this.#parts.connections.isLast(request.socket)) response.shouldKeepAlive = false;
    // Node takes a flat list of names and values and sends it as it is.
    response.writeHead(status, list as string[]);
  }

  #close(): void {
    const { request, response } = this.#given;
    const watchers = this.#watchers;
    this.#watchers = [];
    this.#parts.bodies.held -= this.#reading.size;
    this.#parts.connections.ended(request.socket);
    if (!response.writableFinished) for (const watch of watchers) this.#tell(watch);
  }

  /** One who throws keeps it from no other. */
  #tell(watch: () => void): void {
    try {
      watch();
    } catch (error) {
      this.#parts.onFault(error);
    }
  }
}

/** A chunk with its frame as one write; Node makes three of it, which costs a streamed token a tenth (bench/gateway). */
function writeChunk(socket: Socket, bytes: Uint8Array | string): boolean {
  if (typeof bytes === 'string') return socket.write(`${sizeOf(Buffer.byteLength(bytes))}${bytes}\r\n`);
  return writeTogether(socket, sizeOf(bytes.length), bytes, '\r\n');
}

function sizeOf(length: number): string {
  return `${length.toString(16)}\r\n`;
}

function endInOneWrite(response: ServerResponse, body: Uint8Array | string): void {
  const letters = typeof body === 'string' ? undefined : inOnePiece(body);
  if (letters === undefined) response.end(body);
  else response.end(letters, 'latin1');
}

/**
 * The target of a request without its host. Clients that think they speak to a proxy send a whole
 * address; its host then goes before the header (RFC 9112 3.2.2).
 */
function originForm(request: IncomingMessage): string {
  const { url = '/' } = request;
  if (url.startsWith('/')) return url;
  const whole = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url);
  if (whole === null) return url;
  const [, host, rest = ''] = whole;
  request.headers.host = host;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** A client that takes nothing of a complete answer for this long is given up. */
const unreadMs = milliseconds(60_000);

/** Cuts the connection of a client that does not read its answer, which would be held for ever. */
function watchReader(response: ServerResponse, clock: Clock): void {
  const { socket } = response;
  // Nearly every answer fits into the system's own buffer at once.
  if (socket === null || socket.writableLength === 0) return;
  let taken = socket.bytesWritten - socket.writableLength;
  const timer = clock.after(unreadMs, () => {
    const now = socket.bytesWritten - socket.writableLength;
    if (now === taken) socket.destroy();
    else timer.restart();
    taken = now;
  });
  response.once('close', () => timer.stop());
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
