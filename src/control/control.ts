/**
 * Control: what runs. It holds the snapshot in force and is the only one to swap it, probes the
 * providers, and answers the admin socket. It never stands in a request's way and never calls a
 * model. Start reading at `startControl`.
 */
import type { StatusReport } from '../contract/status.ts';
import type { Clock } from '../gateway/clock.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type KeyRing, keyEntry } from '../gateway/identify.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { DialectName } from '../plan/provider.ts';
import type { Dialect } from '../providers/provider.ts';
import { createRoutingState } from '../routing/state.ts';
import type { RequestLog } from '../telemetry/request-log.ts';
import { createProber, type Prober } from './prober.ts';
import { describeStatus, type StatusFacts } from './status.ts';
import { closeUpstreams, createUpstreams, type Environment, revealSecret } from './upstreams.ts';

/** The running system, as the composition root and the admin socket see it. */
export type Control = {
  readonly current: () => Snapshot;
  readonly prober: Prober;
  /** The monotonic clock, as routing takes it. */
  readonly now: () => Milliseconds;
  status(gateway: Gateway): StatusReport;
  /** Puts another plan into force; running requests finish on the one they began with. */
  swap(plan: Plan): void;
  close(): Promise<void>;
};

export type ControlOptions = {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly dialects: Readonly<Record<DialectName, Dialect>>;
  readonly clock: Clock;
  readonly log: RequestLog;
  readonly facts: StatusFacts;
};

/** Puts a plan into force and begins to watch its providers. */
export function startControl(options: ControlOptions): Control {
  const { clock, log } = options;
  let snapshot = createSnapshot(options, options.plan, undefined);
  const prober = createProber({
    current: () => snapshot,
    dialects: options.dialects,
    clock,
    onChange(provider, before, after) {
      const why = 'why' in after ? after.why : undefined;
      log.event(after.kind === 'ready' ? 'info' : 'warn', 'provider_state', {
        provider,
        from: before?.kind,
        to: after.kind,
        reason: why,
        message: `${provider} is ${after.kind}${why === undefined ? '' : `: ${why}`}`,
      });
    },
  });
  return {
    current: () => snapshot,
    prober,
    now: clock.now,
    status: (gateway) =>
      describeStatus({
        snapshot,
        facts: options.facts,
        activeRequests: gateway.active(),
        environment: options.environment,
        now: clock.now(),
        wall: clock.wall(),
      }),
    swap(plan) {
      const old = snapshot;
      snapshot = createSnapshot(options, plan, old);
      void closeUpstreams(old.upstreams);
      log.event('info', 'reload', { generation: snapshot.generation, message: 'another configuration is in force' });
    },
    async close() {
      prober.stop();
      await closeUpstreams(snapshot.upstreams);
    },
  };
}

function createSnapshot({ clock, environment }: ControlOptions, plan: Plan, previous: Snapshot | undefined): Snapshot {
  const now = clock.now();
  const { byProvider, keyless } = createUpstreams(plan, environment);
  const state = createRoutingState(plan, now, previous);
  for (const deployment of plan.deployments) {
    const why = keyless.get(deployment.provider);
    if (why !== undefined && state.health[deployment.index]?.kind === 'ready')
      state.health[deployment.index] = { kind: 'down', since: now, why };
  }
  return {
    generation: (previous?.generation ?? 0) + 1,
    plan,
    state,
    upstreams: byProvider,
    keys: keyRing(plan, environment),
  };
}

/** The keys of a plan, read from the environment. */
export function keyRing(plan: Plan, environment: Environment): KeyRing {
  const { masterKey, keys } = plan.settings.server;
  const master = masterKey === undefined ? undefined : revealSecret(masterKey, environment);
  const ring = master === undefined ? [] : [keyEntry(master, { name: 'master', models: [] })];
  for (const key of keys) {
    const text = revealSecret(key.secret, environment);
    if (text !== undefined) ring.push(keyEntry(text, { name: key.name, models: key.models }));
  }
  return ring;
}
