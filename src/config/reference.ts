import { inside, type Place } from './findings.ts';

/** A name in a file that stands for something declared elsewhere, or a spelling still to be read. */
export type Reference = { readonly name: string; readonly at: Place };

/** A text that may be absent, as a reference with its place. */
export function referenceOf(name: string | undefined, at: Place): Reference | undefined {
  return name === undefined ? undefined : { name, at };
}

/** One text or several, as references with their places. */
export function referencesOf(value: string | readonly string[] | null | undefined, at: Place): readonly Reference[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [{ name: value, at }];
  return value.map((name, index) => ({ name, at: inside(at, index) }));
}
