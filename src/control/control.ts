/**
 * Control: what runs. It holds the snapshot in force and is the only one to swap it, probes the
 * providers, and answers the admin socket. It never stands in a request's way and never calls a
 * model. Start reading at `startControl`.
 */
import type { StatusReport } from '../contract/status.ts';
import type { Clock, Timer } from '../gateway/clock.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type KeyRing, keyEntry } from '../gateway/identify.ts';
import type { SettledRequest } from '../gateway/request.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { type Milliseconds, milliseconds, type ProviderId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { DialectName, Provider } from '../plan/provider.ts';
import { type Environment, revealSecret } from '../plan/secret.ts';
import type { CacheSettings } from '../plan/settings.ts';
import type { Dialect } from '../providers/provider.ts';
import { afterProbe } from '../routing/health.ts';
import { createRoutingState } from '../routing/state.ts';
import type { Store } from '../stores/store.ts';
import type { LogFile } from '../telemetry/log-file.ts';
import type { RequestLog } from '../telemetry/request-log.ts';
import { cacheInForce } from './cache-in-force.ts';
import { createContextCheck } from './context-check.ts';
import { createDecisionFile, type DecisionFile } from './decision-file.ts';
import { describeSettled } from './decision-record.ts';
import { createDecisionStore, type DecisionStore } from './decision-store.ts';
import { createDiskCheck, type KeptPlace } from './disk-check.ts';
import { createDrains, type Drains } from './drains.ts';
import type { PooledGet } from './get-probe.ts';
import { createProber, type Prober, type Reading } from './prober.ts';
import type { SpendingFile } from './spending-file.ts';
import { describeStatus, type StatusFacts } from './status.ts';
import { createUpstreams, destroyUpstreams } from './upstreams.ts';

/** The running system, as the composition root and the admin socket see it. */
export type Control = {
  readonly current: () => Snapshot;
  readonly prober: Prober;
  readonly decisions: DecisionStore;
  /** The decisions on disk. */
  readonly decisionFile: DecisionFile;
  /** Providers that a person empties. */
  readonly drains: Drains;
  /** Takes a drained provider back into service, once it was looked at. */
  takeBack(provider: ProviderId): Promise<void>;
  /** Keeps what became of a request. */
  keep(request: SettledRequest): void;
  /** The monotonic clock, as routing takes it. */
  readonly now: () => Milliseconds;
  status(gateway: Pick<Gateway, 'active'>): Promise<StatusReport>;
  /** Puts another plan into force; running requests finish on the one they began with. */
  swap(plan: Plan): void;
  /** Stops probing and cuts what is left of the connections. */
  close(): Promise<void>;
};

export type ControlOptions = {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly dialects: Readonly<Record<DialectName, Dialect>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly get: PooledGet;
  /** Where decisions outlive the process. */
  readonly decisionLog: LogFile;
  readonly log: Pick<RequestLog, 'event' | 'internalError'>;
  /** Where what was spent outlives the process. */
  readonly spendingFile: SpendingFile;
  /** Folders of what is kept, to tell where one cannot be written. */
  readonly keptPlaces: readonly KeptPlace[];
  /** Opens the store of the cache. */
  readonly openStore: (settings: CacheSettings) => Store;
  readonly facts: StatusFacts;
};

