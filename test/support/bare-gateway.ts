import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { keyRing } from '../../src/control/control.ts';
import { createUpstreams, destroyUpstreams } from '../../src/control/upstreams.ts';
import type { GatewayDependencies } from '../../src/gateway/dependencies.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { ListenerLimits } from '../../src/gateway/listener.ts';
import type { Snapshot } from '../../src/gateway/snapshot.ts';
import { createProbing, dialects } from '../../src/main.ts';
import { type LoadedPlan, loadPlan } from '../../src/ops/load-plan.ts';
import { milliseconds, requestId } from '../../src/plan/ids.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { createRequestLog } from '../../src/telemetry/request-log.ts';
import type { TestGatewayOptions } from './gateway.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { until } from './until.ts';

/** A gateway without control around it, whose inside can be looked at. */
export type BareGateway = {
  readonly port: number;
  readonly url: string;
  readonly gateway: Gateway;
  readonly snapshot: Snapshot;
  readonly clock: ManualClock;
  /** Events of its log, in order, each with its fields. */
  readonly events: readonly { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** What requests left behind, once none is under way: attempts, timers, reservations. Empty where all is well. */
  leftovers(): Promise<readonly string[]>;
  close(): Promise<void>;
};

/** Starts one on a free port, with a clock that stands still. */
export async function startBareGateway(
  options: Omit<TestGatewayOptions, 'clock' | 'host'>,
  overrides: Partial<GatewayDependencies> & { readonly limits?: ListenerLimits } = {},
): Promise<BareGateway> {
  const { plan, environment } = await compiled(options);
  const clock = createManualClock();
  const state = createRoutingState(plan, clock.now());
  const { byProvider } = createUpstreams(plan, environment);
  const snapshot: Snapshot = {
    generation: 1,
    plan,
    state,
    upstreams: byProvider,
    keys: keyRing(plan, environment),
    cache: undefined,
  };
  const events: { event: string; fields: Record<string, unknown> }[] = [];
  const write = ({ event, ...fields }: Record<string, unknown>): void => {
    events.push({ event: String(event), fields });
  };
  let count = 0;
  const gateway = createGateway({
    current: () => snapshot,
    dialects,
    clock,
    random: () => 0.5,
    newRequestId: () => requestId(`request-${++count}`),
    log: createRequestLog({ write, close: () => Promise.resolve() }, clock.wall),
    keep: () => {},
    listing: () => Promise.resolve(),
    residency: () => Promise.resolve(),
    look: () => Promise.resolve(),
    soon: () => {},
    limits: { connections: 1000, bodyBytes: 1024 ** 3 },
    ...overrides,
  });
  const { port } = await gateway.listen('127.0.0.1', 0);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    gateway,
    snapshot,
    clock,
    events,
    async leftovers() {
      await until('the last request to end', () => gateway.active() === 0);
      const left = (): readonly string[] =>
        [
          ...[...state.inFlight].map((attempts) => `${attempts} attempts in flight`),
          ...[...state.groupInFlight].map((requests) => `${requests} requests in flight in a group`),
          `${clock.pending()} timers`,
        ].filter((line) => !line.startsWith('0 '));
      // Connections end a moment after their requests.
      await until('nothing to be left', () => left().length === 0, 2000).catch(() => {});
      // What has ended is written down at the end of its turn.
      await new Promise((resolve) => setImmediate(resolve));
      return left();
    },
    async close() {
      await gateway.drain(milliseconds(0));
      destroyUpstreams(byProvider);
    },
  };
}

async function compiled(options: Omit<TestGatewayOptions, 'clock' | 'host'>): Promise<LoadedPlan> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bare-'));
  mkdirSync(join(folder, 'config'));
  const write = (name: string, value: unknown): void => {
    if (value !== undefined) writeFileSync(join(folder, 'config', name), stringify(value));
  };
  write('providers.yaml', { providers: options.providers });
  write('model-mappings.yaml', options.mappings);
  write('settings.yaml', options.settings);
  const loaded = await loadPlan({
    config: undefined,
    folder,
    environment: options.environment ?? {},
    lenient: false,
    candidates: [],
    probing: createProbing(),
  });
  rmSync(folder, { recursive: true, force: true });
  if (loaded.kind !== 'loaded') throw new Error(`The configuration does not compile: ${JSON.stringify(loaded)}`);
  return loaded;
}
