import { readFileSync } from 'node:fs';
import { type ConnectionPool, createConnectionPool } from '../gateway/connection-pool.ts';
import type { Upstream } from '../gateway/snapshot.ts';
import type { ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { Provider } from '../plan/provider.ts';
import { type Environment, revealSecret } from '../plan/secret.ts';

/** Connections and keys of every provider. */
export type Upstreams = {
  readonly byProvider: ReadonlyMap<ProviderId, Upstream>;
  /** Providers whose key is declared and not set, with that as a sentence. */
  readonly keyless: ReadonlyMap<ProviderId, string>;
};

/** Opens the pools of a plan; nothing is connected before the first request. */
export function createUpstreams(plan: Plan, environment: Environment): Upstreams {
  const byProvider = new Map<ProviderId, Upstream>();
  const keyless = new Map<ProviderId, string>();
  for (const provider of plan.providers.values()) {
    const { credential } = provider;
    const missing = unsetVariable(provider, environment);
    if (missing !== undefined) keyless.set(provider.id, `its key is read from ${missing}, which is not set`);
    const key = credential.kind === 'none' ? undefined : revealSecret(credential.secret, environment);
    const { headers, host } = headersOf(provider, environment);
    byProvider.set(provider.id, {
      connections: openPool(provider, plan, host),
      key,
      headers,
      concealed: { secrets: secretsOf(key, headers), hosts: hostsOf(provider) },
    });
  }
  return { byProvider, keyless };
}

/** The first variable that a provider's key or headers are read from and that is not set. */
function unsetVariable({ credential, headers }: Provider, environment: Environment): string | undefined {
  const references = headers.flatMap(([, value]) => (typeof value === 'string' ? [] : [value]));
  if (credential.kind !== 'none') references.unshift(credential.secret);
  for (const reference of references) {
    if (reference.kind === 'env' && revealSecret(reference, environment) === undefined) return reference.name;
  }
  return undefined;
}

function openPool({ baseUrl, tls }: Provider, plan: Plan, host: string | undefined): ConnectionPool {
  return createConnectionPool(new URL(baseUrl).origin, {
    connectTimeoutMs: plan.settings.timeouts.connectMs,
    host,
    tls: { verify: tls.verify, ca: tls.caFile === undefined ? undefined : readFileSync(tls.caFile, 'utf8') },
  });
}

type DeclaredHeaders = {
  readonly headers: readonly string[];
  /** Set apart, since a request has one host only. */
  readonly host: string | undefined;
};

function headersOf(provider: Provider, environment: Environment): DeclaredHeaders {
  const headers = ['user-agent', 'signalbox'];
  let host: string | undefined;
  for (const [name, value] of provider.headers) {
    const text = typeof value === 'string' ? value : revealSecret(value, environment);
    if (name.toLowerCase() === 'host') host = text;
    else if (text !== undefined) headers.push(name, text);
  }
  return { headers, host };
}

/** Short values are no secrets, and taking them out would tear other words apart. */
const shortestSecret = 8;

function secretsOf(key: string | undefined, headers: readonly string[]): readonly string[] {
  // Names and values take turns; the first pair is our own user agent.
  const values = headers.filter((_value, at) => at > 1 && at % 2 === 1);
  return [...(key === undefined ? [] : [key]), ...values].filter((value) => value.length >= shortestSecret);
}

/** A bare name such as "ollama" may be any word, so it is taken out with its port alone. */
function hostsOf({ baseUrl }: Provider): readonly string[] {
  const { host, hostname } = new URL(baseUrl);
  return hostname.includes('.') ? [host, hostname] : host === hostname ? [] : [host];
}

/** Cuts every connection, running ones too. */
export function destroyUpstreams(upstreams: ReadonlyMap<ProviderId, Upstream>): void {
  for (const { connections } of upstreams.values()) connections.destroy();
}
