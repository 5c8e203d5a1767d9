import { type Document, isMap, isScalar, isSeq, type Node, parseDocument, stringify, type YAMLMap } from 'yaml';
import type { Json } from '../plan/json.ts';
import type { Path } from './parsed-file.ts';

/**
 * Sets one value in a YAML file that a person keeps. Nothing else of the text changes: comments, order,
 * quotes and blank lines stay as they are. Only where that is not possible the file is written anew from
 * its nodes, which keeps comments and order, and may change how they are set.
 */
export function setInYaml(text: string, path: Path, value: Json): string {
  const document = parseDocument(text);
  const spliced = splice({ text, document }, path, value);
  if (spliced !== undefined && isSet(spliced, path, value)) return spliced;
  document.setIn(path, document.createNode(value));
  return document.toString({ lineWidth: 0 });
}

function isSet(text: string, path: Path, value: Json): boolean {
  const document = parseDocument(text);
  if (document.errors.length > 0) return false;
  const found = document.getIn(path, true) as Node | undefined;
  return JSON.stringify(found?.toJS(document)) === JSON.stringify(value);
}

/** A text and what it says. */
type Read = { readonly text: string; readonly document: Document };

function splice({ text, document }: Read, path: Path, value: Json): string | undefined {
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const own = document.getIn(path, true);
  if ((isScalar(own) || isMap(own) || isSeq(own)) && own.range) {
    const [from, to] = own.range;
    // A key without a value ends with its colon.
    return replaced(text, [from, to], `${from === to && text[from - 1] === ':' ? ' ' : ''}${inFlow(value)}`);
  }
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent) && parent.items.length > 0) return withKey(text, parent, [last, value]);
  if (path.length === 1) return `${endedLine(text)}${stringify({ [last]: value }, { lineWidth: 0 })}`;
  // A section that is not there yet is set whole.
  return isMap(parent) ? undefined : splice({ text, document }, path.slice(0, -1), { [last]: value });
}

/** A map with one key more: near its head within a section, at the end of the file where it is a section. */
function withKey(
  text: string,
  map: YAMLMap,
  [key, value]: readonly [key: Path[number], value: Json],
): string | undefined {
  const [first] = map.items;
  const start = isScalar(first?.key) ? first.key.range?.[0] : undefined;
  if (start === undefined) return undefined;
  const entry = `${inFlow(String(key))}: ${inFlow(value)}`;
  if (map.flow === true) return replaced(text, [start, start], `${entry}, `);
  const line = text.lastIndexOf('\n', start - 1) + 1;
  if (start === line) return `${endedLine(text)}${stringify({ [key]: value }, { lineWidth: 0 })}`;
  const indent = ' '.repeat(start - line);
  const end = isScalar(first?.value) ? first.value.range?.[1] : undefined;
  if (end === undefined || end === start) return replaced(text, [start, start], `${entry}\n${indent}`);
  const lineEnd = text.indexOf('\n', end);
  const at = lineEnd === -1 ? text.length : lineEnd;
  return replaced(text, [at, at], `\n${indent}${entry}`);
}

function replaced(text: string, [from, to]: readonly [number, number], by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

function endedLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function inFlow(value: Json): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}
