import type { Path } from './parsed-file.ts';

/** The places in a value that steps lead to: `*` stands for any key of a map, `[]` for any item of a list. */
export function pathsTo(value: unknown, steps: readonly string[]): readonly Path[] {
  const [step, ...rest] = steps;
  if (step === undefined) return value === undefined || value === null ? [] : [[]];
  return entriesAt(value, step).flatMap(([key, inner]) => pathsTo(inner, rest).map((path) => [key, ...path]));
}

function entriesAt(value: unknown, step: string): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return step === '[]' ? value.map((inner, index) => [index, inner] as const) : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).filter(([key]) => step === '*' || step === key);
}
