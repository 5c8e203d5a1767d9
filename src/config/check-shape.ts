import type { z } from 'zod';
import { nearest } from '../plan/nearest.ts';
import type { Findings } from './findings.ts';
import type { ParsedFile, Path } from './parse-yaml.ts';

/** Checks a parsed file against its schema; the value comes back typed, or not at all where it has errors. */
export function checkShape<Schema extends z.ZodType>(
  schema: Schema,
  file: ParsedFile,
  findings: Findings,
  at: { readonly path: Path; readonly value: unknown } = { path: [], value: file.value },
): z.output<Schema> | undefined {
  const result = schema.safeParse(withoutNotes(at.value));
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, at, file, findings, schema);
  return undefined;
}

/** Keys that begin with x- are a person's own notes, anywhere. */
function withoutNotes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNotes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (key.startsWith('x-') ? [] : [[key, withoutNotes(inner)]])),
  );
}

type Issue = z.core.$ZodIssue;

function report(
  issue: Issue,
  at: { readonly path: Path; readonly value: unknown },
  file: ParsedFile,
  findings: Findings,
  schema: z.ZodType,
): void {
  const path = [...at.path, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, issue.path);
      for (const key of issue.keys) {
        const [near] = nearest(key, known, 1);
        findings.add('unknown-key', { file, path: [...path, key], part: 'key' }, `Unknown key "${key}"`, {
          found: key,
          nearest: near,
          ...(near === undefined && known.length > 0
            ? { wanted: `one of ${known.slice(0, 12).join(', ')}${known.length > 12 ? ' …' : ''}` }
            : {}),
        });
      }
      return;
    }
    case 'invalid_union': {
      // The branch that came furthest tells best what is wrong.
      const branches = issue.errors.toSorted((a, b) => depth(b) - depth(a));
      const deepest = branches[0];
      if (deepest !== undefined && depth(deepest) > 0) {
        for (const inner of deepest)
          report({ ...inner, path: [...issue.path, ...inner.path] } as Issue, at, file, findings, schema);
        return;
      }
      break;
    }
    default:
      break;
  }
  const found = valueAt(at.value, issue.path);
  if (found === undefined) {
    const key = String(path.at(-1) ?? '');
    findings.add('missing-key', { file, path: path.slice(0, -1), part: 'key' }, `The key "${key}" is missing`, {
      wanted: wantedOf(issue),
    });
    return;
  }
  const [near] = issue.code === 'invalid_value' ? nearest(String(found), issue.values.map(String), 1) : [];
  findings.add('wrong-type', { file, path }, `"${String(path.at(-1) ?? 'file')}" has ${describe(found)}`, {
    wanted: wantedOf(issue),
    nearest: near,
  });
}

function depth(issues: readonly { readonly path: readonly PropertyKey[]; readonly code?: string }[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)));
}

function wantedOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
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

/** Keys that the schema takes at a path, for the nearest one to a misspelt key. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let candidates: SchemaNode[] = [schema as SchemaNode];
  for (const step of path) candidates = candidates.flatMap((one) => inside(unwrap(one), step));
  return [...new Set(candidates.flatMap(unwrap).flatMap((one) => Object.keys(one.def.shape ?? {})))];
}

/** What is read of zod's own description of a schema. */
type SchemaNode = {
  readonly def: {
    readonly type: string;
    readonly shape?: Readonly<Record<string, SchemaNode>>;
    readonly options?: readonly SchemaNode[];
    readonly innerType?: SchemaNode;
    readonly element?: SchemaNode;
    readonly valueType?: SchemaNode;
    readonly in?: SchemaNode;
    readonly getter?: () => SchemaNode;
  };
};

function unwrap(node: SchemaNode): SchemaNode[] {
  const { def } = node;
  if (def.options !== undefined) return def.options.flatMap(unwrap);
  if (def.innerType !== undefined) return unwrap(def.innerType);
  if (def.in !== undefined) return unwrap(def.in);
  return def.getter === undefined ? [node] : unwrap(def.getter());
}

function inside(nodes: readonly SchemaNode[], step: PropertyKey): SchemaNode[] {
  return nodes.flatMap(({ def }) => {
    if (typeof step === 'number') return def.element === undefined ? [] : [def.element];
    const member = def.shape?.[String(step)] ?? def.valueType;
    return member === undefined ? [] : [member];
  });
}
