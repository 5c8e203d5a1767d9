import { asBuffer } from './as-buffer.ts';
import { scanBody } from './scan-body.ts';

const modelKey = Buffer.from('"model"');
const quote = 0x22;
const backslash = 0x5c;

/**
 * Sets the root member `model` of one JSON object within `bytes` (an SSE event or an answer) and
 * keeps every other byte. Without such a member the bytes come back as they are.
 *
 * Streams repeat the member in every event, so the common place is tried first: the first
 * `"model":"…"` of the bytes, if nothing before it can have opened another object. Else the
 * object is scanned.
 */
export function spliceModel(bytes: Uint8Array, jsonStart: number, jsonEnd: number, name: string): Uint8Array {
  const text = asBuffer(bytes);
  const range = quickModelRange(text, jsonStart, jsonEnd) ?? scannedModelRange(text, jsonStart, jsonEnd);
  if (range === undefined) return bytes;
  const replacement = JSON.stringify(name);
  if (text.toString('utf8', range.start, range.end) === replacement) return bytes;
  return Buffer.concat([text.subarray(0, range.start), Buffer.from(replacement), text.subarray(range.end)]);
}

type Range = { readonly start: number; readonly end: number };

/** The value's range when the key stands before any nested value; undefined where that is not certain. */
function quickModelRange(text: Buffer, jsonStart: number, jsonEnd: number): Range | undefined {
  const key = text.indexOf(modelKey, jsonStart);
  if (key === -1 || key >= jsonEnd) return undefined;
  // A nested object or array before the key would make it perhaps not the root's; a key can also not
  // stand within a string here, since its own quote would then be escaped.
  for (let at = jsonStart + 1; at < key; at++) {
    const byte = text[at];
    if (byte === 0x7b || byte === 0x5b || byte === backslash) return undefined;
  }
  let at = key + modelKey.length;
  while (text[at] === 0x20) at++;
  if (text[at] !== 0x3a) return undefined;
  at++;
  while (text[at] === 0x20) at++;
  if (text[at] !== quote) return undefined;
  const end = text.indexOf(quote, at + 1);
  if (end === -1 || end >= jsonEnd || text[end - 1] === backslash) return undefined;
  return { start: at, end: end + 1 };
}

function scannedModelRange(text: Buffer, jsonStart: number, jsonEnd: number): Range | undefined {
  const result = scanBody(text.subarray(jsonStart, jsonEnd));
  const member = result.kind === 'scanned' ? result.scan.members.get('model') : undefined;
  return member === undefined
    ? undefined
    : { start: jsonStart + member.value.start, end: jsonStart + member.value.end };
}
