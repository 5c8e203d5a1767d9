import type { Span } from './diagnostic.ts';
import type { SourceFile } from './source-file.ts';

/** Keys and positions that lead to a value in a file. */
export type Path = readonly (string | number)[];

/** A file that was parsed: its value, and where everything in it stands. */
export type ParsedFile = {
  readonly source: SourceFile;
  /** Plain JavaScript value; undefined where the file could not be parsed, null where it is empty. */
  readonly value: unknown;
  /** Where the value at a path stands, or its key; the nearest enclosing thing where it does not exist. */
  spanOf(path: Path, part?: 'key' | 'value'): Span;
};
