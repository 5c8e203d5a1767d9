import { isOfTls } from '../plan/connection-code.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { ConnectionProblem } from './connection.ts';

/** Turns the problem of a connection into a failure; the system's own words, which may name hosts, stay out of it. */
export function failureOfProblem(problem: Exclude<ConnectionProblem, { kind: 'fault' }>): Failure {
  if (problem.kind === 'malformed')
    return failure('upstream_malformed', `The provider’s answer is not HTTP: ${problem.detail}`);
  const { code } = problem;
  switch (code) {
    case 'ECONNREFUSED':
      return failure('upstream_refused');
    case 'ETIMEDOUT':
      return failure('upstream_timeout_connect');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failure('upstream_unreachable', 'The provider’s host name cannot be found');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return failure('upstream_unreachable');
    default:
      return isOfTls(code)
        ? failure('upstream_unreachable', 'The provider’s TLS certificate or protocol is not accepted')
        : failure('upstream_reset');
  }
}
