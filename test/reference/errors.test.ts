import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorsReference } from '../../scripts/reference/errors.ts';
import { failureCatalogue } from '../../src/plan/failure-catalogue.ts';

const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');

test('spine 3.6: docs/reference/errors.md is what the catalogue says (write it with npm run reference)', () => {
  expect(page).toBe(errorsReference());
});

test('spine 3.6: every failure is documented, and every documented failure exists', () => {
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
  expect(headings).toEqual([...new Set(headings)]);
  expect(headings.toSorted()).toEqual(Object.keys(failureCatalogue).toSorted());
});
