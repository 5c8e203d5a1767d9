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
