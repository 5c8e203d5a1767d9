/** A value as text that is equal for equal values: sorted keys, maps as entries, absent fields left out, functions too. */
export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (value instanceof Map)
    return [...value]
      .map(([key, inner]) => [key, sorted(inner)])
      .sort(([a], [b]) => String(a).localeCompare(String(b), 'en'));
  if (value instanceof Set) return [...value].map(sorted);
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined && typeof inner !== 'function');
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
