import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanBody } from './scan-body.ts';
import { type BodyEdit, spliceBody } from './splice-body.ts';

function splice(text: string, edits: readonly BodyEdit[]): string {
  const bytes = new TextEncoder().encode(text);
  const result = scanBody(bytes);
  if (result.kind !== 'scanned') throw new Error(result.failure.message);
  return new TextDecoder().decode(spliceBody(bytes, result.scan, edits));
}

test.each<[string, BodyEdit[], string]>([
  ['{"model":"a","n": 1}', [{ kind: 'set', key: 'model', value: 'b' }], '{"model":"b","n": 1}'],
  ['{ "model" : "a" }', [{ kind: 'set', key: 'model', value: 'b"' }], '{ "model" : "b\\"" }'],
  ['{}', [{ kind: 'set', key: 'model', value: 'b' }], '{"model":"b"}'],
  ['{"a":1 }', [{ kind: 'set', key: 'b', value: 2 }], '{"a":1,"b":2 }'],
  ['{"a":1,"b":2,"c":3}', [{ kind: 'remove', key: 'a' }], '{"b":2,"c":3}'],
  ['{"a":1,"b":2,"c":3}', [{ kind: 'remove', key: 'b' }], '{"a":1,"c":3}'],
  ['{"a":1,"b":2,"c":3}', [{ kind: 'remove', key: 'c' }], '{"a":1,"b":2}'],
  [
    '{"a":1,"b":2,"c":3}',
    [
      { kind: 'remove', key: 'b' },
      { kind: 'remove', key: 'c' },
    ],
    '{"a":1}',
  ],
  [
    '{"a":1}',
    [
      { kind: 'remove', key: 'a' },
      { kind: 'set', key: 'b', value: true },
    ],
    '{"b":true}',
  ],
  ['{"a":1}', [{ kind: 'default', key: 'a', value: 2 }], '{"a":1}'],
  ['{"a":1}', [{ kind: 'remove', key: 'x' }], '{"a":1}'],
])('spine 3.3: %s with %j', (text, edits, wanted) => {
  expect(splice(text, edits)).toBe(wanted);
});

test('spine 5.4: splice does what the edits say and keeps all other bytes', () => {
  const key = fc.constantFrom('model', 'stream', 'a', 'b', 'é', 'with "quotes"');
  const edit: fc.Arbitrary<BodyEdit> = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, value: fc.oneof(fc.string(), fc.integer(), fc.boolean()) }),
    fc.record({ kind: fc.constant('default' as const), key, value: fc.oneof(fc.string(), fc.integer(), fc.boolean()) }),
    fc.record({ kind: fc.constant('remove' as const), key }),
  );
  const edits = fc.uniqueArray(edit, { selector: (one) => one.key });
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue({ maxDepth: 2 })), edits, fc.nat(2), (object, changes, indent) => {
      const before = JSON.stringify(object, undefined, indent);
      const wanted: Record<string, unknown> = JSON.parse(before);
      for (const change of changes) {
        if (change.kind === 'remove') delete wanted[change.key];
        else if (change.kind === 'set' || !(change.key in wanted)) wanted[change.key] = change.value;
      }
      const after = splice(before, changes);
      expect(JSON.parse(after)).toEqual(wanted);
      const untouched = Object.keys(object).filter((name) => !changes.some((change) => change.key === name));
      for (const name of untouched) {
        expect(after).toContain(JSON.stringify(name));
        expect(after).toContain(JSON.stringify(JSON.parse(before)[name], undefined, indent).split('\n')[0]);
      }
    }),
  );
});
