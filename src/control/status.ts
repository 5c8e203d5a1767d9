import { createHash } from 'node:crypto';
import type { DiagnosticReport, ProviderStatus, StatusReport } from '../contract/status.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { listModels } from '../gateway/view-models.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Provider } from '../plan/provider.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { type Environment, revealSecret } from './upstreams.ts';

/** What status tells that no snapshot knows. */
export type StatusFacts = {
  readonly version: string;
  readonly configPath: string | undefined;
  readonly address: () => string | undefined;
  readonly startedAt: number;
  readonly warnings: readonly DiagnosticReport[];
  /** Hash of the configuration as it stands on disk now; undefined where it does not compile. */
  readonly diskHash: () => string | undefined;
};

export type StatusInput = {
  readonly snapshot: Snapshot;
  readonly facts: StatusFacts;
  readonly activeRequests: number;
  readonly environment: Environment;
  readonly now: Milliseconds;
  readonly wall: number;
};

/** Describes the running system. */
export function describeStatus({ snapshot, facts, activeRequests, environment, now, wall }: StatusInput): StatusReport {
  const { plan } = snapshot;
  const master = plan.settings.server.masterKey;
  const key = master === undefined ? undefined : revealSecret(master, environment);
  return {
    running: true,
    version: facts.version,
    pid: process.pid,
    address: facts.address() ?? null,
    since: new Date(facts.startedAt).toISOString(),
    config: { path: facts.configPath ?? null, disk: facts.diskHash() ?? null, applied: plan.hash, running: plan.hash },
    generation: snapshot.generation,
    providers: [...plan.providers.values()].map((provider) =>
      describeProvider(snapshot, provider, (at) => new Date(wall - (now - at)).toISOString()),
    ),
    names: listModels(snapshot).length,
    key: {
      needed: snapshot.keys.length > 0,
      fingerprint:
        key === undefined ? null : createHash('sha256').update('signalbox:').update(key).digest('hex').slice(0, 12),
    },
    activeRequests,
    warnings: facts.warnings,
  };
}

/** States from the best to the worst: a provider shows the best of its deployments, since one that serves is a server that runs. */
const ranks: readonly DeploymentHealth['kind'][] = [
  'ready',
  'degraded',
  'half_open',
  'loading',
  'cooling',
  'missing',
  'down',
  'draining',
  'disabled',
];

function describeProvider(
  { plan, state }: Snapshot,
  provider: Provider,
  timeOf: (at: Milliseconds) => string,
): ProviderStatus {
  const own = plan.deployments.filter((one) => one.provider === provider.id);
  const states = own.flatMap((one) => state.health[one.index] ?? []);
  const best = states.toSorted((a, b) => ranks.indexOf(a.kind) - ranks.indexOf(b.kind))[0];
  return {
    name: provider.id,
    type: provider.dialect,
    status: provider.status,
    state: provider.status === 'disabled' ? 'disabled' : (best?.kind ?? 'unknown'),
    why: best !== undefined && 'why' in best ? best.why : null,
    since: best !== undefined && 'since' in best ? timeOf(best.since) : null,
    models: own.filter((one) => !one.backendModel.includes('*')).length,
    address: provider.dialect === 'echo' ? 'built in' : new URL(provider.baseUrl).host,
  };
}
