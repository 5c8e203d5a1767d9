import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { stepsOf } from '../../src/config/documented-keys.ts';
import type { Path } from '../../src/config/parsed-file.ts';
import { pathsTo } from '../../src/config/paths-to.ts';
import { declaredKeys } from './declared-keys.ts';

/** The files of a configuration by their names, each as the value that its text parses to. */
export type Files = Readonly<Record<string, unknown>>;

/** What shows that a key is executed: the smallest configuration that holds it, and what differs without it. */
export type Row = {
  readonly file: string;
  /** As the reference writes it, for example `providers.*.status`. */
  readonly key: string;
  /** What differs, as one sentence for the reference. */
  readonly what: string;
  /** The observer that sees it. */
  readonly seen: string;
  /** What the observer is to do. */
  readonly ask: Readonly<Record<string, unknown>>;
  readonly files: Files;
  /** What stands in its place in the other configuration, where the key is required; undefined: nothing. */
  readonly instead: unknown;
};

/** Another key that means what a known one means; its rows are those of the known one. */
type Twin = { readonly file: string; readonly key: string; readonly like: Place; readonly base: Files };

type Place = { readonly file: string; readonly key: string };

/** A row as it is written: the parts of its configuration stand beside the rest, by short names. */
type WrittenRow = Partial<Omit<Row, 'file' | 'key' | 'files'>> & {
  readonly key: string;
  readonly like?: string;
  readonly [part: string]: unknown;
};

type WrittenTable = {
  /** The file that the keys are of. */
  readonly file: string;
  /** Parts of the configuration that rows of this table have where they say nothing else. */
  readonly base?: Readonly<Record<string, unknown>>;
  readonly rows: readonly WrittenRow[];
};

/** Parts of a configuration by the short names of the tables. */
const parts: Readonly<Record<string, string>> = {
  providers: 'providers.yaml',
  mappings: 'model-mappings.yaml',
  settings: 'settings.yaml',
  ports: 'ports.yaml',
  checks: 'health-checks.yaml',
  launches: 'llamacpp-models.yaml',
  litellm: 'config.yaml',
  tests: 'route-tests.yaml',
};

const folder = join(import.meta.dirname, '../../test/declared-equals-executed');

/** Every row of the tables, with those that follow from synonyms. */
export function declaredRows(): readonly Row[] {
  const tables = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    // The tables are this repository's own; the test fails where one of them is not as it should be.
    .map((name) => parse(readFileSync(join(folder, name), 'utf8')) as WrittenTable);
  const rows = tables.flatMap(({ file, base, rows: written }) =>
    written.filter(({ like }) => like === undefined).map((one) => ({ row: rowOf(file, one), base: filesOf(base) })),
  );
  const twins = tables.flatMap(({ file, base, rows: written }) =>
    written.flatMap(({ key, like }): Twin[] =>
      like === undefined ? [] : [{ file, key, like: placeOf(like, file), base: filesOf(base) }],
    ),
  );
  const all = new Map<string, Entry>(rows.map((one) => [nameOf(one.row.file, one.row.key), one]));
  const keys = new Set(declaredKeys().map(({ file, key }) => nameOf(file, key)));
  for (let count = 0; count < all.size; ) {
    // A twin may have a twin of its own.
    count = all.size;
    for (const { row, base } of twins.flatMap((twin) => twinsOf([...all.values()], twin)))
      if (keys.has(nameOf(row.file, row.key)) && !all.has(nameOf(row.file, row.key)))
        all.set(nameOf(row.file, row.key), { row, base });
  }
  return [...all.values()].map(({ row, base }) => ({ ...row, files: joined(base, row.files) }));
}

/** The files of the table with those of the row: its keys in place of equal ones. */
function joined(base: Files, own: Files): Files {
  const names = [...new Set([...Object.keys(base), ...Object.keys(own)])];
  return Object.fromEntries(
    names.map((name) => {
      const [usual, written] = [base[name], own[name]];
      return [name, isMap(usual) && isMap(written) ? { ...usual, ...written } : (written ?? usual)];
    }),
  );
}

