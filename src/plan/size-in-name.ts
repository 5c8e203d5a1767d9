import type { SizeRule } from './settings.ts';

/** Size in billions that a name carries after a separator (`:7b`, `-13B`, `8x7b` counts as 56); version numbers are none. */
export function sizeInName(name: string): number | undefined {
  const found = /(?:^|[:\-_/ ])(?:(\d+)x)?(\d+(?:\.\d+)?)([bt])(?=$|[:\-_/ .])/i.exec(name);
  if (found === null) return undefined;
  const [, experts, size, unit] = found;
  return Number(size) * Number(experts ?? 1) * (unit?.toLowerCase() === 't' ? 1000 : 1);
}

/** Whether a size is within the bounds of a rule, each of which may belong to it or not. */
export function holdsSize(rule: SizeRule, billions: number): boolean {
  const above = rule.minInclusive ? billions >= rule.minBillions : billions > rule.minBillions;
  const below = rule.maxInclusive ? billions <= rule.maxBillions : billions < rule.maxBillions;
  return above && below;
}
