import { createHash } from 'node:crypto';
import type {
  DeploymentStatus,
  DiagnosticReport,
  ProviderStatus,
  QueueStatus,
  ResidencyStatus,
  SpeedsStatus,
  StatusReport,
} from '../contract/status.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { listModels } from '../gateway/view-models.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { DeploymentIndex, Milliseconds, ProviderId } from '../plan/ids.ts';
import type { Provider } from '../plan/provider.ts';
import { type Residency, type Speeds, unseenEngine, unseenSpeeds } from '../plan/residency.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { type Environment, revealSecret } from '../plan/secret.ts';
import { mostAtOnce, queueSight } from '../routing/seats.ts';
import type { DiskProblem } from './disk-check.ts';
import type { Reading } from './prober.ts';

/** What status tells that no snapshot knows. */
export type StatusFacts = {
  readonly version: string;
  readonly configPath: string | undefined;
  readonly address: () => string | undefined;
  /** ISO time. */
  readonly startedAt: string;
  readonly warnings: readonly DiagnosticReport[];
  /** Hash of the configuration as it stands on disk now; undefined where it does not compile. */
  readonly diskHash: () => Promise<string | undefined>;
};

export type StatusInput = {
  readonly snapshot: Snapshot;
  readonly keyless: ReadonlyMap<ProviderId, string>;
  readonly reading: (provider: ProviderId) => Reading | undefined;
  readonly facts: StatusFacts;
  /** Hash of the configuration on disk. */
  readonly disk: string | undefined;
  readonly activeRequests: number;
  /** Requests under way at a provider, whatever plan they began with. */
  readonly running: (provider: ProviderId) => number;
  readonly unwritten: readonly DiskProblem[];
  readonly environment: Environment;
  readonly now: Milliseconds;
  readonly wall: number;
};

/** Describes the running system. */
export function describeStatus(input: StatusInput): StatusReport {
  const { snapshot, facts, disk, environment } = input;
  const { plan } = snapshot;
  const master = plan.settings.server.masterKey;
  const key = master === undefined ? undefined : revealSecret(master, environment);
  return {
    running: true,
    version: facts.version,
    pid: process.pid,
    address: facts.address() ?? null,
    since: facts.startedAt,
    config: { path: facts.configPath ?? null, disk: disk ?? null, applied: plan.hash, running: plan.hash },
    generation: snapshot.generation,
    providers: [...plan.providers.values()].map((provider) => describeProvider(input, provider)),
    names: listModels(input).length,
    key: { needed: snapshot.keys.length > 0, fingerprint: key === undefined ? null : fingerprintOf(key) },
    activeRequests: input.activeRequests,
    unwritten: input.unwritten.map(({ since, ...one }) => ({ ...one, since: new Date(since).toISOString() })),
    warnings: facts.warnings,
  };
}

/** Says whether two keys are the same without saying what they are. */
function fingerprintOf(key: string): string {
  return createHash('sha256').update('signalbox:').update(key).digest('hex').slice(0, 12);
}

/** States from the best to the worst. */
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

function describeProvider(input: StatusInput, provider: Provider): ProviderStatus {
  const { plan } = input.snapshot;
  const own = plan.deployments.filter((one) => one.provider === provider.id);
  const reading = input.reading(provider.id);
  return {
    name: provider.id,
    type: provider.dialect,
    status: provider.status,
    ...providerState(input, provider, own),
    models: own.filter((one) => !one.backendModel.includes('*')).length,
    address: provider.dialect === 'echo' ? 'built in' : new URL(provider.baseUrl).host,
    version: reading?.report.version ?? null,
    checkedAt: reading === undefined ? null : timeOf(input, reading.at),
    latencyMs: reading?.latencyMs ?? null,
    listed: reading?.report.models?.map(({ id }) => id) ?? null,
    deployments: own.map((deployment) => describeDeployment(input, deployment)),
  };
}

type StateWords = Pick<ProviderStatus, 'state' | 'why' | 'since'>;

