import type { Snapshot } from '../gateway/snapshot.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Provider } from '../plan/provider.ts';
import type { ProbeReport } from '../providers/provider.ts';
import { afterProbe, type ProbeSight } from '../routing/health.ts';

/** Writes what a probe found into the routing state: health, live list, context and residency. */
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
    if (health !== undefined) state.health[index] = afterProbe(health, sightOf(provider, deployment, report), now);
    if (observation === undefined || report.state !== 'up') continue;
    const resident = find(report.resident, deployment, report.servesOneModel);
    const listed = find(report.models, deployment, report.servesOneModel);
    state.observations[index] = {
      ...observation,
      // A model that is out of memory keeps the context that it was last seen with.
      effectiveContext: resident?.effectiveContext ?? listed?.contextTokens ?? observation.effectiveContext,
      loaded: report.resident === undefined ? undefined : resident !== undefined,
    };
  }
}

function sightOf(provider: Provider, { backendModel }: Deployment, report: ProbeReport): ProbeSight {
  if (report.state === 'down') return { kind: 'down', why: report.detail ?? 'its probe failed' };
  if (report.state === 'loading') return { kind: 'loading' };
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
  return listed === model || listed === `${model}:latest` || `${listed}:latest` === model;
}
