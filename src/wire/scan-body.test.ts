import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memberValue, scanBody } from './scan-body.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test('spine 5.4: scanBody accepts every JSON object and finds its members', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 })), fc.nat(3), (object, indent) => {
      const bytes = encode(JSON.stringify(object, undefined, indent));
      const result = scanBody(bytes);
      if (result.kind !== 'scanned') throw new Error(result.failure.message);
      const parsed: Record<string, unknown> = JSON.parse(JSON.stringify(object));
      expect([...result.scan.members.keys()].sort()).toEqual(Object.keys(parsed).sort());
      for (const key of Object.keys(parsed)) expect(memberValue(bytes, result.scan, key)).toEqual(parsed[key]);
    }),
  );
});

test('spine 3.6: scanBody refuses what JSON.parse refuses, after any mutation', () => {
  const mutation = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255), drop: fc.boolean() });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), mutation, (object, { at, byte, drop }) => {
      const good = encode(JSON.stringify(object));
      const position = Math.min(good.length - 1, Math.floor(at * good.length));
      const bytes = drop
        ? Uint8Array.from([...good.slice(0, position), ...good.slice(position + 1)])
        : Uint8Array.from(good, (value, index) => (index === position ? byte : value));
      const result = scanBody(bytes);
      const parsed = parsesAsObject(bytes);
      if (result.kind === 'scanned') expect(parsed).toBe(true);
      else if (result.failure.kind === 'bad_json') expect(parsed).toBe(false);
      else expect(result.failure.kind).toBe('duplicate_key');
    }),
    { numRuns: 2000 },
  );
});

function parsesAsObject(bytes: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

test.each([
  ['', 'bad_json', 'empty'],
  ['[]', 'bad_json', 'must be a JSON object'],
  ['{"a":1', 'bad_json', 'end of the body'],
  ['{"a":1}x', 'bad_json', 'after the body'],
  ['{"model":', 'bad_json', 'Wanted a value'],
  ['{"a":"\n"}', 'bad_json', 'control character'],
  ['{"a":"\\x"}', 'bad_json', 'Unknown escape'],
  ['{"a":01}', 'bad_json', 'Wanted'],
  ['{"a":1,}', 'bad_json', 'Wanted a key'],
  ['{"model":"x","model":"y"}', 'duplicate_key', '"model"'],
  ['{"model":"x","mod\\u0065l":"y"}', 'duplicate_key', '"model"'],
  ['{"a":{"b":1,"b":2}}', 'duplicate_key', '"b"'],
  [`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, 'too_deep', 'deeper than 128'],
  [`{"a":${'['.repeat(200)}${']'.repeat(200)}}`, 'too_deep', 'deeper than 128'],
])('spine 3.6: %s is refused as %s', (text, kind, message) => {
  const result = scanBody(encode(text));
  if (result.kind !== 'invalid') throw new Error('the body was accepted');
  expect(result.failure.kind).toBe(kind);
  expect(result.failure.message).toContain(message);
});

test('spine 3.6: bytes that are not UTF-8 are refused', () => {
  const result = scanBody(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
  expect(result.kind).toBe('invalid');
});

test.each([
  ['values', `{"input":[${'{},'.repeat(1_000_000)}{}]}`, 'more than 1000000 values'],
  ['keys in an object', `{"a":{${Array.from({ length: 10_001 }, (_none, key) => `"${key}":0`).join()}}}`, '10000 keys'],
])('spine 7: scanBody refuses more %s than others should wait for', (_what, text, words) => {
  const result = scanBody(encode(text));
  expect(result).toMatchObject({ kind: 'invalid', failure: { kind: 'bad_request' } });
  if (result.kind === 'invalid') expect(result.failure.message).toContain(words);
});
