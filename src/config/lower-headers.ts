import type { Provider } from '../plan/provider.ts';
import type { Place } from './findings.ts';
import { isSecretHeader, readSecret, type Variables } from './interpolate.ts';

/** A header as it is written, with its place. */
export type DeclaredHeader = readonly [name: string, value: string, at: Place];

/** Lowers the headers of every request to a provider; a secret in one stays a reference. */
export function lowerHeaders(declared: readonly DeclaredHeader[], variables: Variables): Provider['headers'] {
  return declared.map(([name, value, at]) => {
    const secret = isSecretHeader(name) ? readSecret(value, at, variables) : undefined;
    return [name.toLowerCase(), secret ?? value] as const;
  });
}
