import type { z } from 'zod';
import { nearest } from '../plan/nearest.ts';
import { type Findings, inside, keyOf, type Place } from './findings.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import type { Reference } from './reference.ts';
import { keysAt, optionalKeysAt } from './schema-keys.ts';

/** The sound part of a file: what had an error is left out, so that one does not hide the others. */
export type Checked<Shape> = {
  readonly shape: Shape;
  /** The file with places that fit the shape, from whose lists broken items are missing. */
  readonly file: ParsedFile;
};

/** Checks a parsed file against its schema and tells everything that does not fit; undefined where nothing is left of it. */
export function checkShape<Schema extends z.ZodType>(
  schema: Schema,
  file: ParsedFile,
  findings: Findings,
): Checked<z.output<Schema>> | undefined {
  let value = withoutBlanks(withoutNotes(file.value), schema, []);
  let result = schema.safeParse(value);
  if (result.success) return { shape: result.data, file };
  const whole: Place = { file, path: [] };
  for (const issue of result.error.issues) report(issue, { whole, value, schema }, findings);
  const gaps: Path[] = [];
  // Each round leaves out what did not fit, and then what is incomplete without it.
  for (let round = 0; round < mostRounds; round++) {
    value = withoutFaults(value, result.error.issues, gaps);
    result = schema.safeParse(value);
    if (result.success) return { shape: result.data, file: withGaps(file, gaps) };
  }
  return undefined;
}

/** No schema is nested deeper. */
const mostRounds = 8;

/** Maps whose keys are names of headers, most of which begin with x-. */
const headerMaps: ReadonlySet<string> = new Set(['headers', 'extra_headers']);

/** Keys that begin with x- are a person's own notes, anywhere but among headers. */
function withoutNotes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNotes);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      key.startsWith('x-') ? [] : [[key, headerMaps.has(key) ? inner : withoutNotes(inner)]],
    ),
  );
}

/** A key without a value is as good as absent, where it may be. */
function withoutBlanks(value: unknown, schema: z.ZodType, path: Path): unknown {
  if (Array.isArray(value)) return value.map((inner, index) => withoutBlanks(inner, schema, [...path, index]));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const optional = Object.values(value).includes(null) ? optionalKeysAt(schema, path) : [];
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === null && optional.includes(key) ? [] : [[key, withoutBlanks(inner, schema, [...path, key])]],
    ),
  );
}

type Issue = z.core.$ZodIssue;
type Checking = { readonly whole: Place; readonly value: unknown; readonly schema: z.ZodType };

function report(issue: Issue, checking: Checking, findings: Findings): void {
  const inner = insideUnion(issue);
  if (inner !== undefined) {
    for (const one of inner) report(one, checking, findings);
    return;
  }
  const place = inside(checking.whole, ...stepsOf(issue.path));
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(checking.schema, issue.path);
    for (const key of issue.keys) reportUnknownKey({ name: key, at: inside(place, key) }, known, findings);
    return;
  }
  const name = nameOf(issue.path);
  const found = valueAt(checking.value, issue.path);
  if (found === undefined) {
    findings.add('missing-key', keyOf({ ...place, path: place.path.slice(0, -1) }), `The key ${name} is missing`, {
      wanted: wantedOf(issue),
    });
    return;
  }
  const [near] = issue.code === 'invalid_value' ? nearest(String(found), issue.values.map(String), 1) : [];
  findings.add('wrong-type', place, `${name} ${issue.path.length === 0 ? 'is' : 'has'} ${describe(found)}`, {
    wanted: wantedOf(issue),
    nearest: near,
  });
}

/** What a path leads to, as a sentence names it. */
function nameOf(path: readonly PropertyKey[]): string {
  const last = path.at(-1);
  if (last === undefined) return 'The file';
  if (typeof last !== 'number') return `"${String(last)}"`;
  return `Item ${last + 1} of ${path.length === 1 ? 'the file' : nameOf(path.slice(0, -1))}`;
}

