/** Keys of nearly every request and answer, by their length: comparing them is quicker than making a text. */
const usualKeys: readonly (readonly string[])[] = byLength(
  ...['model', 'messages', 'stream', 'stream_options', 'temperature', 'top_p', 'max_tokens', 'max_completion_tokens'],
  ...['tools', 'tool_choice', 'response_format', 'input', 'prompt', 'stop', 'seed', 'user', 'metadata'],
  ...['id', 'object', 'created', 'choices', 'usage', 'system_fingerprint', 'service_tier', 'data', 'error'],
);

/** The usual key that stands there, if one does. */
export function usualKey(text: Buffer, start: number, end: number): string | undefined {
  const keys = usualKeys[end - start];
  if (keys === undefined) return undefined;
  for (const key of keys) if (spells(text, start, key)) return key;
  return undefined;
}

function byLength(...keys: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: 32 }, (_, length) => keys.filter((key) => key.length === length));
}

function spells(text: Buffer, start: number, key: string): boolean {
  for (let at = 0; at < key.length; at++) if (text[start + at] !== key.charCodeAt(at)) return false;
  return true;
}
