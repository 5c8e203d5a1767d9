/**
 * Wire: pure codecs for what travels between clients, gateway and model servers. It turns bytes
 * into values and back and never opens a socket, reads a clock or knows the configuration.
 * Start reading here for requests, at `sse.ts` for streams, at `open-ai-error.ts` for failures.
 */

import { isUtf8 } from 'node:buffer';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { asBuffer } from './as-buffer.ts';
import { plainValue } from './plain-value.ts';
import { usualKey } from './usual-keys.ts';

/** A range of bytes; `end` is the first byte after it. */
export type ByteRange = { readonly start: number; readonly end: number };

/** One member of the body's root object. */
export type Member = {
  /** From the key's opening quote to the end of the value. */
  readonly start: number;
  readonly value: ByteRange;
};

/** Where the members of a body stand; the bytes themselves are not copied. */
export type BodyScan = {
  readonly members: ReadonlyMap<string, Member>;
  /** Position just after the root's opening brace. */
  readonly open: number;
  /** Position of the root's closing brace. */
  readonly close: number;
};

/** A body that was read, or the failure that it gives. */
export type ScanResult =
  | { readonly kind: 'scanned'; readonly scan: BodyScan }
  | { readonly kind: 'invalid'; readonly failure: Failure };

/** Deepest nesting that is accepted; tool schemas of real clients stay below 30. */
const deepestNesting = 128;

/**
 * Most values in a body, and most keys in one object: a batch of prompts as tokens has some hundred
 * thousand numbers. Ten million of them would keep every other request waiting for seconds.
 */
const mostValues = 1_000_000;
const mostKeys = 10_000;

/**
 * Reads a JSON body once, from its first byte to its last: it must be one object of valid JSON in
 * UTF-8, without a key twice in one object, nested no deeper than {@link deepestNesting}, and of no
 * more than {@link mostValues} values.
 */
export function scanBody(bytes: Uint8Array): ScanResult {
  if (bytes.length === 0) return invalid('bad_json', 'The body is empty, wanted a JSON object');
  if (!isUtf8(bytes)) return invalid('bad_json', 'The body is not valid UTF-8');
  const cursor: Cursor = {
    bytes,
    text: asBuffer(bytes),
    at: 0,
    values: 0,
    problem: undefined,
  };
  skipSpace(cursor);
  if (bytes[cursor.at] !== brace)
    return invalid('bad_json', `The body must be a JSON object, found ${describe(cursor)}`);
  const members = new Map<string, Member>();
  const open = cursor.at + 1;
  scanObject(cursor, 1, members);
  const close = cursor.at - 1;
  skipSpace(cursor);
  if (cursor.problem === undefined && cursor.at < bytes.length)
    fail(cursor, 'bad_json', `Found ${describe(cursor)} after the body's end`);
  if (cursor.problem !== undefined) return { kind: 'invalid', failure: cursor.problem };
  return { kind: 'scanned', scan: { members, open, close } };
}

/** The value of a root member as text, or undefined where it is absent. */
export function memberText(bytes: Uint8Array, scan: BodyScan, name: string): string | undefined {
  const member = scan.members.get(name);
  if (member === undefined) return undefined;
  return asBuffer(bytes).toString('utf8', member.value.start, member.value.end);
}

/** The value of a root member, parsed; meant for the small ones. */
export function memberValue(bytes: Uint8Array, scan: BodyScan, name: string): unknown {
  const range = scan.members.get(name)?.value;
  if (range === undefined) return undefined;
  // The scan has proven that the text is valid JSON.
  const { start, end } = range;
  return plainValue(bytes, start, end) ?? (JSON.parse(asBuffer(bytes).toString('utf8', start, end)) as unknown);
}

type Cursor = {
  readonly bytes: Uint8Array;
  readonly text: Buffer;
  at: number;
  /** How many have begun. */
  values: number;
  problem: Failure | undefined;
};

const quote = 0x22;
const backslash = 0x5c;
const brace = 0x7b;
const braceEnd = 0x7d;
const bracket = 0x5b;
const bracketEnd = 0x5d;
const comma = 0x2c;
const colon = 0x3a;
const minus = 0x2d;

