import fc from 'fast-check';
import { expect, test } from 'vitest';
import { highest } from './highest.ts';

/** What a stable sort would say. */
function sorted(values: readonly number[], most: number): readonly number[] {
  return [...values.keys()].sort((a, b) => compare(values[b], values[a]) || a - b).slice(0, most);
}

function compare(a = 0, b = 0): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function check(values: readonly number[], most: number): void {
  expect([...highest(Float64Array.from(values), most)]).toEqual(sorted(values, most));
}

test.each([
  { name: 'none', values: [] },
  { name: 'one', values: [3] },
  { name: 'equals in their order', values: Array.from({ length: 500 }, () => 7) },
  { name: 'rising', values: Array.from({ length: 500 }, (_, index) => index) },
  { name: 'falling', values: Array.from({ length: 500 }, (_, index) => -index) },
  // What a sample of every so many would see is not what there is.
  { name: 'high where nobody looks', values: Array.from({ length: 512 }, (_, index) => (index % 4 === 0 ? 9 : 1)) },
  { name: 'low where a sample looks', values: Array.from({ length: 512 }, (_, index) => (index % 4 === 0 ? 1 : 9)) },
  { name: 'nothing but what comes last', values: Array.from({ length: 300 }, () => Number.NEGATIVE_INFINITY) },
])('1.3 the highest of $name', ({ values }) => {
  for (const most of [1, 20, 100, 1000]) check(values, most);
});

test('1.3 the highest are those that a stable sort puts first', () => {
  const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true }));
  fc.assert(fc.property(fc.array(value, { maxLength: 600 }), fc.integer({ min: 1, max: 150 }), check));
});
