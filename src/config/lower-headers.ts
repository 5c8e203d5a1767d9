import type { Provider } from '../plan/provider.ts';
import type { Findings, Place } from './findings.ts';
import { isSecretHeader, readSecret } from './interpolate.ts';
import type { Environment } from './source-file.ts';

/** A header as it is written, with its place. */
export type DeclaredHeader = readonly [name: string, value: string, at: Place];

/** Lowers the headers of every request to a provider; a secret in one stays a reference. */
export function lowerHeaders(
  declared: readonly DeclaredHeader[],
  environment: Environment,
  findings: Findings,
): Provider['headers'] {
  return declared.map(([name, value, at]) => {
    const secret = isSecretHeader(name) ? readSecret(value, at, environment, findings) : undefined;
    return [name.toLowerCase(), secret ?? value] as const;
  });
}
