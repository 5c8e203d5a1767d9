import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import type { Upstream } from '../gateway/snapshot.ts';
import type { ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { Provider } from '../plan/provider.ts';
import { revealSecret } from '../plan/secret.ts';

/** The values that secret references are read from. */
export type Environment = Readonly<Record<string, string | undefined>>;

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
    const headers = headersOf(provider, environment);
    byProvider.set(provider.id, {
      dispatcher: openPool(provider, plan),
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

/** Timers of the gateway bound every phase, so the pool's own, which would cut long answers, are off. */
function openPool(provider: Provider, plan: Plan): Pool {
  const ca = provider.tls.caFile === undefined ? undefined : readFileSync(provider.tls.caFile, 'utf8');
  return new Pool(new URL(provider.baseUrl).origin, {
    connections: null,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    // Below what servers keep (uvicorn 5 s): a connection that the server is about to close is not used again.
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 300_000,
    // HTTP/1.1 is what these servers are known to speak well; each answer has its own connection.
    allowH2: false,
    connect: {
      timeout: plan.settings.timeouts.connectMs,
      rejectUnauthorized: provider.tls.verify,
      ...(ca === undefined ? {} : { ca }),
    },
  });
}

function headersOf(provider: Provider, environment: Environment): readonly string[] {
  const headers = ['user-agent', 'signalbox'];
  for (const [name, value] of provider.headers) {
    const text = typeof value === 'string' ? value : revealSecret(value, environment);
    if (text !== undefined) headers.push(name, text);
  }
  return headers;
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
export async function destroyUpstreams(upstreams: ReadonlyMap<ProviderId, Upstream>): Promise<void> {
  await Promise.allSettled([...upstreams.values()].map((upstream) => upstream.dispatcher.destroy()));
}