/** Scans from an opening brace to just behind its closing one; `members` receives those of the root. */
function scanObject(cursor: Cursor, depth: number, members: Map<string, Member> | undefined): void {
  if (depth > deepestNesting) return fail(cursor, 'too_deep', `The body nests deeper than ${deepestNesting} levels`);
  const { bytes } = cursor;
  cursor.at++;
  skipSpace(cursor);
  if (bytes[cursor.at] === braceEnd) {
    cursor.at++;
    return;
  }
  const keys: SeenKeys = { at: depth * 2 * fewKeys, count: 0, texts: undefined };
  for (let count = 1; ; count++) {
    const start = cursor.at;
    if (count > mostKeys) return fail(cursor, 'bad_request', `An object has more than ${mostKeys} keys`);
    if (bytes[start] !== quote) return fail(cursor, 'bad_json', `Wanted a key in quotes, found ${describe(cursor)}`);
    scanString(cursor);
    if (cursor.problem !== undefined) return;
    const keyEnd = cursor.at;
    if (wasSeen(cursor.text, keys, start, keyEnd)) {
      const key = keyText(cursor.text, start, keyEnd);
      return fail(cursor, 'duplicate_key', `The key ${JSON.stringify(key)} stands twice in one object`, key);
    }
    skipSpace(cursor);
    if (bytes[cursor.at] !== colon)
      return fail(cursor, 'bad_json', `Wanted ":" after a key, found ${describe(cursor)}`);
    cursor.at++;
    skipSpace(cursor);
    const valueStart = cursor.at;
    scanValue(cursor, depth);
    if (cursor.problem !== undefined) return;
    members?.set(keyText(cursor.text, start, keyEnd), { start, value: { start: valueStart, end: cursor.at } });
    skipSpace(cursor);
    const next = bytes[cursor.at];
    if (next === braceEnd) {
      cursor.at++;
      return;
    }
    if (next !== comma) return fail(cursor, 'bad_json', `Wanted "," or "}", found ${describe(cursor)}`);
    cursor.at++;
    skipSpace(cursor);
  }
}

function scanArray(cursor: Cursor, depth: number): void {
  if (depth > deepestNesting) return fail(cursor, 'too_deep', `The body nests deeper than ${deepestNesting} levels`);
  const { bytes } = cursor;
  cursor.at++;
  skipSpace(cursor);
  if (bytes[cursor.at] === bracketEnd) {
    cursor.at++;
    return;
  }
  for (;;) {
    scanValue(cursor, depth);
    if (cursor.problem !== undefined) return;
    skipSpace(cursor);
    const next = bytes[cursor.at];
    if (next === bracketEnd) {
      cursor.at++;
      return;
    }
    if (next !== comma) return fail(cursor, 'bad_json', `Wanted "," or "]", found ${describe(cursor)}`);
    cursor.at++;
    skipSpace(cursor);
  }
}

function scanValue(cursor: Cursor, depth: number): void {
  if (++cursor.values > mostValues) return fail(cursor, 'bad_request', `The body has more than ${mostValues} values`);
  const byte = cursor.bytes[cursor.at];
  switch (byte) {
    case quote:
      return scanString(cursor);
    case brace:
      return scanObject(cursor, depth + 1, undefined);
    case bracket:
      return scanArray(cursor, depth + 1);
    case 0x74:
      return scanWord(cursor, 'true');
    case 0x66:
      return scanWord(cursor, 'false');
    case 0x6e:
      return scanWord(cursor, 'null');
    default:
      return scanNumber(cursor);
  }
}

/** The keys of one object so far: as ranges of bytes while they are few and plain, then as texts. */
type SeenKeys = { readonly at: number; count: number; texts: Set<string> | undefined };

/** Most keys that are compared one by one. */
const fewKeys = 16;

/** Ranges of the keys of the objects that are open, a row for each depth; a scan is never interrupted by another. */
const ranges = new Int32Array((deepestNesting + 1) * 2 * fewKeys);

/** Whether the key in these quotes stood before; notes it. */
function wasSeen(text: Buffer, seen: SeenKeys, start: number, end: number): boolean {
  const next = seen.at + 2 * seen.count;
  if (seen.texts === undefined) {
    const isPlain = seen.count < fewKeys && !hasEscape(text, start, end);
    if (isPlain) {
      for (let at = seen.at; at < next; at += 2) {
        if (isSame(text, ranges[at] ?? 0, ranges[at + 1] ?? 0, start, end)) return true;
      }
      ranges[next] = start;
      ranges[next + 1] = end;
      seen.count++;
      return false;
    }
    seen.texts = new Set();
    for (let at = seen.at; at < next; at += 2) seen.texts.add(keyText(text, ranges[at] ?? 0, ranges[at + 1] ?? 0));
  }
  const key = keyText(text, start, end);
  if (seen.texts.has(key)) return true;
  seen.texts.add(key);
  return false;
}

function isSame(text: Buffer, from: number, to: number, start: number, end: number): boolean {
  if (to - from !== end - start) return false;
  for (let at = start + 1, other = from + 1; at < end; at++, other++) if (text[at] !== text[other]) return false;
  return true;
}

function hasEscape(text: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text[at] === backslash) return true;
  return false;
}

