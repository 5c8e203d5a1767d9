import type { NameReport } from '../contract/name-report.ts';
import type { DeploymentStatus, StatusReport } from '../contract/status.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import { servedModel } from './served-model.ts';

/** The listed names of a plan with those that answer them; states are those of a running gateway, where there is one. */
export function listNames(plan: Plan, status: StatusReport | undefined): readonly NameReport[] {
  const states: States = new Map(
    (status?.providers ?? []).flatMap((provider) =>
      provider.deployments.map((one) => [one.id, { ...one, served: servedModel(provider, one) }] as const),
    ),
  );
  const groups = plan.groups.filter((group) => group.listed).map((group) => describe(group, plan, states));
  const aliases = [...plan.names].flatMap(([name, target]): NameReport[] => {
    if (target.kind !== 'alias' || target.hidden) return [];
    const group = plan.groups[target.group];
    return group === undefined ? [] : [{ ...describe(group, plan, states), name, alias: group.name }];
  });
  return [...groups, ...aliases];
}

type States = ReadonlyMap<string, Pick<DeploymentStatus, 'state' | 'loaded'> & { readonly served: string | null }>;

function describe(group: ModelGroup, plan: Plan, states: States): NameReport {
  const members = group.members.flatMap(({ deployment: index, weight, order }) => {
    const deployment = plan.deployments[index];
    if (deployment === undefined) return [];
    const isActive = plan.providers.get(deployment.provider)?.status === 'active';
    const known = states.get(deployment.id);
    return [
      {
        provider: deployment.provider,
        model: deployment.backendModel,
        served: known?.served ?? null,
        state: known?.state ?? (isActive ? 'unknown' : 'disabled'),
        loaded: known?.loaded ?? null,
        weight: weight ?? null,
        order,
      },
    ];
  });
  const known = members.map((one) => one.state);
  return {
    name: group.name,
    kind: group.kind,
    strategy: group.strategy.name,
    alias: null,
    // A name is as well as its best member.
    state: ['ready', 'degraded', 'loading', 'unknown'].find((state) => known.includes(state)) ?? known[0] ?? 'unknown',
    description: group.description ?? null,
    members,
  };
}
