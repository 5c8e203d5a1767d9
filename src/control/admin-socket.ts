import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AdminRecord, SystemFolders } from '../contract/system-folders.ts';
import type { Clock } from '../gateway/clock.ts';
import { milliseconds } from '../plan/ids.ts';
import type { RequestLog } from '../telemetry/request-log.ts';
import { makeFolders, removeRecord, writeRecord } from './state-folder.ts';

/** The questions that the socket answers: by path, what it gives; `undefined` is a 404. */
export type AdminRoutes = {
  readonly [path: string]: (query: URLSearchParams, body: unknown) => unknown;
};

/** A listening admin socket. */
export type AdminSocket = {
  /** Leaves word of what runs, so that commands find it. */
  announce(running: Pick<AdminRecord, 'address' | 'config'>): void;
  close(): Promise<void>;
};

export type AdminSocketOptions = {
  readonly folders: SystemFolders;
  readonly routes: AdminRoutes;
  /** ISO time. */
  readonly startedAt: string;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<RequestLog, 'event'>;
};

/** Another gateway of the same configuration answers on the socket already. */
export class AlreadyRunning extends Error {}

/** How often it is looked whether the socket's files are still there. */
const lookMs = milliseconds(1000);

/** Opens the admin socket: for the owner alone, and always with a token. Where its files are deleted, it is opened again. */
export async function openAdminSocket(options: AdminSocketOptions): Promise<AdminSocket> {
  const { folders, routes, startedAt, clock, log } = options;
  const token = randomBytes(24).toString('hex');
  let record: AdminRecord | undefined;
  let server = await listen(folders, routes, token);
  let isLost = false;
  const reopen = async (): Promise<void> => {
    if (!existsSync(folders.socket)) {
      await end(server);
      server = await listen(folders, routes, token);
    }
    if (record !== undefined) writeRecord(folders, record);
  };
  const look = async (): Promise<void> => {
    const isThere = existsSync(folders.socket) && (record === undefined || existsSync(folders.record));
    if (isThere) return;
    try {
      await reopen();
      isLost = false;
      const message = `The state folder ${folders.state} was emptied: commands find the gateway again`;
      log.event('warn', 'admin_socket_opened', { message });
    } catch (error) {
      // It is tried again, and told once.
      if (isLost) return;
      isLost = true;
      const why = error instanceof Error ? error.message : String(error);
      const message = `The state folder ${folders.state} is gone, so commands cannot find the gateway: ${why}`;
      log.event('warn', 'admin_socket_lost', { message });
    }
  };
  let looking: Promise<void> = Promise.resolve();
  const timer = clock.after(lookMs, () => {
    looking = look().finally(() => timer.restart());
  });
  return {
    announce({ address, config }) {
      record = { socket: folders.socket, token, pid: process.pid, address, config, startedAt };
      writeRecord(folders, record);
    },
    async close() {
      await looking;
      timer.stop();
      removeRecord(folders);
      await end(server);
    },
  };
}

async function listen(folders: SystemFolders, routes: AdminRoutes, token: string): Promise<Server> {
  makeFolders(folders);
  if (existsSync(folders.socket)) {
    if (await answers(folders.socket)) throw new AlreadyRunning(folders.socket);
    // Left behind by a process that ended without tidying up.
    rmSync(folders.socket, { force: true });
  }
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response, routes, Buffer.from(token));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(folders.socket, resolve);
  });
  chmodSync(folders.socket, 0o600);
  return server;
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: AdminRoutes,
  token: Buffer,
): Promise<void> {
  const presented = Buffer.from((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (presented.length !== token.length || !timingSafeEqual(presented, token))
    return send(response, 401, problem('The admin token is missing or wrong'));
  try {
    const url = new URL(request.url ?? '/', 'http://admin.invalid');
    const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
    if (route === undefined) return send(response, 404, problem(`This gateway does not know ${url.pathname}`));
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    const value = await route(url.searchParams, body);
    if (value === undefined) send(response, 404, problem('There is no such thing'));
    else send(response, 200, value);
  } catch (error) {
    send(response, 400, problem(error instanceof Error ? error.message : 'The question cannot be read'));
  }
}

/** Largest body of a question. */
const largestBody = 4 * 1024 * 1024;

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > largestBody) throw new Error(`The question is longer than ${largestBody} bytes`);
    pieces.push(bytes);
  }
  return JSON.parse(size === 0 ? '{}' : Buffer.concat(pieces).toString('utf8'));
}

function problem(message: string): { readonly error: { readonly message: string } } {
  return { error: { message } };
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
