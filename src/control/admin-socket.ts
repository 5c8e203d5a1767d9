import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AdminRecord, SystemFolders } from '../contract/system-folders.ts';
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
};

/** Another gateway of the same configuration answers on the socket already. */
export class AlreadyRunning extends Error {}

/** Opens the admin socket: for the owner alone, and always with a token. */
export async function openAdminSocket({ folders, routes, startedAt }: AdminSocketOptions): Promise<AdminSocket> {
  makeFolders(folders);
  if (existsSync(folders.socket)) {
    if (await answers(folders.socket)) throw new AlreadyRunning(folders.socket);
    // Left behind by a process that ended without tidying up.
    rmSync(folders.socket, { force: true });
  }
  const token = randomBytes(24).toString('hex');
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response, routes, Buffer.from(token));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(folders.socket, resolve);
  });
  chmodSync(folders.socket, 0o600);
  return {
    announce: ({ address, config }) =>
      writeRecord(folders, { socket: folders.socket, token, pid: process.pid, address, config, startedAt }),
    close: () =>
      new Promise((resolve) => {
        removeRecord(folders);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
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