/** Text of the key in these quotes. */
function keyText(text: Buffer, start: number, end: number): string {
  const known = usualKey(text, start + 1, end - 1);
  if (known !== undefined) return known;
  const raw = text.toString('utf8', start + 1, end - 1);
  // Escapes spell the same key in other letters; only then is the slower way needed.
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw;
}

/** Strings shorter than this are walked byte by byte; in longer ones the end is searched natively. */
const longString = 64;

function scanString(cursor: Cursor): void {
  const { bytes } = cursor;
  const start = cursor.at;
  let at = start + 1;
  const walked = Math.min(bytes.length, at + longString);
  for (; at < walked; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) {
      cursor.at = at + 1;
      return;
    }
    if (byte < 0x20) return controlCharacter(cursor, at);
    if (byte === backslash) {
      const after = escapeEnd(cursor, at);
      if (after === -1) return;
      at = after - 1;
    }
  }
  scanLongString(cursor, at);
}

function scanLongString(cursor: Cursor, from: number): void {
  const { bytes } = cursor;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    // One comparison passes all ordinary letters but the two special ones.
    if (byte > backslash) continue;
    if (byte === quote) {
      cursor.at = at + 1;
      return;
    }
    if (byte < 0x20) return controlCharacter(cursor, at);
    if (byte === backslash) {
      const after = escapeEnd(cursor, at);
      if (after === -1) return;
      at = after - 1;
    }
  }
  cursor.at = bytes.length;
  fail(cursor, 'bad_json', 'The body ends within a string');
}

/** Position after the escape that begins at `at`, or -1 with the cursor's problem set. */
function escapeEnd(cursor: Cursor, at: number): number {
  const letter = cursor.bytes[at + 1];
  if (letter === 0x75) {
    for (let digit = at + 2; digit < at + 6; digit++) {
      if (!isHex(cursor.bytes[digit])) {
        cursor.at = digit;
        fail(cursor, 'bad_json', `Wanted four hexadecimal digits after "\\u", found ${describe(cursor)}`);
        return -1;
      }
    }
    return at + 6;
  }
  if (letter !== undefined && '"\\/bfnrt'.includes(String.fromCharCode(letter))) return at + 2;
  cursor.at = Math.min(at + 1, cursor.bytes.length);
  fail(cursor, 'bad_json', `Unknown escape in a string: ${describe(cursor)}`);
  return -1;
}

function isHex(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

function controlCharacter(cursor: Cursor, at: number): void {
  cursor.at = at;
  fail(cursor, 'bad_json', 'A string holds a control character, which JSON writes as an escape such as \\n');
}

function scanWord(cursor: Cursor, word: string): void {
  for (let letter = 0; letter < word.length; letter++) {
    if (cursor.bytes[cursor.at + letter] !== word.charCodeAt(letter)) {
      return fail(cursor, 'bad_json', `Wanted a value, found ${describe(cursor)}`);
    }
  }
  cursor.at += word.length;
}

function scanNumber(cursor: Cursor): void {
  const { bytes } = cursor;
  const start = cursor.at;
  if (bytes[cursor.at] === minus) cursor.at++;
  const integer = skipDigits(cursor);
  const leadingZero = integer > 1 && bytes[cursor.at - integer] === 0x30;
  let good = integer > 0 && !leadingZero;
  if (good && bytes[cursor.at] === 0x2e) {
    cursor.at++;
    good = skipDigits(cursor) > 0;
  }
  if (good && (bytes[cursor.at] === 0x65 || bytes[cursor.at] === 0x45)) {
    cursor.at++;
    if (bytes[cursor.at] === 0x2b || bytes[cursor.at] === minus) cursor.at++;
    good = skipDigits(cursor) > 0;
  }
  if (good) return;
  cursor.at = start;
  fail(cursor, 'bad_json', `Wanted a value, found ${describe(cursor)}`);
}

function skipDigits(cursor: Cursor): number {
  const start = cursor.at;
  for (;;) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined || byte < 0x30 || byte > 0x39) return cursor.at - start;
    cursor.at++;
  }
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const byte = cursor.bytes[cursor.at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
    cursor.at++;
  }
}

function describe(cursor: Cursor): string {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) return 'the end of the body';
  return byte > 0x20 && byte < 0x7f
    ? JSON.stringify(String.fromCharCode(byte))
    : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

type BodyProblem = 'bad_json' | 'duplicate_key' | 'too_deep' | 'bad_request';

function fail(cursor: Cursor, kind: BodyProblem, message: string, param?: string): void {
  cursor.problem ??= failure(kind, `${message} (at byte ${cursor.at})`, param === undefined ? {} : { param });
}

function invalid(kind: 'bad_json', message: string): ScanResult {
  return { kind: 'invalid', failure: failure(kind, message) };
}
