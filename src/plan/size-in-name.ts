import type { SizeRule } from './settings.ts';

/**
 * Size in billions that a name carries after a separator (`:7b`, `-13B`, `:270m`, `8x7b` counts as 56).
 * Version numbers are none, nor are contexts such as `-1m`: models have a hundred millions or more.
 */
export function sizeInName(name: string): number | undefined {
  const found = /(?:^|[:\-_/ ])(?:(\d+)x)?(\d+(?:\.\d+)?)([bt]|(?<=\d{3})m)(?=$|[:\-_/ .])/i.exec(name);
  if (found === null) return undefined;
  const [, experts, size, unit = 'b'] = found;
  return Number(size) * Number(experts ?? 1) * (billions[unit.toLowerCase()] ?? 1);
}

const billions: Readonly<Record<string, number>> = { m: 0.001, t: 1000 };

/** Whether a size is within the bounds of a rule, each of which may belong to it or not. */
export function holdsSize(rule: SizeRule, billions: number): boolean {
  const above = rule.minInclusive ? billions >= rule.minBillions : billions > rule.minBillions;
  const below = rule.maxInclusive ? billions <= rule.maxBillions : billions < rule.maxBillions;
  return above && below;
}
