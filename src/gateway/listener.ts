import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Clock } from './clock.ts';
import type { Exchange } from './exchange.ts';
import { NodeExchange } from './node-exchange.ts';

/** What is held for clients at once. */
export type ListenerLimits = {
  /** Descriptors must be left for the upstreams. */
  readonly connections: number;
  /** Of all requests under way together. */
  readonly bodyBytes: number;
  /** How long a client may take to send its headers; absent: 20 s. */
  readonly headersMs?: Milliseconds;
};

/** What the listener is given, and whom it tells. */
export type ListenerInput = {
  readonly clock: Clock;
  readonly limits: ListenerLimits;
  onExchange(exchange: Exchange): void;
  /** Bytes that are not HTTP, clients that never finish a request, and more connections than are held. */
  onBadClient(reason: string, remoteAddress: string | undefined): void;
  /** An answer that could not be written, by a fault of ours. */
  onFault(error: unknown): void;
};

/** Longest header block; a megabyte of headers is nobody's request. */
const maxHeaderBytes = 32 * 1024;
const headersTimeoutMs = milliseconds(20_000);
/** How long a client may take to send a whole request. */
const requestTimeoutMs = 300_000;
const keepAliveMs = 65_000;

/** An HTTP server, and a way to end the connections that carry no request. */
export type Listener = {
  readonly server: Server;
  /** Ends every connection as soon as it carries no request; clients open some to spare. */
  endUnused(): void;
};

/** Creates the HTTP server; it parses strictly and hands each request on as an exchange. */
export function createListener(input: ListenerInput): Listener {
  const { headersMs = headersTimeoutMs, bodyBytes } = input.limits;
  const connections = createConnections(input);
  const { clock, onFault } = input;
  const parts = { clock, onFault, bodies: { held: 0, most: bodyBytes }, connections };
  const take = (request: IncomingMessage, response: ServerResponse, waitsForContinue: boolean): void => {
    connections.began(request.socket);
    input.onExchange(new NodeExchange({ request, response, waitsForContinue }, parts));
  };
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      // A limit is seen to be over at the next look.
      connectionsCheckingInterval: headersMs / 4,
      noDelay: true,
      keepAlive: true,
      insecureHTTPParser: false,
      requireHostHeader: true,
    },
    (request, response) => take(request, response, false),
  );
  // Without a listener Node says 100 at once, and gets a body that may be refused unread.
  server.on('checkContinue', (request, response) => take(request, response, true));
  server.on('connection', connections.opened);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // A client that leaves, or never used a connection that it opened to spare, has done nothing wrong.
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || socket.bytesRead === 0) return void socket.destroy();
    input.onBadClient(error.code ?? 'bad request', socket.remoteAddress);
    answerBadClient(error, socket);
  });
  return { server, endUnused: connections.endUnused };
}

/** What a connection carries now, and when its last answer ended, as a number that grows. */
type Carried = { requests: number; lastEnd: number };

type Connections = {
  opened(socket: Socket): void;
  /** A request on the connection began, or its answer ended. */
  began(socket: Socket): void;
  ended(socket: Socket): void;
  endUnused(): void;
  /** Whether the one request that is under way on the connection is its last. */
  isLast(socket: Socket): boolean;
};

/**
 * Counts the requests on each connection. A new connection past the limit takes the place of one
 * that never had a request, else of the one that has been unused for longest, so that idle ones keep
 * nobody out and a flood of them closes no client's kept connection.
 */
function createConnections({ limits: { connections: most }, onBadClient }: ListenerInput): Connections {
  const carried = new Map<Socket, Carried>();
  /** Answers that ended so far, which is a clock of its own. */
  let ends = 0;
  let isFull = false;
  let isEnding = false;
  /** Those without a request so far, the oldest first. */
  const fresh = new Set<Socket>();
  const makeRoomFor = (newest: Socket): void => {
    const [oldest = newest] = fresh;
    const victim = oldest !== newest ? oldest : (longestUnused(carried, newest) ?? newest);
    carried.delete(victim);
    fresh.delete(victim);
    victim.destroy();
  };
  return {
    opened(socket) {
      carried.set(socket, { requests: 0, lastEnd: 0 });
      fresh.add(socket);
      socket.once('close', () => {
        carried.delete(socket);
        fresh.delete(socket);
        if (carried.size < most * 0.9) isFull = false;
      });
      if (carried.size <= most) return;
      // One line for a flood, not one for each connection of it.
      if (!isFull) onBadClient(`more than ${most} connections`, socket.remoteAddress);
      isFull = true;
      makeRoomFor(socket);
    },
    began(socket) {
      fresh.delete(socket);
      const held = carried.get(socket);
      if (held !== undefined) held.requests++;
    },
    ended(socket) {
      const held = carried.get(socket);
      if (held === undefined) return;
      held.requests--;
      held.lastEnd = ++ends;
      if (isEnding && held.requests === 0) socket.destroySoon();
    },
    isLast: (socket) => isEnding && carried.get(socket)?.requests === 1,
    endUnused() {
      isEnding = true;
      for (const [socket, { requests }] of carried) if (requests === 0) socket.destroy();
    },
  };
}

/** The connection that has carried nothing for longest. */
function longestUnused(carried: ReadonlyMap<Socket, Carried>, but: Socket): Socket | undefined {
  let found: Socket | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [socket, { requests, lastEnd }] of carried) {
    if (requests > 0 || socket === but || lastEnd >= least) continue;
    found = socket;
    least = lastEnd;
  }
  return found;
}

function answerBadClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) {
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
