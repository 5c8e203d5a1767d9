import { type Dispatcher, request as httpRequest } from 'undici';
import type { Milliseconds } from '../plan/ids.ts';
import type { ProbeAnswer } from '../providers/provider.ts';

/** What one GET came to. */
export type ProbeResult =
  | ({
      readonly kind: 'answer';
      readonly contentType: string;
      /** Where a redirect points. */
      readonly location: string | undefined;
    } & ProbeAnswer)
  | { readonly kind: 'error'; readonly path: string; readonly code: string; readonly detail: string };

export type ProbeOptions = {
  readonly headers: Record<string, string>;
  readonly timeoutMs: Milliseconds;
  readonly dispatcher?: Dispatcher;
};

/** Largest answer of a probe that is read: the list of a large vendor fits. */
const largestProbe = 8 * 1024 * 1024;

/** One GET with a limit in time and size; redirects are not followed. */
export async function getProbe(url: string, options: ProbeOptions): Promise<ProbeResult> {
  const path = url.slice(url.indexOf('/', url.indexOf('//') + 2));
  try {
    const answer = await httpRequest(url, {
      method: 'GET',
      headers: { accept: 'application/json', ...options.headers },
      signal: AbortSignal.timeout(options.timeoutMs),
      ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
    });
    let body = '';
    for await (const piece of answer.body) {
      body += String(piece);
      if (body.length > largestProbe) break;
    }
    return {
      kind: 'answer',
      path,
      status: answer.statusCode,
      body,
      contentType: String(answer.headers['content-type'] ?? ''),
      location: answer.headers['location'] === undefined ? undefined : String(answer.headers['location']),
    };
  } catch (error) {
    const code = errorCode(error);
    return { kind: 'error', path, code, detail: errorWords(code) };
  }
}

function errorCode(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'ETIMEDOUT';
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('cause' in error && error.cause !== undefined) return errorCode(error.cause);
  return error instanceof Error ? error.name : 'unknown';
}

function errorWords(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection is refused: nothing listens there';
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no answer in time';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be found';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'the connection was cut';
    default:
      return code.includes('CERT') || code.includes('SSL') || code.includes('TLS')
        ? 'its TLS certificate or protocol is not accepted'
        : `the connection failed (${code})`;
  }
}
