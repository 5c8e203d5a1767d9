import { expect, test } from 'vitest';
import { factsOf } from '../../test/support/plan-of.ts';
import { isBatch } from './priority.ts';

test.each([
  ...(['batch', 'low', 'background', 'bulk', 'Batch'] as const).map((word) => [word, true] as const),
  ...(['interactive', 'normal', 'high', undefined] as const).map((word) => [word, false] as const),
])('4.1: whether %s is work that nobody watches: %s', (priority, wanted) => {
  expect(isBatch(factsOf({ priority }))).toBe(wanted);
});
