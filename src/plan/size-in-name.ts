/** Size in billions that a name carries after a separator (`:7b`, `-13B`, `8x7b` counts as 56); version numbers are none. */
export function sizeInName(name: string): number | undefined {
  const found = /(?:^|[:\-_/ ])(?:(\d+)x)?(\d+(?:\.\d+)?)([bt])(?=$|[:\-_/ .])/i.exec(name);
  if (found === null) return undefined;
  const [, experts, size, unit] = found;
  return Number(size) * Number(experts ?? 1) * (unit?.toLowerCase() === 't' ? 1000 : 1);
}
