import type { Clock, Timer } from '../gateway/clock.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { type Milliseconds, milliseconds, type ProviderId } from '../plan/ids.ts';
import type { ProbeReport } from '../plan/probe.ts';
import type { DialectName, Provider } from '../plan/provider.ts';
import type { Dialect } from '../providers/provider.ts';
import { applyReport } from './apply-report.ts';
import type { PooledGet } from './get-probe.ts';
import { probeProvider } from './probe-provider.ts';

/** What a provider was seen as, and when. */
export type Reading = {
  readonly report: ProbeReport;
  readonly at: Milliseconds;
  readonly latencyMs: number;
};

/** Asks providers how they are, by GETs that are known to run no model. */
export type Prober = {
  /** Probes every provider once; settles when all have answered or timed out. */
  probeAll(): Promise<void>;
  /** Waits for a provider's model list, once for all who ask. */
  listing(provider: ProviderId): Promise<void>;
  /** Begins probing in the background; called again, it takes up the providers of a new plan. */
  start(): void;
  /** Asks providers what they have in memory, for no longer than `limit`. */
  residency(providers: readonly ProviderId[], limit: Milliseconds): Promise<void>;
  /** Waits for the next look at a provider whose model loads, once for all who ask; where it is not probed, for as long as a load may take. */
  look(provider: ProviderId): Promise<void>;
  /** Probes a provider again soon: a request has met a closed door, or had a model loaded. */
  soon(provider: ProviderId): void;
  stop(): void;
  /** The last reading of a provider. */
  reading(provider: ProviderId): Reading | undefined;
};

export type ProberDependencies = {
  readonly current: () => Snapshot;
  readonly dialects: Readonly<Record<DialectName, Dialect>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly get: PooledGet;
  /** Whether a provider's key is declared and not set: then there is nothing to ask it. */
  readonly isKeyless: (provider: ProviderId) => boolean;
  /** Tells of every reading, with the one before. */
  readonly onReading: (provider: Provider, reading: Reading, before: Reading | undefined) => void;
  /** Told of a fault of ours in asking or in reading: it ends that look alone. */
  readonly onFault: (error: unknown) => void;
};

/** A provider that is down is asked more often, so that its return is noticed soon. */
const downIntervalMs = milliseconds(10_000);
/** A model is loaded within seconds, mostly. */
const loadingIntervalMs = milliseconds(2000);
/** Where requests wait for it, its being there is to be seen soon. */
const awaitedIntervalMs = milliseconds(500);
/** Where a request was refused, the server may be restarting. */
const soonMs = milliseconds(1000);
/** A reading that is younger answers those who wait for a list. */
const freshMs = 1000;

