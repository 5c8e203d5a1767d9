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

/** How long ago a moment was, in its largest unit: "since 3 min". */
export function ago(time: string | null, now: number = Date.now()): string {
  if (time === null) return 'since an unknown time';
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 90) return `since ${seconds} s`;
  if (seconds < 90 * 60) return `since ${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `since ${Math.round(seconds / 3600)} h`;
  return `since ${Math.round(seconds / 86_400)} days`;
}

/** Milliseconds as a person reads them. */
export function duration(ms: number | null): string {
  if (ms === null) return 'unknown';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