/** Puts a plan into force; probing begins with `prober.start`. */
export function startControl(options: ControlOptions): Control {
  const { clock, log, facts, environment } = options;
  let force = putIntoForce(options, options.plan, undefined);
  const lost = options.spendingFile.restore(force.snapshot.state.spending);
  if (lost !== undefined) log.event('warn', 'spending_lost', { component: 'budget', message: lost });
  /** Snapshots that are no longer in force, until the last of their requests must be over. */
  const retired = new Map<Snapshot, Timer>();
  const drains = createDrains({
    snapshots: () => [force.snapshot, ...retired.keys()],
    now: clock.now,
    log,
  });
  const checkContext = createContextCheck(log);
  const prober = createProber({
    ...options,
    current: () => force.snapshot,
    isKeyless: (provider) => force.keyless.has(provider),
    onReading: (provider, reading, before) => {
      logReading(log, provider, reading, before);
      checkContext(force.snapshot, provider.id);
    },
    onFault: (error) => log.internalError(error, undefined),
  });
  const diskCheck = createDiskCheck({ places: options.keptPlaces, clock, log });
  const decisions = createDecisionStore();
  const decisionFile = createDecisionFile({ store: decisions, file: options.decisionLog, clock });
  return {
    current: () => force.snapshot,
    prober,
    decisions,
    decisionFile,
    keep(request) {
      decisions.add(describeSettled(request));
      const { spending } = force.snapshot.state;
      if (spending.caps.length > 0) options.spendingFile.soon(spending);
      decisionFile.soon();
      diskCheck.soon();
      drains.settled();
    },
    drains,
    async takeBack(id) {
      const { plan } = force.snapshot;
      const provider = plan.providers.get(id);
      if (provider === undefined) return;
      drains.end(id);
      markKeyless(force, clock.now());
      await prober.residency([id], provider.probe.timeoutMs);
    },
    now: clock.now,
    status: async (gateway) =>
      describeStatus({
        snapshot: force.snapshot,
        keyless: force.keyless,
        reading: prober.reading,
        facts,
        disk: await facts.diskHash(),
        activeRequests: gateway.active(),
        running: drains.running,
        unwritten: diskCheck.problems(),
        environment,
        now: clock.now(),
        wall: clock.wall(),
      }),
    swap(plan) {
      const old = force.snapshot;
      force = putIntoForce(options, plan, old);
      const { requestMs, attemptMs } = old.plan.settings.timeouts;
      const retire = (): void => {
        retired.delete(old);
        destroyUpstreams(old.upstreams);
        // A cache goes with the last snapshot that has it.
        if (![force.snapshot, ...retired.keys()].some(({ cache }) => cache === old.cache))
          void old.cache?.store.close();
      };
      retired.set(old, clock.after(milliseconds(requestMs + attemptMs), retire));
      prober.start();
      log.event('info', 'reload', {
        generation: force.snapshot.generation,
        plan: plan.hash,
        message: 'another configuration is in force',
      });
    },
    async close() {
      prober.stop();
      options.spendingFile.close();
      await diskCheck.close();
      await decisionFile.close();
      for (const timer of retired.values()) timer.stop();
      const snapshots = [force.snapshot, ...retired.keys()];
      for (const { upstreams } of snapshots) destroyUpstreams(upstreams);
      await Promise.all([...new Set(snapshots.map(({ cache }) => cache))].map((cache) => cache?.store.close()));
    },
  };
}

/** A snapshot with the providers that miss their key. */
type Force = { readonly snapshot: Snapshot; readonly keyless: ReadonlyMap<ProviderId, string> };

function putIntoForce(options: ControlOptions, plan: Plan, previous: Snapshot | undefined): Force {
  const { clock, environment } = options;
  const now = clock.now();
  const { byProvider, keyless } = createUpstreams(plan, environment);
  const state = createRoutingState(plan, now, previous);
  const snapshot = {
    generation: (previous?.generation ?? 0) + 1,
    plan,
    state,
    upstreams: byProvider,
    keys: keyRing(plan, environment),
    cache: cacheInForce(options, plan.settings.cache, previous?.cache),
  };
  const put = { snapshot, keyless };
  markKeyless(put, now);
  return put;
}

/** A provider whose key is not set cannot be asked. */
function markKeyless({ snapshot: { plan, state }, keyless }: Force, now: Milliseconds): void {
  for (const { index, provider } of plan.deployments) {
    const why = keyless.get(provider);
    if (why !== undefined)
      state.health[index] = afterProbe(state.health[index] ?? { kind: 'ready' }, { kind: 'down', why }, now);
  }
}

/** A provider that is as it was, or well from the start, is worth no line. */
function logReading(
  log: Pick<RequestLog, 'event'>,
  { id }: Provider,
  { report }: Reading,
  before: Reading | undefined,
): void {
  if (report.state === (before?.report.state ?? 'up')) return;
  log.event(report.state === 'up' ? 'info' : 'warn', 'provider_state', {
    provider: id,
    from: before?.report.state ?? 'unknown',
    to: report.state,
    reason: report.detail,
    message: `${id} is ${report.state}${report.detail === undefined ? '' : `: ${report.detail}`}`,
  });
}

/** The keys of a plan, read from the environment. */
export function keyRing(plan: Plan, environment: Environment): KeyRing {
  const { masterKey, keys } = plan.settings.server;
  const master = masterKey === undefined ? undefined : revealSecret(masterKey, environment);
  const ring = master === undefined ? [] : [keyEntry(master, { name: 'master', models: [], mayRehearse: true })];
  for (const key of keys) {
    const text = revealSecret(key.secret, environment);
    const { name, models, priority, mayRehearse } = key;
    if (text !== undefined) ring.push(keyEntry(text, { name, models, priority, mayRehearse }));
  }
  return ring;
}
