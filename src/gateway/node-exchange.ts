import type { IncomingMessage, ServerResponse } from 'node:http';
import { milliseconds } from '../plan/ids.ts';
import type { Clock } from './clock.ts';
import type { Exchange } from './exchange.ts';
import { bodyProblem, discardBody, type HeldBodies, isUnread, readBody } from './read-body.ts';

/** A request of Node's server with what belongs to it. */
export type NodeRequest = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client sends its body only when it is told to (`Expect: 100-continue`). */
  readonly waitsForContinue: boolean;
  readonly bodies: HeldBodies;
  readonly clock: Clock;
};

/** Makes an exchange of a request of Node's server. */
export function createNodeExchange({ request, response, waitsForContinue, bodies, clock }: NodeRequest): Exchange {
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
    body(limit) {
      const problem = bodyProblem(request, limit);
      if (problem !== undefined) return Promise.reject(problem);
      if (waitsForContinue) response.writeContinue();
      return readBody({ request, response, limit, bodies, clock });
    },
    whenClosed(listener) {
      // It may have left while nobody watched.
      if (response.destroyed) {
        let isWatched = !response.writableFinished;
        queueMicrotask(() => {
          if (isWatched) listener();
        });
        return () => {
          isWatched = false;
        };
      }
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
      const body = request.method === 'HEAD' ? '' : bytes;
      if (!isUnread(request)) {
        response.writeHead(status, list as string[]);
        response.end(body);
        return watchReader(response, clock);
      }
      // The rest of the body would stand in the way of the connection's next request.
      response.writeHead(status, [...list, 'connection', 'close']);
      if (body.length === 0) response.flushHeaders();
      else response.write(body);
      discardBody(request, clock, () => response.end());
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
      watchReader(response, clock);
    },
    destroy() {
      request.socket.destroy();
    },
  };
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
