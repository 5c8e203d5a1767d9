import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Json } from '../plan/json.ts';
import { setInYaml } from './edit-yaml.ts';
import type { Path } from './parsed-file.ts';

/** A value is set, and of the text nothing else changes. */
function check(before: string, path: Path, value: Json, after: string): void {
  const text = setInYaml(before, path, value);
  expect(text).toBe(after);
  expect(path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[String(key)], parse(text))).toEqual(
    value,
  );
}

test.each<readonly [title: string, before: string, path: Path, value: Json, after: string]>([
  ['a value keeps its comment', 'a:\n  s: old   # why\n  b: 1\n', ['a', 's'], 'new', 'a:\n  s: new   # why\n  b: 1\n'],
  ['quotes of others stay', `a: {s: 'old', t: "x"}\n`, ['a', 's'], 'new', `a: {s: new, t: "x"}\n`],
  [
    'a key in lines',
    'a:\n    # members\n    b: 1\n\n# end\n',
    ['a', 's'],
    'x',
    'a:\n    # members\n    b: 1\n    s: x\n\n# end\n',
  ],
  ['a key in lines before what is nested', 'a:\n  b:\n    - 1\n', ['a', 's'], 'x', 'a:\n  s: x\n  b:\n    - 1\n'],
  ['a key below the first', 'a:\n  b: 1 # one\n  c: 2', ['a', 's'], 'x', 'a:\n  b: 1 # one\n  s: x\n  c: 2'],
  ['a key in braces', 'a: {b: 1}\n', ['a', 's'], 'x', 'a: {s: x, b: 1}\n'],
  ['a new section', '# head\nb: 1\n', ['a', 's'], 'x', '# head\nb: 1\na:\n  s: x\n'],
  ['a section without a value', 'a:\nb: 1\n', ['a', 's'], 'x', 'a: {s: x}\nb: 1\n'],
  ['an empty file', '', ['a', 's'], 'x', 'a:\n  s: x\n'],
  [
    'an item of a list',
    'a:\n  - one  # first\n  - two\n',
    ['a', 0],
    { p: 'one', w: 0.7 },
    'a:\n  - {p: one, w: 0.7}  # first\n  - two\n',
  ],
  ['a key of an item', 'a:\n  - p: one\n    m: x\n', ['a', 0, 'w'], 0.7, 'a:\n  - p: one\n    w: 0.7\n    m: x\n'],
  ['a file without its last line end', 'a: 1', ['b'], 'x', 'a: 1\nb: x\n'],
])('6.2 strategy set edits as a person would: %s', (_title, before, path, value, after) =>
  check(before, path, value, after),
);
