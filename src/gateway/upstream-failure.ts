import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';

/** Turns an error of the connection into a failure; its text, which may name hosts, stays here. */
export function failureOfError(error: unknown): Failure {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return failure('upstream_refused');
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return failure('upstream_timeout_connect');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failure('upstream_unreachable', 'The provider’s host name cannot be found');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return failure('upstream_unreachable');
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return failure('upstream_reset');
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return failure('upstream_malformed', 'The provider’s answer breaks HTTP');
    default:
      break;
  }
  if (
    code?.startsWith('ERR_SSL') ||
    code?.startsWith('CERT_') ||
    code?.startsWith('ERR_TLS') ||
    code?.includes('CERT')
  ) {
    return failure('upstream_unreachable', 'The provider’s TLS certificate or protocol is not accepted');
  }
  if (error instanceof Error && error.name === 'HTTPParserError')
    return failure('upstream_malformed', 'The provider’s answer is not HTTP');
  return failure('upstream_reset');
}

/**
 * Whether the connection had served other requests before, so that its end may say nothing of
 * this one. A connection tells only how much was written to it: more than this request takes.
 */
export function wasReused(error: unknown, requestBytes: number): boolean {
  if (!(error instanceof Error) || !('socket' in error)) return false;
  const { socket } = error;
  return (
    typeof socket === 'object' &&
    socket !== null &&
    'bytesWritten' in socket &&
    typeof socket.bytesWritten === 'number' &&
    socket.bytesWritten > requestBytes
  );
}

/** A connection that tried several addresses fails with all of their errors. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return 'cause' in error ? codeOf(error.cause) : undefined;
}
