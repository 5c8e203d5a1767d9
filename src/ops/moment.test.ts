import { expect, test } from 'vitest';
import { readAhead, readDuration, readMoment } from './moment.ts';

const now = new Date(2026, 10, 24, 15, 0, 0).getTime();

test.each([
  ['10m', now - 600_000],
  ['1.5h', now - 5_400_000],
  ['90s', now - 90_000],
  ['2d', now - 172_800_000],
  ['14:30', now - 1_800_000],
  ['14:30:30', now - 1_770_000],
  ['2026-11-24T08:00:00Z', Date.UTC(2026, 10, 24, 8)],
  ['25:00', undefined],
  ['yesterday', undefined],
  ['10', undefined],
  ['', undefined],
])('6.2 the moment "%s"', (text, wanted) => {
  expect(readMoment(text, now)).toBe(wanted);
});

test.each([
  ['90s', 90_000],
  ['+5m', 300_000],
  ['15:30', 1_800_000],
  ['14:30', undefined],
  ['soon', undefined],
])('6.1 a moment ahead "%s"', (text, wanted) => {
  expect(readAhead(text, now)).toBe(wanted);
});

test('6.2 a duration has a unit', () => {
  expect([readDuration('250ms'), readDuration('5 min'), readDuration('5')]).toEqual([250, 300_000, undefined]);
});
