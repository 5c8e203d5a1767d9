import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { wildcardRest } from './wildcard.ts';

const piece = fc.stringMatching(/^[ab.\n]{0,3}$/);
const pattern = fc.array(piece, { minLength: 2, maxLength: 5 }).map((pieces) => pieces.join('*'));

function restOf(wildcard: string, name: string): readonly string[] | undefined {
  return wildcardRest({ pieces: wildcard.split('*') }, name);
}

test.each<[string, string, readonly string[] | undefined]>([
  ['openai/*', 'openai/gpt', ['gpt']],
  ['openai/*', 'openai/', ['']],
  ['openai/*', 'openai', undefined],
  ['*', 'anything at all', ['anything at all']],
  ['*-7b', 'qwen-7b', ['qwen']],
  ['a*b*c', 'a1b2b3c', ['1', '2b3']],
  // Pieces do not overlap.
  ['ab*ba', 'aba', undefined],
  ['a*b*b', 'ab', undefined],
])('1.2 the stars of %s in %s stand for %j', (wildcard, name, rest) => {
  expect(restOf(wildcard, name)).toEqual(rest);
});

test('1.2 what the stars stand for, put in their place, is the name; and a name matches as by a regular expression', () => {
  fc.assert(
    fc.property(pattern, fc.stringMatching(/^[ab.\n]{0,12}$/), (wildcard, name) => {
      const pieces = wildcard.split('*');
      const rest = restOf(wildcard, name);
      const expression = pieces.map((one) => RE2JS.quote(one)).join('(?s:.*)');
      expect(rest !== undefined).toBe(RE2JS.matches(expression, name));
      if (rest === undefined) return;
      expect(pieces.map((one, at) => `${one}${rest[at] ?? ''}`).join('')).toBe(name);
    }),
    { numRuns: 500 },
  );
});
