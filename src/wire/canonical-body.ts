import { textEnd } from './json-bytes.ts';
import type { BodyScan, ByteRange } from './scan-body.ts';

const quote = 0x22;

/**
 * Gives the members of a scanned body piece by piece, sorted by their keys and without the blanks
 * between tokens, so that two bodies which say the same by the same tokens give the same bytes.
 * Members that say nothing (null, `stream: false`) are left out. Values are not parsed: a parser
 * would make one of two large numbers that differ.
 */
export function canonicalMembers(
  bytes: Uint8Array,
  { members }: BodyScan,
  isLeftOut: (name: string) => boolean,
  take: (piece: Uint8Array | string) => void,
): void {
  const names = [...members.keys()].filter((name) => !isLeftOut(name)).sort();
  for (const name of names) {
    const value = members.get(name)?.value;
    if (value === undefined || saysNothing(bytes, name, value)) continue;
    take(`${JSON.stringify(name)}:`);
    withoutBlanks(bytes, value, take);
    take(',');
  }
}

function saysNothing(bytes: Uint8Array, name: string, { start }: ByteRange): boolean {
  const first = bytes[start];
  return first === 0x6e || (name === 'stream' && first === 0x66);
}

/** Slices between blanks that stand outside of texts. */
function withoutBlanks(bytes: Uint8Array, { start, end }: ByteRange, take: (piece: Uint8Array) => void): void {
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) at = textEnd(bytes, at);
    else if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      if (at > from) take(bytes.subarray(from, at));
      from = at + 1;
    }
  }
  if (end > from) take(bytes.subarray(from, end));
}
