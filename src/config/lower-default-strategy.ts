import type { Strategy } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import { inside, keyOf } from './findings.ts';
import { plainStrategy } from './group-builder.ts';
import type { SettingsSections } from './lower-settings.ts';
import type { Lowering } from './lowering.ts';
import { readStrategy } from './read-strategy.ts';

/** The strategy of groups that declare none, with the numbers that hold for all. */
export function lowerDefaultStrategy({ router }: SettingsSections, lowering: Lowering): Strategy {
  const spelling = router.text('routing_strategy');
  const strategy =
    spelling === undefined
      ? plainStrategy('simple_shuffle')
      : readStrategy({ name: spelling, at: router.place('routing_strategy') }, lowering);
  return { ...strategy, latencyBuffer: latencyBuffer(router, lowering) };
}

/** The one of LiteLLM's numbers that has a meaning here; averages that move need no lifetime and no list. */
function latencyBuffer(router: SettingsSections['router'], { findings }: Lowering): number | undefined {
  const given = router.raw('routing_strategy_args');
  if (typeof given !== 'object' || given === null) return undefined;
  const place = router.place('routing_strategy_args');
  for (const key of Object.keys(given)) {
    if (key === 'lowest_latency_buffer') continue;
    const isKnown = key === 'ttl' || key === 'max_latency_list_size';
    findings.add(
      isKnown ? 'key-ignored' : 'unknown-key',
      keyOf(inside(place, key)),
      isKnown
        ? `"${key}" is not executed: latencies are moving averages, which forget by themselves`
        : `No strategy takes "${key}"`,
      { found: key, nearest: isKnown ? undefined : nearest(key, ['lowest_latency_buffer'], 1)[0] },
    );
  }
  const buffer = 'lowest_latency_buffer' in given ? given.lowest_latency_buffer : undefined;
  if (buffer === undefined || (typeof buffer === 'number' && buffer >= 0)) return buffer;
  findings.add('wrong-type', inside(place, 'lowest_latency_buffer'), '"lowest_latency_buffer" is no share', {
    wanted: 'a number from 0 up, such as 0.1 for a tenth above the lowest',
  });
  return undefined;
}
