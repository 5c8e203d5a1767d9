import { durationWords, secondsWords } from '../plan/in-words.ts';
import type { Terminal } from './terminal.ts';

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 };

/** Paints text where the terminal shows colours, and leaves it alone elsewhere. */
export function paint(terminal: Pick<Terminal, 'colour'>, style: keyof typeof codes, text: string): string {
  return terminal.colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
}

/** A state with the colour that it has in every view; the word itself says it without colour. */
export function paintState(terminal: Pick<Terminal, 'colour'>, state: string, text: string = state): string {
  switch (state) {
    case 'ready':
      return paint(terminal, 'green', text);
    case 'degraded':
    case 'loading':
    case 'half_open':
    case 'cooling':
    case 'missing':
    case 'draining':
      return paint(terminal, 'yellow', text);
    case 'down':
      return paint(terminal, 'red', text);
    default:
      return paint(terminal, 'dim', text);
  }
}

/** What a table has to fit into. */
export type TableSpace = { readonly columns: number };

/** A last column that would be narrower than this is no column any more. */
const narrowestLast = 24;

/**
 * Rows in columns that are as wide as their widest cell; the last one goes on below itself where the
 * terminal ends. Where not even that has room, every row stands as a list of its cells.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { columns }: TableSpace = { columns: Number.POSITIVE_INFINITY },
): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => visibleLength(row[column] ?? ''))));
  const lastStart = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = columns - lastStart;
  if (room < Math.min(widths.at(-1) ?? 0, narrowestLast)) return renderStacked(head, rows);
  return all.flatMap((row) => {
    const before = row
      .slice(0, -1)
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - visibleLength(cell)));
    const [first = '', ...more] = wrapWords(row.at(-1) ?? '', room);
    return [[...before, first].join('  ').trimEnd(), ...more.map((line) => ' '.repeat(lastStart) + line)];
  });
}

/** Text in lines that end between words; a word that is longer than a line stays whole. */
function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && visibleLength(line) + 1 + visibleLength(word) <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A row as a list: its first cell, and below it the others by their heads. */
function renderStacked(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...head.slice(1).map((name) => name.length));
  return rows.flatMap(([first = '', ...cells]) => {
    const margin = ' '.repeat(first.length - first.trimStart().length + 2);
    const shown = cells.flatMap((cell, column) =>
      cell === '' ? [] : [`${margin}${(head[column + 1] ?? '').padEnd(width)}  ${cell}`],
    );
    return [first, ...shown];
  });
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
  return text.replaceAll(/\u001b\[\d+m/g, '').length;
}

/** "1 name", "2 names". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** How long ago a moment was, in its largest unit: "3 min". */
export function elapsed(time: string, now: number = Date.now()): string {
  return secondsWords(Math.max(0, now - Date.parse(time)));
}

/** A state with its reason. */
export function stateText(terminal: Pick<Terminal, 'colour'>, state: string, why: string | null): string {
  return `${paintState(terminal, state)}${why === null ? '' : paint(terminal, 'dim', `: ${why}`)}`;
}

/** A size in bytes, in the unit that makes it short. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** Milliseconds as a person reads them. */
export function duration(ms: number | null): string {
  if (ms === null) return 'unknown';
  return durationWords(ms);
}

/** A part of one as a person reads it. */
export function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
