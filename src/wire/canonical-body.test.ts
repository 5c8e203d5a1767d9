import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalMembers } from './canonical-body.ts';
import { scanBody } from './scan-body.ts';

function canonicalOf(text: string): string {
  const bytes = Buffer.from(text);
  const scanned = scanBody(bytes);
  if (scanned.kind === 'invalid') throw new Error(scanned.failure.message);
  let result = '';
  canonicalMembers(
    bytes,
    scanned.scan,
    (name) => name === 'left',
    (piece) => {
      result += Buffer.from(piece).toString();
    },
  );
  return result;
}

const same: readonly [title: string, one: string, other: string][] = [
  ['the order of members', '{"a":1,"b":2}', '{"b":2,"a":1}'],
  ['blanks between tokens', '{"a":[1,{"b":"c d"}]}', '{ "a" : [ 1 ,\n\t{ "b" : "c d" } ] }'],
  ['members that say nothing', '{"a":1}', '{"a":1,"stop":null,"stream":false}'],
  ['members that are left out', '{"a":1}', '{"a":1,"left":{"x":1}}'],
];
test.each(same)('5: equal requests: %s', (_title, one, other) => {
  expect(canonicalOf(one)).toBe(canonicalOf(other));
});

const different: readonly [title: string, one: string, other: string][] = [
  ['blanks within texts', '{"a":"b c"}', '{"a":"bc"}'],
  ['numbers beyond 2^53', '{"seed":9007199254740993}', '{"seed":9007199254740992}'],
  ['a quote within a text', '{"a":"x\\" ,"}', '{"a":"x\\","}'],
  ['a stream', '{"stream":true}', '{}'],
  ['which member says it', '{"a":"x"}', '{"b":"x"}'],
];
test.each(different)('5: requests that differ: %s', (_title, one, other) => {
  expect(canonicalOf(one)).not.toBe(canonicalOf(other));
});

test('5: equal exactly where the values are, whatever the blanks', () => {
  const bodies = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { maxKeys: 5 });
  const rest = (value: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(value).filter(([key, one]) => key !== 'left' && key !== 'stream' && one !== null),
    );
  fc.assert(
    fc.property(bodies, (body) => {
      const clean = rest(body);
      expect(canonicalOf(JSON.stringify(clean, undefined, 2))).toBe(canonicalOf(JSON.stringify(clean)));
      const read: unknown = JSON.parse(`{${canonicalOf(JSON.stringify(clean)).replace(/,$/, '')}}`);
      expect(read).toEqual(JSON.parse(JSON.stringify(clean)));
    }),
  );
});
