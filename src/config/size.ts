/** Parameters in billions from a size as the files write it ("7B", "1T", 13, "500M"); undefined for what is none. */
export function readSize(value: string | number): number | undefined {
  if (typeof value === 'number') return value > 0 ? value : undefined;
  const found = /^\s*(\d+(?:\.\d+)?)\s*([bmt])?\s*$/i.exec(value);
  if (found === null) return undefined;
  const unit = found[2]?.toLowerCase();
  const factor = unit === 't' ? 1000 : unit === 'm' ? 0.001 : 1;
  const size = Number(found[1]) * factor;
  return size > 0 ? size : undefined;
}

/** The size that a model's name carries after a separator, such as `qwen2.5-coder:7b` or `mixtral-8x7b`; version numbers are none. */
export function sizeInName(name: string): number | undefined {
  const found = /(?:^|[:\-_/ ])(?:(\d+)x)?(\d+(?:\.\d+)?)([bt])(?=$|[:\-_/ .])/i.exec(name);
  if (found === null) return undefined;
  const [, experts, size, unit] = found;
  return Number(size) * Number(experts ?? 1) * (unit?.toLowerCase() === 't' ? 1000 : 1);
}
