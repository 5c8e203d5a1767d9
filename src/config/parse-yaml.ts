import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLParseError } from 'yaml';
import type { Span } from './diagnostic.ts';
import type { Findings } from './findings.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import type { SourceFile } from './source-file.ts';

/** Largest file that is read: a hand-written configuration is a thousand times smaller. */
const largestFile = 10 * 1024 * 1024;
/** Aliases may name one another this often before the file counts as an attack. */
const mostAliases = 100;

/** Parses one YAML file; every problem becomes a finding at its line. */
export function parseYaml(source: SourceFile, findings: Findings): ParsedFile {
  const lines = new LineCounter();
  const spanAt = (range: Range): Span => spanIn(source, lines, range);
  const unread: ParsedFile = { source, value: undefined, spanOf: () => spanAt([0, 0]) };
  if (source.text.length > largestFile) {
    findings.add('yaml-syntax', { file: unread, path: [] }, `The file is larger than ${largestFile} bytes`);
    return unread;
  }
  if (/[\0\ufffd]/.test(source.text)) {
    findings.add('yaml-syntax', { file: unread, path: [] }, 'The file is no text in UTF-8', {
      fix: 'Save it as UTF-8',
    });
    return unread;
  }
  const document = parseDocument(source.text, {
    lineCounter: lines,
    uniqueKeys: false,
    customTags: [],
    // LiteLLM's reader takes `<<`, so it must not turn into a key without a meaning.
    merge: true,
    prettyErrors: false,
  });
  const root = document.contents;
  const spanOf = (path: Path, part: 'key' | 'value' = 'value'): Span => spanAt(rangeOf(root, path, part) ?? [0, 0]);
  const bare: ParsedFile = { source, value: undefined, spanOf };
  for (const error of document.errors) {
    findings.addAt('yaml-syntax', spanAt(error.pos), sentenceOf(error), {
      fix: hintFor(source.text, error.pos[0], error),
    });
    // What comes after a mistake is read by the wrong rules.
    break;
  }
  for (const warning of document.warnings) {
    findings.addAt(
      'yaml-syntax',
      spanAt(warning.pos),
      warning.message.split('\n')[0] ?? 'The file has a tag that is not known',
      { fix: 'Take the tag out: a value is text, number, list or map as it is written' },
    );
  }
  if (document.errors.length > 0) return bare;
  if (!reportKeys(root, bare, findings)) return bare;
  try {
    return { ...bare, value: document.toJS({ maxAliasCount: mostAliases }) as unknown };
  } catch {
    // Nothing else can go wrong with a document without errors.
    findings.add('yaml-syntax', { file: bare, path: [] }, 'The aliases of the file stand for too much', {
      fix: 'Write the values out instead of referring to them',
    });
    return bare;
  }
}

/** The parser's own sentence, but where it speaks to programmers. */
function sentenceOf({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'The file holds more than one document';
  if (isTooDeep(message)) return 'The file is nested deeper than can be read';
  return message.split('\n')[0] ?? 'The file is not valid YAML';
}

/** The parser knows no bound of its own: it runs out of stack. */
function isTooDeep(message: string): boolean {
  return /call stack|stack overflow/i.test(message);
}

function hintFor(text: string, at: number, { code, message }: YAMLParseError): string {
  if (isTooDeep(message)) return 'Write it with fewer lists and maps within one another';
  if (code === 'MULTIPLE_DOCS') return 'Take out the line "---" and put everything under the keys above it';
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(start, text.indexOf('\n', start) === -1 ? undefined : text.indexOf('\n', start));
  if (/^\s*\t/.test(line)) return 'Indent with spaces: YAML takes no tabs there';
  if (/:\S/.test(line) && !/https?:/.test(line)) return 'Put a space after the colon';
  return 'Check the indentation and the quotes of this line and the one above';
}

/** Tells keys that stand twice, of which the last would win in silence, and keys that are no names; false where there are such. */
function reportKeys(node: unknown, file: ParsedFile, findings: Findings): boolean {
  if (isSeq(node)) return node.items.map((item) => reportKeys(item, file, findings)).every(Boolean);
  if (!isMap(node)) return true;
  const seen = new Map<string, Range>();
  let areNames = true;
  for (const pair of node.items) {
    const key = keyText(pair);
    const range = nodeRange(pair.key);
    const fault = faultOfKey(pair);
    const first = seen.get(key);
    if (fault !== undefined) {
      areNames = false;
      findings.addAt('yaml-syntax', range && lineSpan(file, range), fault, { fix: 'Give the key a name of letters' });
    } else if (range !== undefined && first !== undefined)
      findings.addAt(
        'duplicate-key',
        lineSpan(file, range),
        `The key "${key}" stands twice in this map, first in line ${lineSpan(file, first).line}`,
        { found: key, fix: 'Keep one of the two: the last counts for some readers, the first for others' },
      );
    if (range !== undefined) seen.set(key, first ?? range);
    if (!reportKeys(pair.value, file, findings)) areNames = false;
  }
  return areNames;
}

/** Keys are names; one that is a list or a map, or that means something to JavaScript alone, is none. */
function faultOfKey({ key }: Pair): string | undefined {
  if (isMap(key) || isSeq(key)) return `A key is a ${isMap(key) ? 'map' : 'list'}`;
  return isScalar(key) && key.value === '__proto__' ? 'No key can be called "__proto__"' : undefined;
}

/** Where a key of one line stands, whichever of its equals it is. */
function lineSpan({ source }: ParsedFile, [start, end]: Range): Span {
  const before = source.text.slice(0, start);
  const line = before.split('\n').length;
  const column = start - before.lastIndexOf('\n');
  return { file: source.path, line, column, endLine: line, endColumn: column + end - start };
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

type Range = readonly [start: number, end: number];

/** Follows a path as far as it goes. Of equal keys the last is meant, as in the value. */
function rangeOf(root: unknown, path: Path, part: 'key' | 'value'): Range | undefined {
  let node = root;
  let range: Range | undefined = nodeRange(root);
  for (const [index, step] of path.entries()) {
    const isLast = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.findLast((item) => keyText(item) === String(step));
      if (pair === undefined) return range;
      range = (isLast && part === 'key' ? nodeRange(pair.key) : nodeRange(pair.value)) ?? nodeRange(pair.key) ?? range;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      range = nodeRange(node) ?? range;
    } else return range;
  }
  return range;
}

function nodeRange(node: unknown): Range | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range === undefined || range === null ? undefined : [range[0], range[1]];
}

function spanIn(source: SourceFile, lines: LineCounter, [start, end]: Range): Span {
  const from = lines.linePos(start);
  const to = lines.linePos(Math.max(start, end));
  return {
    file: source.path,
    line: Math.max(1, from.line),
    column: Math.max(1, from.col),
    endLine: Math.max(1, to.line),
    endColumn: Math.max(1, to.col),
  };
}
