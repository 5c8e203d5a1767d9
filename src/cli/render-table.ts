/** What a table has to fit into. */
export type TableSpace = { readonly columns: number };

type Row = readonly string[];

/**
 * Rows in columns that are as wide as their widest cell. Where the terminal ends before, texts go on
 * below themselves, the last column's first; where not even that has room, every row stands as a
 * list of its cells.
 */
export function renderTable(
  head: Row,
  rows: readonly Row[],
  { columns }: TableSpace = { columns: Number.POSITIVE_INFINITY },
): string[] {
  const widths = fittingWidths(head, rows, columns);
  return widths === undefined ? renderStacked(head, rows) : [head, ...rows].flatMap((row) => renderRow(row, widths));
}

/** Between two columns. */
const gap = 2;
/** A cell of up to this many letters is a number with its unit or a name, and stays in one line. */
const shortCell = 12;
/** A last column that would be narrower than this is no column any more. */
const narrowestLast = 24;

/** Widths that fit, or none where cells would have to be cut. */
function fittingWidths(head: Row, rows: readonly Row[], columns: number): readonly number[] | undefined {
  const last = head.length - 1;
  const cells = head.map((_name, column) => rows.map((row) => row[column] ?? ''));
  const widths = head.map((name, column) => widest([name, ...(cells[column] ?? [])]));
  const least = head.map((name, column) => {
    const own = cells[column] ?? [];
    if (column === last) return Math.min(widths[last] ?? 0, narrowestLast);
    return widest([
      ...name.split(' '),
      ...own.flatMap((cell) => (visibleLength(cell) > shortCell ? cell.split(' ') : cell)),
    ]);
  });
  let over = widths.reduce((sum, width) => sum + width + gap, -gap) - columns;
  const widestFirst = widths.map((_width, column) => column).toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
  for (const column of [last, ...widestFirst]) {
    const given = Math.min(Math.max(0, over), (widths[column] ?? 0) - (least[column] ?? 0));
    widths[column] = (widths[column] ?? 0) - given;
    over -= given;
  }
  return over > 0 ? undefined : widths;
}

function renderRow(row: Row, widths: readonly number[]): string[] {
  const wrapped = widths.map((width, column) => wrapWords(row[column] ?? '', width));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_line, at) =>
    wrapped
      .map((lines) => lines[at] ?? '')
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - visibleLength(cell))))
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

/** Text in lines that end between words; a word that is longer than a line stays whole. */
function wrapWords(text: string, width: number): readonly string[] {
  if (visibleLength(text) <= width) return [text];
  const margin = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  for (const word of text.trimStart().split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && visibleLength(line) + 1 + visibleLength(word) <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(margin + word);
  }
  return paintedLines(lines);
}

/** Lines that each begin and end their own colour, so that none runs into the column beside it. */
function paintedLines(lines: readonly string[]): readonly string[] {
  let open = '';
  return lines.map((line) => {
    const begun = open + line;
    const code = line.match(colour)?.at(-1);
    if (code !== undefined) open = code === ended ? '' : code;
    return open === '' ? begun : begun + ended;
  });
}

/** A row as a list: its first cell, and below it the others by their heads. */
function renderStacked(head: Row, rows: readonly Row[]): string[] {
  const width = widest(head.slice(1));
  return rows.flatMap(([first = '', ...cells]) => {
    const margin = ' '.repeat(first.length - first.trimStart().length + 2);
    const shown = cells.flatMap((cell, column) =>
      cell === '' ? [] : [`${margin}${(head[column + 1] ?? '').padEnd(width)}  ${cell}`],
    );
    return [first, ...shown];
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
const colour = /\u001b\[\d+m/g;
const ended = '\u001b[0m';

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(visibleLength));
}

function visibleLength(text: string): number {
  return text.replaceAll(colour, '').length;
}
