import { expect, test } from 'vitest';
import { dollarWords, durationWords, secondsWords, waitWords } from './in-words.ts';

test.each([
  [0, '0 ms'],
  [0.4, '0 ms'],
  [12.3, '12 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [4230, '4.2 s'],
  [60_000, '60.0 s'],
  [90_000, '2 min'],
  [3_600_000, '60 min'],
  [86_398_000, '24 h'],
  [30 * 86_400_000, '30 days'],
])('spine 3.6: %d ms in words: %s', (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});

test('spine 3.6: what goes on is told to the second, a wait in full ones', () => {
  expect([secondsWords(1400), secondsWords(100), waitWords(1400), waitWords(1)]).toEqual(['1 s', '0 s', '2 s', '1 s']);
});

test.each([
  [0, '$0.00'],
  [2.5, '$2.50'],
  [0.5, '$0.50'],
  [0.0125, '$0.0125'],
  [0.000_012_345, '$0.0000123'],
  [0.000_000_001, '$0.00000000100'],
])('1.4: %d dollars in words: %s', (usd, words) => {
  expect(dollarWords(usd)).toBe(words);
});
