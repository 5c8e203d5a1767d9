import { type Findings, keyOf, type Place } from './findings.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import type { SourceKind } from './source-file.ts';

/** A declaration that is parsed, typed and checked, and that this version does not execute. */
export type NotExecuted = {
  readonly file: SourceKind;
  /** Keys that lead to it; `*` stands for any. Those of the mappings count under `routes` too. */
  readonly path: readonly string[];
  /** What does not happen, as a sentence without its end. */
  readonly what: string;
};

/** Every such declaration; a row goes when what it names executes. */
export const notExecuted: readonly NotExecuted[] = [
  {
    file: 'dashboard-config',
    path: ['*'],
    what: 'There is no terminal dashboard in this version, so its settings do nothing yet',
  },
];

/** Tells which declarations are not executed yet: one finding for each kind of them, with all its places. */
export function noteNotExecuted(files: ReadonlyMap<SourceKind, ParsedFile>, findings: Findings): void {
  const found = new Map<string, Place[]>();
  for (const row of notExecuted) {
    const file = files.get(row.file);
    if (file === undefined) continue;
    for (const path of [row.path, ['routes', ...row.path]]) {
      for (const at of placesOf(file.value, path))
        found.set(row.what, [...(found.get(row.what) ?? []), { file, path: at }]);
    }
  }
  for (const [what, [first, ...others]] of found) {
    if (first === undefined) continue;
    findings.add('not-executed-yet', keyOf(first), what, {
      found: String(first.path.at(-1)),
      ...(others.length === 0 ? {} : { related: others.map(keyOf) }),
    });
  }
}

function placesOf(value: unknown, [step, ...rest]: readonly string[]): Path[] {
  if (step === undefined) return [[]];
  return entriesOf(value).flatMap(([key, inner]) =>
    step === '*' || step === key ? placesOf(inner, rest).map((path) => [key, ...path]) : [],
  );
}

function entriesOf(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return value.map((inner, index) => [index, inner] as const);
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
