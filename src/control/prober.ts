import type { Clock, Timer } from '../gateway/clock.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { milliseconds, type ProviderId, tokens } from '../plan/ids.ts';
import type { DialectName, Provider } from '../plan/provider.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import type { Dialect, ProbeAnswer, ProbeReport } from '../providers/provider.ts';
import { afterProbe, type ProbeSight } from '../routing/health.ts';
import { getProbe } from './get-probe.ts';

/** Asks providers how they are, by GETs that are known to run no model. */
export type Prober = {
  /** Probes every provider once; settles when all have answered or timed out. */
  probeAll(): Promise<void>;
  /** Waits for a provider's model list, once for all who ask. */
  listing(provider: ProviderId): Promise<void>;
  /** Begins probing in the background. */
  start(): void;
  stop(): void;
  /** The last report of a provider. */
  report(provider: ProviderId): ProbeReport | undefined;
};

export type ProberDependencies = {
  readonly current: () => Snapshot;
  readonly dialects: Readonly<Record<DialectName, Dialect>>;
  readonly clock: Clock;
  /** Tells of a provider whose state changed. */
  readonly onChange: (provider: ProviderId, before: DeploymentHealth | undefined, after: DeploymentHealth) => void;
};

/** A provider that is down is asked more often, so that its return is noticed soon. */
const downIntervalMs = milliseconds(10_000);

/** Creates a prober of the snapshot in force. */
export function createProber(dependencies: ProberDependencies): Prober {
  const timers = new Map<ProviderId, Timer>();
  const running = new Map<ProviderId, Promise<void>>();
  const reports = new Map<ProviderId, ProbeReport>();
  let isStopped = true;

  const probe = (provider: Provider): Promise<void> => {
    const known = running.get(provider.id);
    if (known !== undefined) return known;
    const probing = probeProvider(dependencies, provider)
      .then((report) => {
        if (report === undefined) return;
        reports.set(provider.id, report);
        apply(dependencies, provider, report);
      })
      .finally(() => running.delete(provider.id));
    running.set(provider.id, probing);
    return probing;
  };

  const schedule = (provider: Provider): void => {
    if (isStopped) return;
    timers.get(provider.id)?.stop();
    const isDown = reports.get(provider.id)?.state !== 'up';
    const wait = isDown ? milliseconds(Math.min(downIntervalMs, provider.probe.intervalMs)) : provider.probe.intervalMs;
    timers.set(
      provider.id,
      dependencies.clock.after(wait, () => {
        const current = dependencies.current().plan.providers.get(provider.id);
        if (current === undefined) return;
        void probe(current).finally(() => schedule(current));
      }),
    );
  };

  const probed = (): Provider[] =>
    [...dependencies.current().plan.providers.values()].filter((one) => one.status === 'active' && one.probe.enabled);

  return {
    probeAll: async () => {
      await Promise.all(probed().map(probe));
    },
    async listing(id) {
      const provider = dependencies.current().plan.providers.get(id);
      if (provider !== undefined && provider.status === 'active') await probe(provider);
      // A provider that tells no list has none: then the name is not on it.
      const { state } = dependencies.current();
      if (!state.listed.has(id)) state.listed.set(id, new Set());
    },
    start() {
      isStopped = false;
      for (const provider of probed()) void probe(provider).finally(() => schedule(provider));
    },
    stop() {
      isStopped = true;
      for (const timer of timers.values()) timer.stop();
    },
    report: (id) => reports.get(id),
  };
}

async function probeProvider(
  { current, dialects }: ProberDependencies,
  provider: Provider,
): Promise<ProbeReport | undefined> {
  const dialect = dialects[provider.dialect];
  const requests = dialect.probes(provider);
  const upstream = current().upstreams.get(provider.id);
  if (requests.length === 0 || upstream === undefined) return undefined;
  const headers = pairs([...dialect.authorize(provider, upstream.key), ...upstream.headers]);
  for (let tries = 0; ; tries++) {
    const answers = await Promise.all(
      requests.map((one) =>
        getProbe(`${originOf(provider)}${one.path}`, {
          headers,
          timeoutMs: provider.probe.timeoutMs,
          dispatcher: upstream.dispatcher,
        }),
      ),
    );
    const reached = answers.filter((one): one is ProbeAnswer & { readonly kind: 'answer' } => one.kind === 'answer');
    if (reached.length > 0) return dialect.readProbe(reached);
    const why = answers.find((one) => one.kind === 'error');
    if (tries >= provider.probe.retries)
      return {
        state: 'down',
        detail: why?.kind === 'error' ? why.detail : 'no answer',
        version: undefined,
        models: undefined,
        resident: undefined,
        servesOneModel: false,
      };
  }
}

function originOf(provider: Provider): string {
  return new URL(provider.baseUrl).origin;
}

function pairs(list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < list.length; at += 2) headers[list[at] ?? ''] = list[at + 1] ?? '';
  return headers;
}

function apply(dependencies: ProberDependencies, provider: Provider, report: ProbeReport): void {
  const { plan, state } = dependencies.current();
  const now = dependencies.clock.now();
  if (report.models !== undefined) state.listed.set(provider.id, new Set(report.models.map((model) => model.id)));
  for (const deployment of plan.deployments) {
    if (deployment.provider !== provider.id) continue;
    const before = state.health[deployment.index];
    if (before === undefined) continue;
    const after = afterProbe(before, sightOf(provider, deployment.backendModel, report), now);
    state.health[deployment.index] = after;
    if (after.kind !== before.kind) dependencies.onChange(provider.id, before, after);
    const resident =
      report.resident?.find((one) => isSame(one.id, deployment.backendModel)) ??
      (report.servesOneModel ? report.resident?.[0] : undefined);
    const listed =
      report.models?.find((one) => isSame(one.id, deployment.backendModel)) ??
      (report.servesOneModel ? report.models?.[0] : undefined);
    const context = resident?.effectiveContext ?? listed?.contextTokens;
    const observation = state.observations[deployment.index];
    if (observation !== undefined)
      state.observations[deployment.index] = {
        ...observation,
        effectiveContext: context === undefined ? observation.effectiveContext : tokens(context),
        loaded: report.resident === undefined ? undefined : resident !== undefined,
      };
  }
}

function sightOf(provider: Provider, model: string, report: ProbeReport): ProbeSight {
  if (report.state === 'down') return { kind: 'down', why: report.detail ?? 'its probe failed' };
  if (report.state === 'loading') return { kind: 'loading' };
  const isOpen = model.includes('*') || report.servesOneModel || !loadsByName(provider);
  const listed = isOpen || report.models === undefined ? undefined : report.models.some((one) => isSame(one.id, model));
  return { kind: 'up', listed };
}

/** Servers that load the model that is named must list it; a vendor may serve more than it lists. */
function loadsByName(provider: Provider): boolean {
  return (
    provider.dialect === 'ollama' ||
    provider.dialect === 'vllm' ||
    (provider.dialect === 'openai_compatible' && provider.tier === 'local')
  );
}

function isSame(listed: string, model: string): boolean {
  return listed === model || listed === `${model}:latest` || `${listed}:latest` === model;
}
