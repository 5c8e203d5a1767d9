import { expect, test } from 'vitest';
import { type Read, readEvent, speedOf, unread } from './ask-model.ts';

type Piece = readonly [atMs: number, delta: object];
/** An answer of pieces, with the tokens that its server counted at the end. */
function readAll(pieces: readonly Piece[], completionTokens: number | undefined): Read {
  const events = [
    [0, { choices: [{ delta: { role: 'assistant', content: '' } }] }],
    ...pieces.map(([at, delta]) => [at, { choices: [{ delta }] }] as const),
    [5000, { choices: [{ delta: {}, finish_reason: 'stop' }] }],
    ...(completionTokens === undefined
      ? []
      : [[5000, { choices: [], usage: { prompt_tokens: 7, completion_tokens: completionTokens } }] as const]),
  ] as const;
  return events.reduce((read, [at, event]) => readEvent(read, JSON.stringify(event), at), unread);
}
const every = (count: number, ms: number, from: number, delta: object): readonly Piece[] =>
  Array.from({ length: count }, (_none, index) => [from + index * ms, delta] as const);

// Each server writes a token in 10 ms, 100 a second.
test.each<[string, readonly Piece[], tokens: number | undefined, firstTokenMs: number | null, speed: number | null]>([
  ['a token an event', every(20, 10, 100, { content: 'a ' }), 20, 100, 100],
  ['five tokens an event', every(4, 50, 140, { content: 'a a a a a ' }), 20, 140, 100],
  [
    'thoughts before the answer, which are tokens too',
    [...every(100, 10, 100, { reasoning_content: 'hm ' }), ...every(20, 10, 1100, { content: 'a ' })],
    120,
    100,
    100,
  ],
  [
    'the same by its other name',
    [...every(10, 10, 50, { reasoning: 'hm ' }), ...every(10, 10, 150, { content: 'a' })],
    20,
    50,
    100,
  ],
  ['a slow one', every(3, 4000, 0, { content: 'a ' }), 3, 0, 0.3],
  ['all at once', every(1, 0, 300, { content: 'a a a' }), 3, 300, null],
  ['tokens that nobody counted', every(20, 10, 100, { content: 'a ' }), undefined, 100, null],
  ['no word at all', [], 0, null, null],
])('F6 first token and speed of %s', (_what, pieces, tokens, firstTokenMs, speed) => {
  const read = readAll(pieces, tokens);
  expect([read.firstTokenMs, speedOf(read)]).toEqual([firstTokenMs, speed]);
  expect(read.text).not.toContain('hm');
});