/** A provider is what its probe says, and where that is well, as good as its best deployment. */
function providerState(input: StatusInput, provider: Provider, own: readonly Deployment[]): StateWords {
  if (provider.status === 'disabled') return { state: 'disabled', why: null, since: null };
  const states = own.flatMap((one) => input.snapshot.state.health[one.index] ?? []);
  const best = states.toSorted((a, b) => ranks.indexOf(a.kind) - ranks.indexOf(b.kind))[0];
  const since = best === undefined ? null : sinceOf(input, best);
  if (best?.kind === 'draining') return { state: 'draining', why: runningWords(input.running(provider.id)), since };
  const keyless = input.keyless.get(provider.id);
  if (keyless !== undefined) return { state: 'down', why: keyless, since };
  const report = input.reading(provider.id)?.report;
  if (report !== undefined && report.state !== 'up') return { state: report.state, why: report.detail ?? null, since };
  const isUnseen = report === undefined && provider.probe.enabled && provider.dialect !== 'echo';
  if (isUnseen && (best === undefined || best.kind === 'ready')) return { state: 'unknown', why: null, since: null };
  return { state: best?.kind ?? 'ready', why: whyOf(best) ?? report?.detail ?? null, since };
}

/** Whatever its server says meanwhile: a person waits for this. */
function runningWords(running: number): string {
  if (running === 0) return 'nothing runs there any more';
  return running === 1 ? 'one request still runs there' : `${running} requests still run there`;
}

function describeDeployment(input: StatusInput, { id, index, backendModel }: Deployment): DeploymentStatus {
  const { state, plan } = input.snapshot;
  const health = state.health[index];
  const observation = state.observations[index];
  return {
    id,
    model: backendModel,
    state: health?.kind ?? 'unknown',
    why: whyOf(health),
    since: health === undefined ? null : sinceOf(input, health),
    until: health?.kind === 'cooling' ? timeOf(input, health.until) : null,
    inFlight: state.inFlight[index] ?? 0,
    context: observation?.effectiveContext ?? plan.deployments[index]?.contextTokens ?? null,
    declaredContext: plan.deployments[index]?.contextTokens ?? null,
    loaded: observation?.residency === undefined ? null : observation.residency.kind === 'loaded',
    residency: describeResidency(input, observation?.residency),
    speeds: describeSpeeds(observation?.speeds ?? unseenSpeeds),
    queue: describeQueue(input, index),
  };
}

function describeQueue({ snapshot, now }: StatusInput, index: DeploymentIndex): QueueStatus {
  const { waiting, first, loading } = queueSight(snapshot.state, index);
  const health = snapshot.state.health[index];
  // Before a seat is asked for, a model that a probe sees loading is waited for.
  const loadingSince = loading?.since ?? (health?.kind === 'loading' && waiting > 0 ? health.since : undefined);
  const aboutMs = snapshot.state.observations[index]?.speeds.loadMs;
  return {
    seats: mostAtOnce(snapshot, index) ?? null,
    waiting,
    longestWaitMs: first === undefined ? null : Math.round(now - first.since),
    loadingMs: loadingSince === undefined ? null : Math.round(now - loadingSince),
    loadingAboutMs: loadingSince === undefined || aboutMs === undefined ? null : Math.round(aboutMs),
  };
}

function describeResidency(input: StatusInput, residency: Residency | undefined): ResidencyStatus | null {
  if (residency === undefined) return null;
  const engine = residency.kind === 'loaded' ? residency.engine : unseenEngine;
  return {
    state: residency.kind,
    seenAt: timeOf(input, residency.at),
    loadingSince: residency.kind === 'loading' ? timeOf(input, residency.since) : null,
    seats: engine.seats ?? null,
    busySeats: engine.busySeats ?? null,
    waiting: engine.waiting ?? null,
    memoryBytes: engine.memoryBytes ?? null,
    expiresAt: engine.expiresAt ?? null,
  };
}

function describeSpeeds({ loadMs, prefillMsPerToken, decodeMsPerToken }: Speeds): SpeedsStatus {
  return {
    loadMs: loadMs === undefined ? null : Math.round(loadMs),
    prefillTokensPerSecond: perSecond(prefillMsPerToken),
    decodeTokensPerSecond: perSecond(decodeMsPerToken),
  };
}

function perSecond(ms: number | undefined): number | null {
  return ms === undefined || ms <= 0 ? null : Math.round(10_000 / ms) / 10;
}

function whyOf(health: DeploymentHealth | undefined): string | null {
  return health !== undefined && 'why' in health ? health.why : null;
}

function sinceOf(input: StatusInput, health: DeploymentHealth): string | null {
  return 'since' in health ? timeOf(input, health.since) : null;
}

/** A moment of the monotonic clock as people read it. */
function timeOf({ now, wall }: StatusInput, at: Milliseconds): string {
  return new Date(wall - (now - at)).toISOString();
}
