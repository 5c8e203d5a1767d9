import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import type { Upstream } from '../gateway/snapshot.ts';
import type { ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { Provider } from '../plan/provider.ts';
import type { SecretReference } from '../plan/secret.ts';

/** Environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a secret's text; undefined where its variable is not set. */
export function revealSecret(reference: SecretReference, environment: Environment): string | undefined {
  if (reference.kind === 'literal') return reference.secret.reveal();
  const value = environment[reference.name];
  return value === undefined || value === '' ? reference.fallback?.reveal() : value;
}

/** Connections and keys of every provider. A provider whose key is declared and not set has a reason to be down. */
export type Upstreams = {
  readonly byProvider: ReadonlyMap<ProviderId, Upstream>;
  readonly keyless: ReadonlyMap<ProviderId, string>;
};

/** Opens the pools of a plan; nothing is connected before the first request. */
export function createUpstreams(plan: Plan, environment: Environment): Upstreams {
  const byProvider = new Map<ProviderId, Upstream>();
  const keyless = new Map<ProviderId, string>();
  for (const provider of plan.providers.values()) {
    const { credential } = provider;
    const key = credential.kind === 'none' ? undefined : revealSecret(credential.secret, environment);
    if (credential.kind !== 'none' && key === undefined && credential.secret.kind === 'env') {
      keyless.set(provider.id, `its key is read from ${credential.secret.name}, which is not set`);
    }
    byProvider.set(provider.id, {
      dispatcher: openPool(provider, plan),
      key,
      headers: headersOf(provider, environment),
    });
  }
  return { byProvider, keyless };
}

/** Timers of the gateway bound every phase, so the pool's own, which would cut long answers, are off. */
function openPool(provider: Provider, plan: Plan): Pool {
  const ca = provider.tls.caFile === undefined ? undefined : readFileSync(provider.tls.caFile, 'utf8');
  return new Pool(new URL(provider.baseUrl).origin, {
    connections: null,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 300_000,
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

/** Closes the pools once their running requests are over. */
export async function closeUpstreams(upstreams: ReadonlyMap<ProviderId, Upstream>): Promise<void> {
  await Promise.allSettled([...upstreams.values()].map((upstream) => upstream.dispatcher.close()));
}