type Entry = { readonly row: Row; readonly base: Files };

function nameOf(file: string, key: string): string {
  return `${file}: ${key}`;
}

function twinsOf(known: readonly Entry[], twin: Twin): readonly Entry[] {
  return known.flatMap(({ row }) => {
    const made = twinOf(row, twin);
    return made === undefined ? [] : [{ row: made, base: twin.base }];
  });
}

function rowOf(file: string, { key, what = '', seen = '', ask = {}, instead, ...others }: WrittenRow): Row {
  return { file, key, what, seen, ask, instead, files: filesOf(others) };
}

function filesOf(written: Readonly<Record<string, unknown>> = {}): Files {
  return Object.fromEntries(Object.entries(written).map(([part, value]) => [parts[part] ?? part, value]));
}

/** `providers.yaml: health_checks`, or a key of the table's own file. */
function placeOf(text: string, file: string): Place {
  const [, other, key] = /^([\w-]+\.yaml): (.*)$/.exec(text) ?? [];
  return other === undefined || key === undefined ? { file, key: text } : { file: other, key };
}

/** The row of a twin's key: the same, with what stands at the known key moved to the other. */
function twinOf(row: Row, { file, key, like, base }: Twin): Row | undefined {
  if (row.file !== like.file || !isWithin(row.key, like.key)) return undefined;
  const within = row.key.slice(like.key.length);
  const own = key === '' ? within.replace(/^\./, '') : `${key}${within}`;
  if (own === '') return undefined;
  // Items move with their list.
  const from = [like.file, ...stepsOf(like.key.replace(/\[\]$/, ''))];
  const files = moved(row.files, from, [file, ...stepsOf(key.replace(/\[\]$/, ''))]);
  // What stands on other parts of its own cannot stand on those of another table.
  const isAlone = Object.keys(files).every((name) => name === file || name === like.file);
  const fits = file === like.file || Object.keys(base).length === 0 || isAlone;
  return fits ? { ...row, file, key: own, files: withoutEmpty(files) } : undefined;
}

/** A file from which everything was moved is none. */
function withoutEmpty(files: Files): Files {
  return Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
}

function isWithin(key: string, parent: string): boolean {
  return parent === '' || key === parent || key.startsWith(`${parent}.`) || key.startsWith(`${parent}[`);
}

/** The same files with everything that stands at one place moved to another; both have the same wildcards. */
function moved(files: Files, from: readonly string[], to: readonly string[]): Files {
  let result = structuredClone(files);
  for (const path of pathsTo(files, from)) {
    const wild = from.flatMap((step, index) => (step === '*' || step === '[]' ? [path[index] ?? step] : []));
    const target = to.map((step) => (step === '*' || step === '[]' ? (wild.shift() ?? step) : step));
    const value = path.reduce((inner: unknown, step) => (inner as Record<string | number, unknown>)[step], files);
    result = placed(changed(result, path, undefined), target, value) as Files;
  }
  return result;
}

/** A value with something else at a path; `undefined` takes out what is there. */
export function changed<Value>(value: Value, path: Path, instead: unknown): Value {
  const copy = structuredClone(value);
  const parent = path.slice(0, -1).reduce((inner: unknown, step) => (inner as Record<string, unknown>)[step], copy);
  const last = path.at(-1) ?? '';
  if (instead === undefined) delete (parent as Record<string | number, unknown>)[last];
  else (parent as Record<string | number, unknown>)[last] = instead;
  return copy;
}

/** A value with another one put at a path; maps on the way come into being, and what stands there joins. */
function placed(value: unknown, [step, ...rest]: Path, inner: unknown): unknown {
  if (step === undefined) return isMap(value) && isMap(inner) ? { ...value, ...inner } : inner;
  if (Array.isArray(value)) return value.map((one, index) => (index === step ? placed(one, rest, inner) : one));
  const map = isMap(value) ? value : {};
  return { ...map, [step]: placed(map[step], rest, inner) };
}

function isMap(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
