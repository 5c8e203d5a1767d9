import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UrlReport } from '../../src/contract/url-report.ts';
import { runCommand } from '../support/terminal.ts';

/** What a probe of a server says: its problem in full, or none. */
type Case = {
  readonly server: RequestListener;
  /** Path after the server's address. */
  readonly path?: string;
  readonly words?: readonly string[];
  readonly expected: {
    readonly type?: string;
    readonly problem: string | null;
    readonly fix?: RegExp;
    readonly key?: string;
  };
};

const models = JSON.stringify({ object: 'list', data: [{ id: 'some-model', object: 'model' }] });
const lists: RequestListener = (request, answer) => {
  answer.writeHead(request.url === '/v1/models' ? 200 : 404, { 'content-type': 'application/json' });
  answer.end(request.url === '/v1/models' ? models : '{}');
};
const wants =
  (key: string): RequestListener =>
  (request, answer) => {
    if (request.headers.authorization === `Bearer ${key}`) return lists(request, answer);
    answer.writeHead(401).end('{}');
    return undefined;
  };
const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, answer) => {
    answer.writeHead(code, headers).end('{}');
  };
const withKey = ['--key-env', 'SOME_KEY'];

const cases: Readonly<Record<string, Case>> = {
  'a server that answers': { server: lists, expected: { type: 'openai_compatible', problem: null, key: 'no' } },
  'the same with /v1': { server: lists, path: '/v1', expected: { type: 'openai_compatible', problem: null } },
  'a server that wants a key': {
    server: wants('right'),
    expected: { problem: 'key_missing', key: 'yes', fix: /--key-env/ },
  },
  'a key that is right': { server: wants('right'), words: withKey, expected: { problem: null, key: 'accepted' } },
  'a key that is wrong': {
    server: wants('other'),
    words: withKey,
    expected: { problem: 'key_refused', key: 'refused' },
  },
  'a right that is lacking': { server: status(403), expected: { problem: 'forbidden', fix: /OLLAMA_ORIGINS/ } },
  'no path of a model server': { server: status(404), expected: { problem: 'wrong_path', fix: /chat\/completions/ } },
  'the path of an endpoint, as people paste it': {
    server: lists,
    path: '/v1/chat/completions',
    expected: { type: 'openai_compatible', problem: null },
  },
  'another path of the right server': {
    server: lists,
    path: '/llm',
    expected: { problem: 'wrong_path', fix: /Write base_url/ },
  },
  'a web page': {
    server: (_request, answer) => {
      answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Chat</title>');
    },
    expected: { problem: 'html', fix: /not of the web page/ },
  },
  'JSON of something else': {
    server: (_request, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json' }).end('{"hello": 1}');
    },
    expected: { problem: 'unknown_server', fix: /\/v1\/models/ },
  },
  'a server that fails': { server: status(502), expected: { problem: 'server_error', fix: /log/ } },
  'a server that sends elsewhere': {
    server: status(301, { location: 'http://elsewhere.invalid/v1' }),
    expected: { problem: 'redirect', fix: /http:\/\/elsewhere\.invalid/ },
  },
  'a server that never answers': {
    server: () => {},
    words: ['--timeout', '0.2'],
    expected: { problem: 'timeout', fix: /./ },
  },
};

test.each(Object.entries(cases))(
  'spine 4, A0.1: provider probe, %s',
  async (_what, { server, path = '', words = [], expected }) => {
    const listening = createServer(server).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    // A listening TCP server has an address with a port.
    const { port } = listening.address() as AddressInfo;
    await check(`http://127.0.0.1:${port}${path}`, words, expected);
    listening.closeAllConnections();
    listening.close();
  },
);

test.each([
  ['no address', 'nonsense://x', 'not_a_url'],
  ['a closed port', 'http://127.0.0.1:1', 'refused'],
  ['an unknown host', 'http://no.such.host.invalid', 'unknown_host'],
])('spine 4, A0.1: provider probe, %s', (_what, url, problem) => check(url, [], { problem, fix: /./ }));

const tls = (name: string): string => readFileSync(join(import.meta.dirname, '../support/tls', name), 'utf8');
const says = (words: string) => (): Server =>
  createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.end(words);
  });
const speaksTls = (certificate: string) => (): Server =>
  createTlsServer({ key: tls('key.pem'), cert: tls(certificate) }, lists);

/** What listens, how it is asked, and what is wrong with it. */
const strangers: Readonly<Record<string, readonly ['http' | 'https', () => Server, string, RegExp]>> = {
  'a server of SSH': ['http', says('SSH-2.0-OpenSSH_9.6\r\n'), 'not_http', /Try https:.*check the port/],
  'an answer without a status': ['http', says('<html>Hello</html>'), 'not_http', /check the port/],
  'an answer of two lengths': [
    'http',
    says('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx'),
    'not_http',
    /check the port/,
  ],
  'a server that hangs up': ['http', says(''), 'reset', /Try https:/],
  'TLS, asked without it': ['http', speaksTls('certificate.pem'), 'reset', /Try https:/],
  'plain HTTP, asked by TLS': ['https', () => createServer(lists), 'tls', /Try http:/],
  'SSH, asked by TLS': ['https', says('SSH-2.0-OpenSSH_9.6\r\n'), 'tls', /Try http:/],
  'a certificate of nobody': ['https', speaksTls('certificate.pem'), 'tls', /ca_file/],
  'a certificate that has expired': ['https', speaksTls('expired.pem'), 'tls', /Renew/],
};

test.each(Object.entries(strangers))(
  'spine 4, A0.1: provider probe, %s',
  async (_what, [protocol, create, problem, fix]) => {
    const server = create();
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A listening TCP server has an address with a port.
    const { port } = server.address() as AddressInfo;
    await check(`${protocol}://127.0.0.1:${port}`, [], { problem, fix });
    for (const socket of sockets) socket.destroy();
    server.close();
  },
);

async function check(
  url: string,
  words: readonly string[],
  { type, problem, fix, key }: Case['expected'],
): Promise<void> {
  const environment = { SOME_KEY: 'right' };
  const ran = await runCommand(['provider', 'probe', url, ...words, '--json'], { folder: '/', environment });
  const report = JSON.parse(ran.out) as UrlReport;
  expect(report.problem?.code ?? null, ran.out).toBe(problem);
  if (type !== undefined) expect(report).toMatchObject({ type, models: [{ id: 'some-model' }] });
  if (fix !== undefined) expect(report.problem?.fix).toMatch(fix);
  if (key !== undefined) expect(report.key).toBe(key);
  expect(ran.code).toBe(problem === null ? 0 : 1);
}
