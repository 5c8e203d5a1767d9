import type { Strategy } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import { plainStrategy } from './group-builder.ts';
import type { Lowering } from './lowering.ts';
import type { Reference } from './reference.ts';
import { strategyName, strategySpellings } from './strategy-name.ts';

/** Reads a strategy by any of its spellings, or by the name of one that the mappings describe. */
export function readStrategy(
  { name: spelling, at }: Reference,
  { findings, strategies }: Pick<Lowering, 'findings' | 'strategies'>,
): Strategy {
  const described = strategies.get(spelling)?.shape;
  const factors = described?.weight_factors;
  const name =
    strategyName(spelling) ??
    (factors !== undefined ? 'usage_based' : described?.priority_order !== undefined ? 'direct' : undefined);
  if (name === undefined) {
    const [near] = nearest(
      spelling,
      [...strategySpellings, ...strategies.keys()].filter((one) => one !== spelling),
      1,
    );
    findings.add(
      'unknown-strategy',
      at,
      described === undefined
        ? `No strategy is called "${spelling}"`
        : `The strategy "${spelling}" is described in words only, which cannot be executed`,
      {
        found: spelling,
        nearest: near,
        wanted: 'such as direct, weighted_round_robin, least_loaded or simple-shuffle',
      },
    );
    return plainStrategy('direct');
  }
  if (factors === undefined) return plainStrategy(name);
  return {
    ...plainStrategy(name),
    factors: { speed: factors.latency ?? 0.4, success: factors.success_rate ?? 0.4, cost: factors.cost ?? 0.2 },
  };
}
