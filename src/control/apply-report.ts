import type { Snapshot } from '../gateway/snapshot.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Milliseconds } from '../plan/ids.ts';
import { otherSpelling } from '../plan/latest-tag.ts';
import type { ProbeReport, ResidentModel } from '../plan/probe.ts';
import type { Provider } from '../plan/provider.ts';
import type { Residency } from '../plan/residency.ts';
import type { DeploymentHealth, Observation } from '../plan/routing-state.ts';
import { afterProbe, type ProbeSight } from '../routing/health.ts';
import { learnLoad } from '../routing/speeds.ts';

/** Writes what a probe found into the routing state: health, live list, context, residency and a load that is over. */
export function applyReport(
  { plan, state }: Pick<Snapshot, 'plan' | 'state'>,
  provider: Provider,
  report: ProbeReport,
  now: Milliseconds,
): void {
  if (report.models !== undefined) state.listed.set(provider.id, new Set(report.models.map((model) => model.id)));
  for (const deployment of plan.deployments) {
    if (deployment.provider !== provider.id) continue;
    const { index } = deployment;
    const health = state.health[index];
    const observation = state.observations[index];
    if (health === undefined || observation === undefined) continue;
    const sight = sightOf(provider, deployment, report, observation);
    state.health[index] = afterProbe(health, sight, now);
    state.observations[index] = observed(
      { deployment, report, now, health, inFlight: state.inFlight[index] ?? 0 },
      observation,
    );
  }
}

type Seen = {
  readonly deployment: Deployment;
  readonly report: ProbeReport;
  readonly now: Milliseconds;
  /** Before the probe. */
  readonly health: DeploymentHealth;
  readonly inFlight: number;
};

function observed(seen: Seen, before: Observation): Observation {
  const { deployment, report, now, health } = seen;
  // Nothing is known of what a server holds that does not answer, or that has yet to load its model.
  if (report.state !== 'up') return { ...before, residency: undefined };
  const resident = find(report.resident, deployment, report.servesOneModel);
  const listed = find(report.models, deployment, report.servesOneModel);
  // A deployment that passes on whatever name it is asked for is no one model.
  const isTold = report.resident !== undefined && !deployment.backendModel.includes('*');
  const residency = isTold ? residencyOf(resident, seen, before.residency) : undefined;
  const began = health.kind === 'loading' ? health.since : loadingSince(before.residency);
  const isOver = began !== undefined && (residency === undefined || residency.kind === 'loaded');
  return {
    ...before,
    // A model that is out of memory keeps the context that it was last seen with.
    effectiveContext: resident?.effectiveContext ?? listed?.contextTokens ?? before.effectiveContext,
    residency,
    speeds: isOver ? learnLoad(before.speeds, now - began) : before.speeds,
  };
}

function residencyOf(
  resident: ResidentModel | undefined,
  { now, inFlight }: Seen,
  before: Residency | undefined,
): Residency {
  if (resident === undefined) return { kind: 'unloaded', at: now };
  if (resident.state === 'loading') return { kind: 'loading', at: now, since: loadingSince(before) ?? now };
  const { seats, busySeats, waiting, memoryBytes, expiresAt } = resident;
  const foreign = Math.max(0, (busySeats ?? 0) + (waiting ?? 0) - inFlight);
  return { kind: 'loaded', at: now, engine: { seats, busySeats, waiting, memoryBytes, expiresAt, foreign } };
}

function loadingSince(residency: Residency | undefined): Milliseconds | undefined {
  return residency?.kind === 'loading' ? residency.since : undefined;
}

function sightOf(
  provider: Provider,
  { backendModel }: Deployment,
  report: ProbeReport,
  { speeds }: Observation,
): ProbeSight {
  if (report.state === 'down') return { kind: 'down', why: report.detail ?? 'its probe failed' };
  if (report.state === 'loading') return { kind: 'loading', loadMs: speeds.loadMs };
  const saysNothing =
    backendModel.includes('*') || report.servesOneModel || report.models === undefined || !listsAll(provider);
  return { kind: 'up', listed: saysNothing ? undefined : report.models?.some(({ id }) => isSame(id, backendModel)) };
}

/** Whether a provider's list is complete. Vendors and other servers take names that their lists do not show. */
function listsAll({ dialect }: Provider): boolean {
  switch (dialect) {
    case 'ollama':
    case 'vllm':
    case 'llama_cpp':
    case 'lm_studio':
      return true;
    case 'openai_compatible':
    case 'openai':
    case 'azure':
    case 'anthropic':
    case 'echo':
      return false;
  }
}

function find<Model extends { readonly id: string }>(
  models: readonly Model[] | undefined,
  { backendModel }: Deployment,
  servesOneModel: boolean,
): Model | undefined {
  return models?.find(({ id }) => isSame(id, backendModel)) ?? (servesOneModel ? models?.[0] : undefined);
}

function isSame(listed: string, model: string): boolean {
  return listed === model || listed === otherSpelling(model);
}
