import type { DrainReport } from '../contract/drain-report.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { type Milliseconds, type ProviderId, providerId } from '../plan/ids.ts';
import { applyDrain, applyReturn, drainsOf, runningAt } from '../routing/drain.ts';
import type { RequestLog } from '../telemetry/request-log.ts';

/** Providers that a person empties: they get no new request, and what runs there finishes. It lasts until it is undone or the process ends. */
export type Drains = {
  begin(provider: ProviderId): void;
  end(provider: ProviderId): void;
  /** Requests under way at a provider, whatever plan they began with. */
  running(provider: ProviderId): number;
  /** How a provider is; undefined where the plan has none of that name. */
  report(name: string): DrainReport | undefined;
  /** A request is over: it may have been the last. */
  settled(): void;
};

/** What emptying providers takes. */
export type DrainParts = {
  /** The snapshot in force first, then those that still have requests. */
  readonly snapshots: () => readonly [Snapshot, ...Snapshot[]];
  readonly now: () => Milliseconds;
  readonly log: Pick<RequestLog, 'event'>;
};

/** Empties providers, and tells by a line of the log when one is empty. */
export function createDrains({ snapshots, now, log }: DrainParts): Drains {
  /** Those that are not empty yet. */
  const emptying = new Set<ProviderId>();
  const running = (provider: ProviderId): number =>
    snapshots().reduce((sum, snapshot) => sum + runningAt(snapshot, provider), 0);
  const isDraining = (provider: ProviderId): boolean => drainsOf(snapshots()[0]).has(provider);
  const tell = (event: string, provider: ProviderId, message: string): void =>
    log.event('info', event, { provider, running: running(provider), message: `${provider} ${message}` });
  const settled = (): void => {
    for (const provider of emptying) {
      if (running(provider) > 0) continue;
      emptying.delete(provider);
      tell('provider_drained', provider, 'is drained: nothing runs there any more');
    }
  };
  return {
    running,
    settled,
    begin(provider) {
      if (isDraining(provider)) return;
      for (const snapshot of snapshots()) applyDrain(snapshot, provider, now());
      // What is disabled, or has no models, gets no request as it is.
      if (!isDraining(provider)) return;
      tell('provider_draining', provider, 'is draining: it gets no new request');
      emptying.add(provider);
      settled();
    },
    end(provider) {
      if (!isDraining(provider)) return;
      emptying.delete(provider);
      for (const snapshot of snapshots()) applyReturn(snapshot, provider);
      tell('provider_returned', provider, 'takes requests again');
    },
    report(name) {
      const id = providerId(name);
      if (!snapshots()[0].plan.providers.has(id)) return undefined;
      return { provider: name, draining: isDraining(id), running: running(id) };
    },
  };
}
