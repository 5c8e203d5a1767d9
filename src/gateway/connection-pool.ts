import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import {
  type AnswerHandler,
  CarriedRequest,
  Connection,
  type ConnectionOwner,
  type OutgoingRequest,
  readBuffer,
  type Transfer,
} from './connection.ts';

/** How a server is reached. */
export type PoolOptions = {
  /** For the name's address, the connection and its TLS together. */
  readonly connectTimeoutMs: number;
  /** The host that requests name, where it is not the origin's. */
  readonly host?: string | undefined;
  readonly tls: { readonly verify: boolean; readonly ca: string | undefined };
};

/** The connections to one server: each carries one request at a time, and is kept for the next. */
export type ConnectionPool = {
  /**
   * Sends a request, once again where the server closed a kept connection before it can have seen
   * it. Throws a {@link TypeError} where the request would break HTTP.
   */
  send(request: OutgoingRequest, handler: AnswerHandler): Transfer;
  /** Cuts every connection, running ones too; what is sent later fails. */
  destroy(): void;
};

/** Below what servers keep (uvicorn 5 s): a connection that the server is about to close is not used again. */
const keepMs = 4000;
/** A server's own word is taken, less the time that its end may need to show here, up to a limit. */
const keepMarginMs = 2000;
const mostKeepMs = 300_000;
/** How often unused connections are looked through. */
const sweepMs = 1000;
/** From when on the system asks whether a silent peer is still there. */
const silentMs = 60_000;

/** Creates a pool for a server, by its origin; nothing is connected before the first request. */
export function createConnectionPool(origin: string, options: PoolOptions): ConnectionPool {
  const open = openerOf(new URL(origin), options);
  const all = new Set<Connection>();
  /** The last one was used last. */
  const free: Connection[] = [];
  let sweeping: NodeJS.Timeout | undefined;
  let isDestroyed = false;

  const carryFresh = (carried: CarriedRequest): void => {
    const connection = open(owner);
    all.add(connection);
    connection.carry(carried);
  };
  const owner: ConnectionOwner = {
    freed(connection) {
      const told = connection.keepAliveMs;
      const kept = told === undefined ? keepMs : Math.min(told - keepMarginMs, mostKeepMs);
      connection.freeUntil = performance.now() + kept;
      free.push(connection);
      sweeping ??= setInterval(sweep, sweepMs).unref();
    },
    closed(connection) {
      if (!all.delete(connection)) return;
      const at = free.indexOf(connection);
      if (at !== -1) free.splice(at, 1);
    },
    unseen: carryFresh,
  };
  const sweep = (): void => {
    const now = performance.now();
    for (const connection of free.filter((one) => one.freeUntil <= now)) connection.drop();
    if (free.length > 0) return;
    clearInterval(sweeping);
    sweeping = undefined;
  };
  const takeFree = (): Connection | undefined => {
    const now = performance.now();
    for (let last = free.pop(); last !== undefined; last = free.pop()) {
      if (last.freeUntil > now) return last;
      last.drop();
    }
    return undefined;
  };
  return {
    send(request, handler) {
      checkRequest(request, options.host);
      if (isDestroyed) return failSoon(handler);
      const carried = new CarriedRequest(request, handler);
      const kept = takeFree();
      if (kept === undefined) carryFresh(carried);
      else kept.carry(carried);
      return carried;
    },
    destroy() {
      isDestroyed = true;
      clearInterval(sweeping);
      for (const connection of [...all]) connection.giveUp('ECONNABORTED');
    },
  };
}

/** Fails as a connection would, once the caller has its transfer. */
function failSoon(handler: AnswerHandler): Transfer {
  let isAborted = false;
  queueMicrotask(() => {
    if (!isAborted) handler.onProblem({ kind: 'broken', code: 'ECONNABORTED' });
  });
  return {
    pause: () => {},
    resume: () => {},
    abort: () => {
      isAborted = true;
    },
  };
}

/** Opens connections to a server; what one learned of its TLS saves the next a part of the handshake. */
function openerOf(
  url: URL,
  { connectTimeoutMs, host: named, tls }: PoolOptions,
): (owner: ConnectionOwner) => Connection {
  const isSecure = url.protocol === 'https:';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  let secureContext: SecureContext | undefined;
  let session: Buffer | undefined;

  return (owner) => {
    const shared = {
      ...{ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: silentMs },
      onread: {
        buffer: readBuffer,
        callback: (size: number): boolean => {
          connection.received(readBuffer.subarray(0, size));
          return true;
        },
      },
    };
    const openSecure = (): TLSSocket => {
      secureContext ??= createSecureContext(tls.ca === undefined ? {} : { ca: tls.ca });
      const secured = connectTls({
        ...shared,
        ...{ secureContext, ALPNProtocols: ['http/1.1'], rejectUnauthorized: tls.verify },
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(session === undefined ? {} : { session }),
      });
      // Node tells of one only once the server's name was checked: a session that goes on is not checked again.
      secured.on('session', (latest) => {
        session = latest;
      });
      return secured;
    };
    const socket: Socket = isSecure ? openSecure() : connectTcp(shared);
    const connection = new Connection(socket, named ?? url.host, owner);
    const timer = setTimeout(() => connection.giveUp('ETIMEDOUT'), connectTimeoutMs);
    socket.once('close', () => clearTimeout(timer));
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      connection.connected();
    });
    return connection;
  };
}

/** What says where a request ends, and how the connection goes on, is set by the connection alone. */
const headerName =
  /^(?!(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade|expect|te|trailer)$)[\w!#$%&'*+.^`|~-]+$/i;
const hostValue = /^[\w.:[\]-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const requestTarget = /^\/[\x21-\x7e]*$/;

function checkRequest({ path, headers }: OutgoingRequest, host: string | undefined): void {
  if (host !== undefined && !hostValue.test(host)) throw new TypeError('the header "host" is no name of a host');
  if (!requestTarget.test(path)) throw new TypeError('the path of the request holds a letter that HTTP does not allow');
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!headerName.test(name)) throw new TypeError(`the header "${name}" cannot be sent`);
    if (!fieldValue.test(headers[at + 1] ?? ''))
      throw new TypeError(`the value of the header "${name}" holds a letter that HTTP does not allow`);
  }
}
