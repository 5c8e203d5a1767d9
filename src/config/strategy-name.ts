import type { StrategyName } from '../plan/model-group.ts';

/** Every spelling of a strategy in the files, and what it means. */
const spellings: Readonly<Record<string, StrategyName>> = {
  'simple-shuffle': 'simple_shuffle',
  simple_shuffle: 'simple_shuffle',
  random: 'simple_shuffle',
  round_robin: 'weighted_round_robin',
  weighted_round_robin: 'weighted_round_robin',
  weighted: 'weighted_round_robin',
  load_balance: 'weighted_round_robin',
  'least-busy': 'least_busy',
  least_busy: 'least_busy',
  least_loaded: 'least_busy',
  'usage-based-routing': 'usage_based_routing',
  'usage-based-routing-v2': 'usage_based_routing',
  usage_based_routing: 'usage_based_routing',
  usage_based_routing_v2: 'usage_based_routing',
  usage_based: 'usage_based',
  'latency-based-routing': 'latency_based_routing',
  latency_based_routing: 'latency_based_routing',
  least_latency: 'latency_based_routing',
  fastest_response: 'fastest_response',
  'cost-based-routing': 'cost_based_routing',
  cost_based_routing: 'cost_based_routing',
  cost_optimized: 'cost_based_routing',
  most_capacity: 'most_capacity',
  direct: 'direct',
  priority: 'direct',
  priority_based: 'direct',
  quality_first: 'direct',
  step_based: 'direct',
  complexity_based: 'complexity_based',
  context_based: 'context_based',
  quality_based: 'quality_based',
  quality_based_routing: 'quality_based',
  adaptive_weighted: 'adaptive_weighted',
  adaptive: 'adaptive_weighted',
  soonest: 'soonest',
};

/** The strategy that a spelling means; undefined where there is none. */
export function strategyName(spelling: string): StrategyName | undefined {
  return Object.hasOwn(spellings, spelling) ? spellings[spelling] : undefined;
}

/** Every spelling, for the nearest one. */
export const strategySpellings: readonly string[] = Object.keys(spellings);

/** The spelling of each strategy that is offered to people, and what it does in one sentence. */
export const offeredStrategies: Readonly<Record<StrategyName, { readonly spelling: string; readonly does: string }>> = {
  direct: { spelling: 'direct', does: 'the first in declared order that can serve, the others behind it' },
  weighted_round_robin: { spelling: 'weighted_round_robin', does: 'turns by weight, so that shares are as declared' },
  simple_shuffle: { spelling: 'simple-shuffle', does: 'a draw by weight for each request' },
  least_busy: { spelling: 'least_loaded', does: 'the one with the smallest part of its seats taken' },
  usage_based_routing: {
    spelling: 'usage-based-routing-v2',
    does: 'the one that has used the fewest tokens this minute',
  },
  usage_based: { spelling: 'usage_based', does: 'the best score of speed, success and cheapness' },
  latency_based_routing: {
    spelling: 'latency-based-routing',
    does: 'the one that has lately been quickest for each token',
  },
  fastest_response: { spelling: 'fastest_response', does: 'the one whose first tokens come soonest at their slowest' },
  cost_based_routing: { spelling: 'cost_optimized', does: 'the one for which the request is cheapest' },
  most_capacity: { spelling: 'most_capacity', does: 'the one with the largest context, the less busy of equals' },
  complexity_based: { spelling: 'complexity_based', does: 'the one that is declared for requests of this complexity' },
  context_based: { spelling: 'context_based', does: 'the one that is declared for prompts of this kind' },
  quality_based: { spelling: 'quality_based', does: 'by weight among those whose condition holds' },
  adaptive_weighted: {
    spelling: 'adaptive_weighted',
    does: 'by weight, less for those that fail or are full; the cloud joins when home is full',
  },
  soonest: { spelling: 'soonest', does: 'the one whose answer is predicted to be complete first' },
};

/** Every spelling of a strategy, its offered one first. */
export function spellingsOf(name: StrategyName): readonly string[] {
  const { spelling } = offeredStrategies[name];
  return [spelling, ...strategySpellings.filter((one) => one !== spelling && strategyName(one) === name)];
}
