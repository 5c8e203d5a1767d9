import { type Findings, keyOf } from './findings.ts';
import { type DigestTree, digestOf, type GeneratedBlock, settingsSections } from './generated-block.ts';
import type { ParsedFile, Path } from './parsed-file.ts';

/** A setting that stands in the generated file otherwise than it was generated. */
export type HandEdit = { readonly path: Path; readonly value: unknown };

/** Digests of a value's leaves, by which an edit of one is noticed. */
export function digestTree(value: unknown): DigestTree {
  if (!isMap(value)) return digestOf(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, digestTree(inner)]));
}

/**
 * The settings that people edited in a generated file. A line that was taken out is no edit: then
 * the source holds again. What the file has from other sources (fallbacks, other names) is theirs.
 */
export function handEdits(generated: unknown): readonly HandEdit[] {
  const file = isMap(generated) ? generated : {};
  // What this gateway wrote is what it says of itself; a file of an earlier version has no settings there.
  const block = file['signalbox'] as Partial<GeneratedBlock> | undefined;
  const made = block?.settings;
  if (made === undefined) return [];
  const added = new Set(Object.keys(block?.router_settings ?? {}));
  return settingsSections
    .flatMap((section) => editsWithin(file[section], made[section], [section]))
    .filter(({ path: [section, key] }) => section !== 'router_settings' || !added.has(String(key)));
}

function editsWithin(value: unknown, made: DigestTree | undefined, path: Path): readonly HandEdit[] {
  if (value === undefined || value === null) return [];
  if (isMap(value) && typeof made !== 'string')
    return Object.entries(value).flatMap(([key, inner]) => editsWithin(inner, made?.[key], [...path, key]));
  return made === digestTree(value) ? [] : [{ path, value }];
}

/** A value with the edits put in their places. */
export function withEdits(value: unknown, edits: readonly HandEdit[]): Record<string, unknown> {
  return edits.reduce((so, edit) => put(so, edit.path, edit.value), isMap(value) ? value : {});
}

function put(
  map: Readonly<Record<string, unknown>>,
  [first = '', ...rest]: Path,
  value: unknown,
): Record<string, unknown> {
  const before = map[first];
  return { ...map, [first]: rest.length === 0 ? value : put(isMap(before) ? before : {}, rest, value) };
}

/** The settings of a folder as they hold: edits of the generated file beside them go before, each at its own place. */
export function settingsInForce(
  settings: ParsedFile | undefined,
  generated: ParsedFile,
  findings: Findings,
): ParsedFile | undefined {
  const edits = handEdits(generated.value).filter(
    ({ path, value }) => digestOf(at(settings?.value, path)) !== digestOf(value),
  );
  const [first] = edits;
  if (first === undefined) return settings;
  for (const { path } of edits) {
    const place = { file: generated, path };
    findings.add('edited-setting', keyOf(place), `"${path.join('.')}" was edited here, and this edit holds`, {
      fix: 'To go back to the sources, take the line out and run: signalbox generate',
    });
  }
  const isEdited = (path: Path): boolean =>
    edits.some((edit) => edit.path.every((step, index) => path[index] === step));
  return {
    source: settings?.source ?? { ...generated.source, kind: 'settings', text: '' },
    value: withEdits(settings?.value, edits),
    spanOf: (path, part) => (settings === undefined || isEdited(path) ? generated : settings).spanOf(path, part),
  };
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((so, step) => (isMap(so) ? so[String(step)] : undefined), value);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
