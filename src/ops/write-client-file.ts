import { type Document, isMap, isSeq, parseDocument, YAMLMap } from 'yaml';
import type { ClientContent, ClientFile, ClientTable, ClientValue } from './clients.ts';

/** A client's file with our settings in it, or why it is better left alone. */
export type EditedFile =
  | { readonly kind: 'edited'; readonly text: string; readonly changed: boolean }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Puts settings into a client's file and keeps everything else in it, comments too where the
 * format has them. A file that cannot be read is never replaced.
 */
export function editClientFile(
  format: ClientFile['format'],
  before: string | undefined,
  content: ClientContent,
): EditedFile {
  switch (format) {
    case 'yaml':
      return editYaml(before, content);
    case 'json':
      return editJson(before, content);
    case 'toml':
      return editToml(before, content);
  }
}

function editYaml(before: string | undefined, content: ClientContent): EditedFile {
  const document = parseDocument(before ?? '');
  const [problem] = document.errors;
  if (problem !== undefined)
    return { kind: 'refused', reason: `it is not valid YAML: ${problem.message.split('\n')[0]}` };
  if (document.contents !== null && !isMap(document.contents))
    return { kind: 'refused', reason: 'its root is not a map' };
  for (const item of content) {
    if (item.kind === 'entry') setYamlEntry(document, item.path, item.value);
    // Names and versions that a person chose stay.
    else if (
      !(
        item.path.length === 1 &&
        ['name', 'version', 'schema'].includes(item.path[0] ?? '') &&
        document.hasIn(item.path)
      )
    ) {
      document.setIn(item.path, item.value);
    }
  }
  const text = document.toString({ lineWidth: 0 });
  return { kind: 'edited', text, changed: text !== before };
}

function setYamlEntry(
  document: Document,
  path: readonly string[],
  value: { readonly name: string } & ClientTable,
): void {
  const list = document.getIn(path);
  if (!isSeq(list)) {
    document.setIn(path, document.createNode([value]));
    return;
  }
  const at = list.items.findIndex((item) => item instanceof YAMLMap && item.get('name') === value.name);
  const node = document.createNode(value);
  if (at === -1) list.items.push(node);
  else list.items[at] = node;
}

function editJson(before: string | undefined, content: ClientContent): EditedFile {
  const parsed = parseJsonObject(before ?? '{}');
  if (parsed === undefined) {
    return {
      kind: 'refused',
      reason: 'it is not plain JSON (comments in it would be lost): put the settings in by hand',
    };
  }
  for (const item of content) {
    if (item.kind === 'entry') return { kind: 'refused', reason: 'a list entry cannot be set in JSON' };
    setJson(parsed, item.path, item.value);
  }
  const text = `${JSON.stringify(parsed, undefined, 2)}\n`;
  return { kind: 'edited', text, changed: text !== before };
}

type JsonTable = { [key: string]: unknown };

function parseJsonObject(text: string): JsonTable | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return isJsonTable(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isJsonTable(value: unknown): value is JsonTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function setJson(root: JsonTable, path: readonly string[], value: ClientValue): void {
  let table = root;
  for (const key of path.slice(0, -1)) {
    const next = table[key];
    const inner = isJsonTable(next) ? next : {};
    table[key] = inner;
    table = inner;
  }
  const last = path.at(-1);
  if (last !== undefined) table[last] = value;
}

/**
 * TOML is edited by its lines, which keeps a person's comments: root keys of ours go to the top,
 * tables to the end, and what stands there already is replaced. A file with texts over several lines
 * is left alone, since a line of theirs may look like a key or a table.
 */
function editToml(before = '', content: ClientContent): EditedFile {
  if (/"""|'''/.test(before))
    return { kind: 'refused', reason: 'it has texts over several lines: put the settings in by hand' };
  let text = before;
  for (const item of content.toReversed()) if (item.path.length === 1) text = setTomlKey(text, item);
  for (const item of content) if (item.path.length > 1) text = setTomlTable(text, item);
  return { kind: 'edited', text, changed: text !== before };
}

const tomlTable = /^[ \t]*\[\[?[\w."' -]+\]\]?[ \t]*(?:#.*)?$/m;

function setTomlKey(text: string, item: ClientContent[number]): string {
  const line = tomlKey(item);
  const firstTable = text.search(tomlTable);
  const root = firstTable === -1 ? text : text.slice(0, firstTable);
  const known = new RegExp(`^[ \\t]*${item.path[0]}[ \\t]*=.*$`, 'm').exec(root);
  if (known === null) return text === '' ? `${line}\n` : `${line}\n${text}`;
  return `${text.slice(0, known.index)}${line}${text.slice(known.index + known[0].length)}`;
}

function setTomlTable(text: string, item: ClientContent[number]): string {
  const table = tomlTableOf(item);
  const start = text.indexOf(`[${item.path.join('.')}]`);
  if (start === -1) return text.trim() === '' ? `${table}\n` : `${text.trimEnd()}\n\n${table}\n`;
  const rest = text.slice(start + 1);
  const next = rest.search(tomlTable);
  return `${text.slice(0, start)}${table}\n${next === -1 ? '' : `\n${rest.slice(next)}`}`;
}

/** Settings as TOML: root keys first, then a table for each longer path. */
export function renderToml(content: ClientContent): string {
  const roots = content.filter((item) => item.path.length === 1).map(tomlKey);
  const tables = content.filter((item) => item.path.length > 1).map(tomlTableOf);
  return `${[roots.join('\n'), ...tables].filter((block) => block !== '').join('\n\n')}\n`;
}

function tomlKey({ path, value }: ClientContent[number]): string {
  return `${path[0]} = ${JSON.stringify(value)}`;
}

function tomlTableOf({ path, value }: ClientContent[number]): string {
  const rows = Object.entries(value).map(([key, one]) => `${key} = ${JSON.stringify(one)}`);
  return [`[${path.join('.')}]`, ...rows].join('\n');
}
