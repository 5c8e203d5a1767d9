import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
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
  if (source.text.length > largestFile) {
    const parsed: ParsedFile = { source, value: undefined, spanOf: () => spanAt(source, lines, 0, 0) };
    findings.add('yaml-syntax', { file: parsed, path: [] }, `The file is larger than ${largestFile} bytes`);
    return parsed;
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
  const spanOf = (path: Path, part: 'key' | 'value' = 'value'): Span => {
    const [start, end] = rangeOf(root, path, part) ?? [0, 0];
    return spanAt(source, lines, start, end);
  };
  const bare: ParsedFile = { source, value: undefined, spanOf };
  for (const error of document.errors) {
    const [start, end] = error.pos;
    findings.addAt(
      'yaml-syntax',
      spanAt(source, lines, start, end),
      error.message.split('\n')[0] ?? 'The file is not valid YAML',
      { fix: hintFor(source.text, start) },
    );
  }
  for (const warning of document.warnings) {
    findings.addAt(
      'yaml-syntax',
      spanAt(source, lines, ...warning.pos),
      warning.message.split('\n')[0] ?? 'The file has a tag that is not known',
    );
  }
  if (document.errors.length > 0) return bare;
  reportDuplicates(root, [], bare, findings);
  try {
    return { ...bare, value: document.toJS({ maxAliasCount: mostAliases }) as unknown };
  } catch (error) {
    findings.add(
      'yaml-syntax',
      { file: bare, path: [] },
      error instanceof Error ? error.message : 'The file cannot be read',
    );
    return bare;
  }
}

function hintFor(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(start, text.indexOf('\n', start) === -1 ? undefined : text.indexOf('\n', start));
  if (/^\s*\t/.test(line)) return 'Indent with spaces: YAML takes no tabs there';
  if (/:\S/.test(line) && !/https?:/.test(line)) return 'Put a space after the colon';
  return 'Check the indentation and the quotes of this line and the one above';
}

/** The last of two equal keys would win in silence, so it is told. */
function reportDuplicates(node: unknown, path: Path, file: ParsedFile, findings: Findings): void {
  if (isSeq(node)) {
    node.items.forEach((item, index) => {
      reportDuplicates(item, [...path, index], file, findings);
    });
  }
  if (!isMap(node)) return;
  const seen = new Map<string, Range>();
  for (const pair of node.items) {
    const key = keyText(pair);
    const range = nodeRange(pair.key);
    const first = seen.get(key);
    if (range !== undefined && first !== undefined) {
      findings.addAt(
        'duplicate-key',
        lineSpan(file, range),
        `The key "${key}" stands twice in this map, first in line ${lineSpan(file, first).line}`,
        { found: key, fix: 'Keep one of the two: the last counts for some readers, the first for others' },
      );
    }
    if (range !== undefined) seen.set(key, first ?? range);
    reportDuplicates(pair.value, [...path, key], file, findings);
  }
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

function spanAt(source: SourceFile, lines: LineCounter, start: number, end: number): Span {
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
