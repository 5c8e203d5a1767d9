import type { CompiledPlan, StrategyPlaces } from '../config/compile.ts';
import type { Place } from '../config/findings.ts';
import { offeredStrategies, spellingsOf } from '../config/strategy-name.ts';
import type { DeclaredStrategy, NameStrategy, StrategyList } from '../contract/strategy-report.ts';
import type { ModelGroup, StrategyName } from '../plan/model-group.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';

/** Which strategy each name has, where that is written, and what there is besides. */
export function describeStrategies(plan: Plan, { places }: Pick<CompiledPlan, 'places'>): StrategyList {
  const { usual } = places.strategies;
  const usualName = plan.settings.routing.defaultStrategy.name;
  return {
    usual: declared(usualName, usual.spelling, usual.spelling === undefined ? undefined : usual.at),
    names: plan.groups.filter((group) => group.listed).map((group) => describeName(plan, group, places.strategies)),
    offered: strategyNames().map((strategy) => ({
      strategy,
      spellings: spellingsOf(strategy),
      does: offeredStrategies[strategy].does,
    })),
  };
}

function strategyNames(): readonly StrategyName[] {
  // The keys of a record of them.
  return Object.keys(offeredStrategies) as StrategyName[];
}

function describeName(plan: Plan, group: ModelGroup, places: StrategyPlaces): NameStrategy {
  const { declared: own, entry } = places.of(group.name);
  const from = own !== undefined ? 'declared' : entry !== undefined ? 'section' : 'usual';
  const usual = from === 'usual' && places.usual.spelling !== undefined ? places.usual : undefined;
  return {
    name: group.name,
    from,
    ...declared(group.strategy.name, own?.name ?? usual?.spelling, own?.at ?? entry?.at ?? usual?.at),
    members: group.members.map(({ deployment, weight, order }) => {
      const { provider, backendModel } = deploymentAt(plan, deployment);
      return { deployment: `${provider}/${backendModel}`, weight: weight ?? null, order };
    }),
  };
}

function declared(strategy: StrategyName, spelling: string | undefined, at: Place | undefined): DeclaredStrategy {
  const span = at?.file.spanOf(at.path);
  return {
    strategy,
    spelling: spelling ?? null,
    file: span?.file ?? null,
    line: span?.line ?? null,
    does: offeredStrategies[strategy].does,
  };
}
