/** Headers of an upstream's answer, as undici gives them. */
type RawHeaders = Record<string, string | string[] | undefined>;

/** How an answer is compressed; undefined where it is not. */
export function encodingOf(headers: RawHeaders): string | undefined {
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase();
  return encoding === 'identity' || encoding === '' ? undefined : encoding;
}

/** Headers by their names, several of one name as one. */
export function headerMap(headers: RawHeaders): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