/** Creates a prober of the snapshot in force. */
export function createProber(dependencies: ProberDependencies): Prober {
  const { current, clock, random } = dependencies;
  /** When a provider is looked at next; absent while that look is under way. */
  const next = new Map<ProviderId, { readonly at: number; readonly timer: Timer }>();
  /** By the providers of their plan: what one address is asked says nothing to who waits for another's answer. */
  const running = new Map<Provider, Promise<void>>();
  /** Those for whom a look was wanted while one was under way, which may have begun too early to see why. */
  const hurried = new Set<ProviderId>();
  const readings = new Map<ProviderId, Reading>();
  const looks = new Map<ProviderId, Promise<void>>();
  let phase: 'waiting' | 'running' | 'over' = 'waiting';

  const probe = (provider: Provider): Promise<void> => {
    const known = running.get(provider);
    if (known !== undefined) return known;
    const probing = probeOnce(dependencies, provider)
      .then((reading) => {
        // A gateway that ends cuts its connections, which says nothing of who is at their other ends.
        if (reading === undefined || phase === 'over' || isGone(current(), provider)) return;
        const before = readings.get(provider.id);
        readings.set(provider.id, reading);
        applyReport(current(), provider, reading.report, reading.at);
        dependencies.onReading(provider, reading, before);
      })
      .catch(dependencies.onFault)
      .finally(() => running.delete(provider));
    running.set(provider, probing);
    return probing;
  };

  /** Looks at a provider now, and from then on; where another plan came meanwhile, that one's own goes on. */
  const goOn = async (provider: Provider): Promise<void> => {
    const { id } = provider;
    await probe(provider);
    if (current().plan.providers.get(id) !== provider) return;
    const wait = intervalOf(provider);
    schedule(id, hurried.delete(id) ? milliseconds(Math.min(wait, soonMs)) : wait);
  };

  const schedule = (id: ProviderId, wait: Milliseconds): void => {
    next.get(id)?.timer.stop();
    next.delete(id);
    if (phase !== 'running') return;
    const look = (): void => {
      next.delete(id);
      const provider = probed().find((one) => one.id === id);
      if (provider !== undefined) void goOn(provider);
    };
    next.set(id, { at: clock.now() + wait, timer: clock.after(wait, look) });
  };

  /** Spread by a tenth, so that probes that began together do not stay together. */
  const intervalOf = ({ id, probe: { intervalMs } }: Provider): Milliseconds => {
    const state = readings.get(id)?.report.state;
    const wait = state === 'up' ? intervalMs : state === 'loading' ? loadingIntervalMs : downIntervalMs;
    return milliseconds(Math.min(wait, intervalMs) * (0.9 + random() * 0.2));
  };

  const probed = (): Provider[] =>
    [...current().plan.providers.values()].filter(
      (one) => one.status === 'active' && one.probe.enabled && !dependencies.isKeyless(one.id),
    );

  return {
    probeAll: async () => {
      await Promise.all(probed().map(probe));
    },
    async listing(id) {
      const provider = current().plan.providers.get(id);
      const age = clock.now() - (readings.get(id)?.at ?? Number.NEGATIVE_INFINITY);
      const canAsk = provider?.status === 'active' && !dependencies.isKeyless(id);
      // One try is what a request waits for; others belong to the background.
      if (provider !== undefined && canAsk && age > freshMs)
        await Promise.race([probe(provider), pause(clock, provider.probe.timeoutMs)]);
      // A provider that tells no list has none: then the name is not on it.
      const { state } = current();
      if (!state.listed.has(id)) state.listed.set(id, new Set());
    },
    start() {
      phase = 'running';
      for (const provider of probed()) void goOn(provider);
    },
    async residency(ids, limit) {
      const asked = probed().filter((one) => ids.includes(one.id));
      if (asked.length > 0) await Promise.race([Promise.all(asked.map(probe)), pause(clock, limit)]);
    },
    look(id) {
      const known = looks.get(id);
      if (known !== undefined) return known;
      const provider = probed().find((one) => one.id === id);
      const looking = pause(clock, provider === undefined ? loadingIntervalMs : awaitedIntervalMs)
        .then(() => (provider === undefined ? undefined : probe(provider)))
        .finally(() => looks.delete(id));
      looks.set(id, looking);
      return looking;
    },
    soon(id) {
      const due = next.get(id);
      if (due === undefined) hurried.add(id);
      // One that comes sooner is not put off by this.
      else if (due.at - clock.now() > soonMs) schedule(id, soonMs);
    },
    stop() {
      phase = 'over';
      for (const { timer } of next.values()) timer.stop();
      next.clear();
    },
    reading: (id) => readings.get(id),
  };
}

function pause(clock: Clock, ms: Milliseconds): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

async function probeOnce(
  { current, dialects, clock, get }: ProberDependencies,
  provider: Provider,
): Promise<Reading | undefined> {
  const upstream = current().upstreams.get(provider.id);
  if (upstream === undefined) return undefined;
  const began = clock.now();
  const report = await probeProvider({ provider, dialect: dialects[provider.dialect], upstream, get });
  if (report === undefined) return undefined;
  const at = clock.now();
  return { report, at, latencyMs: Math.round(at - began) };
}

/** A plan may have been swapped while a provider was asked; what was seen of another address says nothing of this one. */
function isGone({ plan }: Snapshot, provider: Provider): boolean {
  return plan.providers.get(provider.id)?.baseUrl !== provider.baseUrl;
}
