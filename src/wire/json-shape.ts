/** An object of unknown fields, as JSON gives it. */
export type Fields = { readonly [key: string]: unknown };

/** The value as an object, or undefined where it is none. */
export function asObject(value: unknown): Fields | undefined {
  // Every non-null object that is no array has string keys; their values stay unknown.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The value as a list, or undefined where it is none. */
export function asList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** The value as text, or undefined where it is none. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value as a count, or undefined where it is none: no model has written 1e300 tokens. */
export function asCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

/** The value as a finite number, or undefined where it is none. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The object that a text is in JSON, or undefined where it is none. */
export function parseObject(text: string): Fields | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}
