import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Exchange } from './exchange.ts';

/** A rejected body carries its failure, so that the pipeline needs no guessing. */
export class BodyError extends Error {
  readonly failure: Failure;
  constructor(failed: Failure) {
    super(failed.message);
    this.failure = failed;
  }
}

/** What the listener tells the rest. */
export type ListenerEvents = {
  onExchange(exchange: Exchange): void;
  /** Bytes that are not HTTP, and clients that never finish a request. */
  onBadClient(reason: string, remoteAddress: string | undefined): void;
};

/** Longest header block; a megabyte of headers is nobody's request. */
const maxHeaderBytes = 32 * 1024;
/** How long a client may take to send its headers, and a whole request. */
const headersTimeoutMs = 20_000;
const requestTimeoutMs = 300_000;
const keepAliveMs = 65_000;
/** A body that falls silent for this long is given up. */
const silenceMs = 30_000;

/** An HTTP server, and a way to end the connections that carry no request. */
export type Listener = {
  readonly server: Server;
  /** Ends connections that wait for a next request, or for their first: clients open some to spare. */
  closeUnused(): void;
};

/** Creates the HTTP server; it parses strictly and hands each request on as an exchange. */
export function createListener(events: ListenerEvents): Listener {
  const open = new Set<Socket>();
  const busy = new Set<Socket>();
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: 5000,
      noDelay: true,
      keepAlive: true,
      insecureHTTPParser: false,
      requireHostHeader: true,
    },
    (request, response) => {
      busy.add(request.socket);
      response.once('close', () => busy.delete(request.socket));
      events.onExchange(createExchange(request, response));
    },
  );
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    events.onBadClient(error.code ?? 'bad request', socket.remoteAddress);
    answerBadClient(error, socket);
  });
  return {
    server,
    closeUnused() {
      for (const socket of open) if (!busy.has(socket)) socket.destroy();
    },
  };
}

function answerBadClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET' || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

function createExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const rawPath = mark === -1 ? url : url.slice(0, mark);
  const { headers } = request;
  return {
    method: request.method ?? 'GET',
    path: rawPath.includes('%') ? decodePath(rawPath) : rawPath,
    query: mark === -1 ? '' : url.slice(mark + 1),
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    remoteAddress: request.socket.remoteAddress ?? '',
    extraHeaders: [],
    body: (limit) => readBody(request, limit),
    whenClosed(listener) {
      const onClose = (): void => {
        if (!response.writableFinished) listener();
      };
      response.once('close', onClose);
      return () => response.off('close', onClose);
    },
    get closed() {
      return response.destroyed;
    },
    get started() {
      return response.headersSent;
    },
    start(status, list) {
      // Node takes a flat list of names and values and sends it as it is.
      response.writeHead(status, list as string[]);
      response.flushHeaders();
    },
    answer(status, list, bytes) {
      // A body that nobody read would stand in the way of the connection's next request.
      const isUnread = !request.complete && hasBody(request);
      response.writeHead(status, (isUnread ? [...list, 'connection', 'close'] : list) as string[]);
      if (isUnread) response.once('finish', () => request.socket.destroySoon());
      response.end(request.method === 'HEAD' ? undefined : bytes);
    },
    write: (bytes) => response.destroyed || response.write(bytes),
    drained() {
      return new Promise((resolve) => {
        if (!response.writableNeedDrain || response.destroyed) return resolve();
        const done = (): void => {
          response.off('drain', done);
          response.off('close', done);
          resolve();
        };
        response.on('drain', done);
        response.on('close', done);
      });
    },
    end(bytes) {
      response.end(bytes);
    },
    destroy() {
      request.socket.destroy();
    },
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) return Promise.reject(tooLarge(limit));
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return Promise.reject(
      new BodyError(
        failure('bad_request', `The content-encoding "${encoding}" is not accepted, send the body as it is`, {
          param: 'content-encoding',
        }),
      ),
    );
  }
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const silence = setTimeout(
      () => settle(new BodyError(failure('bad_request', 'The body stopped before it was complete'))),
      silenceMs,
    );
    const settle = (error?: Error): void => {
      clearTimeout(silence);
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('close', onClose);
      request.off('error', onClose);
      if (error === undefined)
        return resolve(pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, size));
      request.pause();
      reject(error);
    };
    const onData = (piece: Buffer): void => {
      size += piece.length;
      if (size > limit) return settle(tooLarge(limit));
      pieces.push(piece);
      silence.refresh();
    };
    const onEnd = (): void => settle();
    const onClose = (): void => settle(new BodyError(failure('client_closed')));
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
    request.on('error', onClose);
  });
}

function tooLarge(limit: number): BodyError {
  return new BodyError(failure('body_too_large', `The body is larger than ${limit} bytes`));
}
