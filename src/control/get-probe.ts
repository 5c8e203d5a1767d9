import type { AnswerHandler, ConnectionProblem, Transfer } from '../gateway/connection.ts';
import { type ConnectionPool, createConnectionPool } from '../gateway/connection-pool.ts';
import { Pieces } from '../gateway/pieces.ts';
import { isOfTls } from '../plan/connection-code.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { GetOptions, ProbeResult } from '../plan/probe.ts';

/** A GET of probes that can go over connections which are there already. */
export type PooledGet = typeof getProbe;

type ProbeOptions = GetOptions & {
  /** Connections that are there already; without them one is opened, and closed. */
  readonly connections?: ConnectionPool;
};

/** Largest answer of a probe that is read: the list of a large vendor fits. */
const largestProbe = 8 * 1024 * 1024;

/** One GET with a limit in time and size; redirects are not followed. Never rejects. */
export async function getProbe(url: string, options: ProbeOptions): Promise<ProbeResult> {
  const { headers, timeoutMs, connections } = options;
  const { origin, pathname, search } = new URL(url);
  const sent = {
    path: pathname + search,
    headers: ['accept', 'application/json', ...Object.entries(headers).flat()],
    timeoutMs,
  };
  if (connections !== undefined) return ask(connections, sent);
  const own = createConnectionPool(origin, {
    connectTimeoutMs: timeoutMs,
    tls: { verify: true, ca: undefined },
  });
  const result = await ask(own, sent);
  own.destroy();
  return result;
}

type Sent = { readonly path: string; readonly headers: readonly string[]; readonly timeoutMs: Milliseconds };

function ask(connections: ConnectionPool, { path, headers, timeoutMs }: Sent): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let transfer: Transfer | undefined;
    let status = 0;
    let told: ReadonlyMap<string, string> = new Map();
    const pieces = new Pieces();
    let size = 0;
    const settle = (result: ProbeResult): void => {
      clearTimeout(timer);
      resolve(result);
    };
    const fail = (code: string): void => settle({ kind: 'error', path, code, detail: errorWords(code) });
    const answer = (): void =>
      settle({
        kind: 'answer',
        path,
        status,
        body: pieces.join().toString(),
        contentType: told.get('content-type') ?? '',
        location: told.get('location'),
      });
    const timer = setTimeout(() => {
      transfer?.abort();
      fail('ETIMEDOUT');
    }, timeoutMs);
    const handler: AnswerHandler = {
      onHead(head) {
        status = head.status;
        told = head.headers;
      },
      onData(bytes) {
        pieces.add(Buffer.from(bytes));
        size += bytes.length;
        if (size <= largestProbe) return;
        // What was read by then tells enough.
        transfer?.abort();
        answer();
      },
      onEnd: answer,
      onProblem: (problem) => fail(codeOf(problem)),
    };
    try {
      transfer = connections.send({ method: 'GET', path, headers, body: new Uint8Array() }, handler);
    } catch {
      fail('unsendable');
    }
  });
}

function codeOf(problem: ConnectionProblem): string {
  return problem.kind === 'broken' ? problem.code : problem.kind;
}

function errorWords(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection is refused: nothing listens there';
    case 'ETIMEDOUT':
      return 'no answer in time';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be found';
    case 'ECONNRESET':
      return 'the connection was cut';
    case 'malformed':
      return 'what answers is not HTTP';
    case 'fault':
      return 'the question could not be sent';
    case 'unsendable':
      return 'its address or one of its headers holds a letter that HTTP does not allow';
    default:
      return isOfTls(code) ? 'its TLS certificate or protocol is not accepted' : `the connection failed (${code})`;
  }
}
