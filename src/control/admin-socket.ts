import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { prepareStateFolder, type SystemFolders } from './state-folder.ts';

/** One question that the admin socket answers: a path and what it gives. */
export type AdminRoutes = {
  readonly [path: string]: (query: URLSearchParams, body: unknown) => Promise<unknown> | unknown;
};

/** A listening admin socket. */
export type AdminSocket = { close(): Promise<void> };

/** Another gateway of the same configuration answers on the socket already. */
export class AlreadyRunning extends Error {}

/** Largest body of a question. */
const largestBody = 4 * 1024 * 1024;

/** Opens the admin socket: for the owner alone, and always with the token beside it. */
export async function openAdminSocket(folders: SystemFolders, routes: AdminRoutes): Promise<AdminSocket> {
  prepareStateFolder(folders);
  if (existsSync(folders.socket)) {
    if (await answers(folders.socket)) throw new AlreadyRunning(folders.socket);
    // Left behind by a process that ended without tidying up.
    rmSync(folders.socket, { force: true });
  }
  const token = randomBytes(24).toString('hex');
  writeFileSync(folders.token, `${token}\n`, { mode: 0o600 });
  chmodSync(folders.token, 0o600);
  const server = createServer((request, response) => {
    void answer(request, response, routes, Buffer.from(token));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(folders.socket, resolve);
  });
  chmodSync(folders.socket, 0o600);
  server.unref();
  return {
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          rmSync(folders.socket, { force: true });
          rmSync(folders.token, { force: true });
          resolve();
        });
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
  const url = new URL(request.url ?? '/', 'http://admin.invalid');
  const presented = Buffer.from((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  const isKnown = presented.length === token.length && timingSafeEqual(presented, token);
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
  if (!isKnown) return send(response, 401, { error: 'the admin token is missing or wrong' });
  if (route === undefined) return send(response, 404, { error: `there is no ${url.pathname}` });
  try {
    const value = await route(url.searchParams, request.method === 'POST' ? await readJson(request) : undefined);
    if (value === undefined) send(response, 404, { error: 'not found' });
    else send(response, 200, value);
  } catch (error) {
    send(response, 400, { error: error instanceof Error ? error.message : 'the question cannot be read' });
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request) {
    text += String(piece);
    if (text.length > largestBody) throw new Error('the question is too long');
  }
  return JSON.parse(text === '' ? '{}' : text);
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