function reportUnknownKey({ name: key, at }: Reference, known: readonly string[], findings: Findings): void {
  const [near] = nearest(key, known, 1);
  findings.add('unknown-key', keyOf(at), `Unknown key "${key}"`, {
    found: key,
    nearest: near,
    ...(near === undefined && known.length > 0
      ? { wanted: `one of ${known.slice(0, 12).join(', ')}${known.length > 12 ? ' …' : ''}` }
      : {}),
  });
}

/** Of a union the branch that came furthest tells best what is wrong; undefined where none came further than the union itself. */
function insideUnion(issue: Issue): readonly Issue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  const deepest = issue.errors.toSorted((a, b) => depthOf(b) - depthOf(a))[0];
  if (deepest === undefined || depthOf(deepest) === 0) return undefined;
  // The spread keeps the inner issue's own kind, which the union type loses.
  return deepest.map((one) => ({ ...one, path: [...issue.path, ...one.path] }) as Issue);
}

function depthOf(issues: readonly { readonly path: readonly PropertyKey[]; readonly code?: string }[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)));
}

function stepsOf(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function wantedOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return [...new Set(issue.errors.flat().map(wantedOf))].join(', or ');
    case 'too_small':
      return `${issue.origin === 'string' ? 'text' : 'a number'} ${issue.inclusive === true ? 'of at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'null',
  date: 'a date',
};

function describe(value: unknown): string {
  if (value === null) return 'no value';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `the text "${value.slice(0, 60)}"` : `the value ${String(value)}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = (inner as Record<PropertyKey, unknown>)[step];
  }
  return inner;
}

/** The value without what the issues point at; list items that go are noted in `gaps`, by their place in the file. */
function withoutFaults(value: unknown, issues: readonly Issue[], gaps: Path[]): unknown {
  const faults = issues.flatMap(faultsOf).map((path) => existing(value, path));
  if (faults.some((path) => path.length === 0)) return {};
  const gone = new Set(faults.map((path) => JSON.stringify(path)));
  const removed: Path[] = [];
  const walk = (inner: unknown, path: Path): unknown => {
    const isGone = (step: string | number): boolean => gone.has(JSON.stringify([...path, step]));
    if (Array.isArray(inner)) {
      return inner.flatMap((item: unknown, index) => {
        if (!isGone(index)) return [walk(item, [...path, index])];
        removed.push([...path, index]);
        return [];
      });
    }
    if (typeof inner !== 'object' || inner === null || inner instanceof Date) return inner;
    return Object.fromEntries(
      Object.entries(inner).flatMap(([key, one]) => (isGone(key) ? [] : [[key, walk(one, [...path, key])]])),
    );
  };
  const rest = walk(value, []);
  // Earlier rounds made earlier gaps: what this round counts in the thinned list is put back into the file's own counting.
  gaps.push(...removed.map((path) => throughGaps(path, gaps)));
  return rest;
}

function faultsOf(issue: Issue): readonly Path[] {
  const inner = insideUnion(issue);
  if (inner !== undefined) return inner.flatMap(faultsOf);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => stepsOf([...issue.path, key]));
  return [stepsOf(issue.path)];
}

/** A missing key takes the map with it that cannot be without. */
function existing(value: unknown, path: Path): Path {
  return valueAt(value, path) === undefined && path.length > 0 ? path.slice(0, -1) : path;
}

function withGaps(file: ParsedFile, gaps: readonly Path[]): ParsedFile {
  if (gaps.length === 0) return file;
  return { ...file, spanOf: (path, part) => file.spanOf(throughGaps(path, gaps), part) };
}

/** A path of a thinned list as a path of the file: every gap at or before an item moves it on by one. */
function throughGaps(path: Path, gaps: readonly Path[]): Path {
  const real: (string | number)[] = [];
  for (const step of path) {
    let moved = step;
    if (typeof moved === 'number') {
      const here = gaps.filter(
        (gap) => gap.length === real.length + 1 && real.every((one, index) => one === gap[index]),
      );
      for (const gap of here.map((one) => Number(one.at(-1))).sort((a, b) => a - b)) if (gap <= moved) moved++;
    }
    real.push(moved);
  }
  return real;
}
