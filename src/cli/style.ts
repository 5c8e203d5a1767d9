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

/** Rows in columns that are as wide as their widest cell; the last column keeps its length. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => visibleLength(row[column] ?? ''))));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - visibleLength(cell)),
      )
      .join('  ')
      .trimEnd(),
  );
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
  return text.replaceAll(/\u001b\[\d+m/g, '').length;
}

/** "1 name", "2 names". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
