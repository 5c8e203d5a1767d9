import { expect, test } from 'vitest';
import { chiSquare } from './chi-square.ts';

// Quantiles of chi-square from the usual tables.
test.each([
  [1, 3.841, 0.05],
  [1, 6.635, 0.01],
  [2, 5.991, 0.05],
  [5, 15.086, 0.01],
  [10, 18.307, 0.05],
  [30, 50.892, 0.01],
])('6.2 M15 with %i degrees, %f is met by chance with p %f', (degrees, statistic, p) => {
  // One count that is off by d in a cell of 1000, and all others as expected.
  const expected = Array.from({ length: degrees + 1 }, () => 1000);
  const observed = expected.map((one, index) => (index === 0 ? one + Math.sqrt(statistic * one) : one));
  const fit = chiSquare(observed, expected);
  expect(fit.statistic).toBeCloseTo(statistic, 6);
  expect(fit.p).toBeCloseTo(p, 4);
});

test.each([
  ['as expected', [70, 30], [70, 30], 'fits'],
  ['a little off', [75, 25], [70, 30], 'fits'],
  ['far off', [50, 50], [70, 30], 'differs'],
  ['too few', [3, 4], [3.5, 3.5], 'too_few'],
  ['one alone', [100], [100], 'too_few'],
  ['nothing', [], [], 'too_few'],
] as const)('6.2 M15 counts that are %s', (_name, observed, expected, verdict) => {
  expect(chiSquare(observed, expected).verdict).toBe(verdict);
});
