import type { Upstream } from '../gateway/snapshot.ts';
import type { ProbeReport } from '../plan/probe.ts';
import type { Provider } from '../plan/provider.ts';
import type { Dialect } from '../providers/provider.ts';
import type { PooledGet } from './get-probe.ts';

/** One provider with what is needed to ask it. */
export type ProbeTarget = {
  readonly provider: Provider;
  readonly dialect: Dialect;
  readonly upstream: Upstream;
  readonly get: PooledGet;
};

/** Asks a provider how it is; undefined where there is nobody to ask (echo). */
export async function probeProvider(target: ProbeTarget): Promise<ProbeReport | undefined> {
  const { provider, dialect } = target;
  if (dialect.probes(provider).length === 0) return undefined;
  let report = await askOnce(target);
  for (let tries = 0; report.state === 'down' && tries < provider.probe.retries; tries++)
    report = await askOnce(target);
  return report;
}

async function askOnce({ provider, dialect, upstream, get }: ProbeTarget): Promise<ProbeReport> {
  const { origin } = new URL(provider.baseUrl);
  const headers = pairs([...dialect.authorize(provider, upstream.key), ...upstream.headers]);
  const options = { headers, timeoutMs: provider.probe.timeoutMs, connections: upstream.connections };
  const asked = dialect.probes(provider);
  const results = await Promise.all(asked.map(({ path }) => get(`${origin}${path}`, options)));
  const lost = results.find((result, place) => result.kind === 'error' && asked[place]?.required === true);
  if (lost?.kind === 'error') return { ...unknown, state: 'down', detail: lost.detail };
  return dialect.readProbe(results.filter((result) => result.kind === 'answer'));
}

const unknown: Omit<ProbeReport, 'state' | 'detail'> = {
  version: undefined,
  models: undefined,
  resident: undefined,
  servesOneModel: false,
};

function pairs(list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < list.length; at += 2) headers[list[at] ?? ''] = list[at + 1] ?? '';
  return headers;
}
