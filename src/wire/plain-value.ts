import { asBuffer } from './as-buffer.ts';

const quote = 0x22;
const backslash = 0x5c;

/** The JSON value in these bytes, where it is a truth value, a whole number or a text of plain letters, as nearly all are; undefined for anything else. */
export function plainValue(bytes: Uint8Array, start: number, end: number): boolean | number | string | undefined {
  switch (bytes[start]) {
    case 0x74:
      return true;
    case 0x66:
      return false;
    case quote:
      return isPlain(bytes, start + 1, end - 1) ? asBuffer(bytes).toString('latin1', start + 1, end - 1) : undefined;
    default:
      return wholeNumber(bytes, start, end);
  }
}

function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x80 || byte === backslash) return false;
  }
  return true;
}

/** Nine digits never lose any. */
const mostDigits = 9;

function wholeNumber(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start > mostDigits) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}
