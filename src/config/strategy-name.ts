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
  'usage-based-routing': 'usage_based',
  'usage-based-routing-v2': 'usage_based',
  usage_based_routing: 'usage_based',
  usage_based_routing_v2: 'usage_based',
  usage_based: 'usage_score',
  'latency-based-routing': 'latency_based',
  latency_based_routing: 'latency_based',
  least_latency: 'latency_based',
  fastest_response: 'fastest_response',
  'cost-based-routing': 'cost_based',
  cost_based_routing: 'cost_based',
  cost_optimized: 'cost_based',
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
