import type { Diagnostic, Span } from './diagnostic.ts';

/** How a diagnostic is drawn. */
export type FrameOptions = { readonly colour: boolean };

/** A diagnostic as a person reads it: what, where, the lines around it with a mark, and what to do. */
export function renderDiagnostic(diagnostic: Diagnostic, text: string | undefined, options: FrameOptions): string {
  const paint = painter(options.colour);
  const { span } = diagnostic;
  const lines = [
    `${paint(severityColour[diagnostic.severity], diagnostic.severity)}[${diagnostic.code}] ${paint('bold', [...diagnostic.message].map(printable).join(''))}`,
  ];
  if (span !== undefined) {
    lines.push(`  ${paint('dim', `at ${span.file}:${span.line}:${span.column}`)}`);
    if (text !== undefined) lines.push(...codeFrame(text.split('\n'), span, paint));
  }
  lines.push(...relatedLines(diagnostic, text, paint));
  if (diagnostic.wanted !== undefined) lines.push(`  wanted: ${diagnostic.wanted}`);
  if (diagnostic.fix !== undefined) lines.push(`  ${paint('green', 'fix')}: ${diagnostic.fix}`);
  return lines.join('\n');
}

type Paint = (style: keyof typeof styles, text: string) => string;

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const severityColour = { error: 'red', warning: 'yellow', note: 'cyan' } as const;

function painter(colour: boolean): Paint {
  return (style, text) => (colour ? `\u001b[${styles[style]}m${text}\u001b[0m` : text);
}

/** Up to this many other places are drawn; more are told by their lines. */
const mostDrawn = 2;

function relatedLines({ related = [], span }: Diagnostic, text: string | undefined, paint: Paint): readonly string[] {
  if (related.length > mostDrawn) return [`  ${paint('dim', `also at ${placesOf(related)}`)}`];
  return related.flatMap((other) => [
    `  ${paint('dim', `see ${other.file}:${other.line}:${other.column}`)}`,
    ...(text !== undefined && other.file === span?.file ? codeFrame(text.split('\n'), other, paint) : []),
  ]);
}

/** Lines by file, as one reads them out: `a.yaml:3, 7 and 12 more`. */
function placesOf(spans: readonly Span[]): string {
  const files = new Map<string, string[]>();
  for (const { file, line, column } of spans) {
    const places = files.get(file) ?? [];
    files.set(file, places);
    places.push(`${line}:${column}`);
  }
  return [...files].map(([file, places]) => `${file}:${someOf(places)}`).join('; ');
}

const mostPlaces = 12;

function someOf(places: readonly string[]): string {
  const shown = places.slice(0, mostPlaces).join(', ');
  return places.length > mostPlaces ? `${shown} and ${places.length - mostPlaces} more` : shown;
}

/** Columns of a line that a frame shows: a file written by a machine has lines without an end. */
const widestLine = 160;

function codeFrame(lines: readonly string[], span: Span, paint: Paint): string[] {
  const first = Math.max(1, span.line - 1);
  const last = Math.min(lines.length, span.line + 1);
  const width = String(last).length;
  const gutter = (number: number | string, mark: string): string =>
    `  ${paint('dim', `${mark} ${String(number).padStart(width)} |`)}`;
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const raw = (lines[number - 1] ?? '').replace(/\r$/, '');
    const isHere = number === span.line;
    const window = isHere ? windowOf(raw, span.column - 1) : { start: 0, end: widestLine };
    const sign = window.start > 0 ? '…' : '';
    const shown = `${sign}${pieceOf(raw, window)}`;
    frame.push(`${gutter(number, isHere ? '>' : ' ')} ${shown}`.trimEnd());
    if (!isHere) continue;
    const end = span.endLine === span.line ? Math.max(span.column, span.endColumn - 1) : raw.length;
    const before = `${sign}${pieceOf(raw, { start: window.start, end: span.column - 1 })}`;
    const marked = pieceOf(raw, { start: span.column - 1, end: Math.min(end, window.end) });
    const room = Math.max(1, columnsOf(shown) - columnsOf(before));
    frame.push(
      `${gutter('', ' ')} ${blankOf(before)}${paint('red', '^'.repeat(Math.min(Math.max(1, columnsOf(marked)), room, 80)))}`,
    );
  }
  return frame;
}

type Window = { readonly start: number; readonly end: number };

/** The part of a line that is shown around a column. */
function windowOf(line: string, column: number): Window {
  if (line.length <= widestLine) return { start: 0, end: line.length };
  const start = Math.max(0, Math.min(column - widestLine / 2, line.length - widestLine));
  return { start, end: start + widestLine };
}

/** A part of a line, without the secrets of the whole line. */
function pieceOf(line: string, { start, end }: Window): string {
  const hidden = hiddenParts(line);
  let text = '';
  for (let at = start; at < Math.min(end, line.length); at++) {
    const part = hidden.find(([from, to]) => at >= from && at < to);
    if (part === undefined) text += printable(line[at] ?? '');
    else if (at === Math.max(start, part[0])) text += '[secret]';
  }
  return text;
}

/** A sign as it may reach a terminal: one that would steer it does not. */
function printable(sign: string): string {
  return /[\p{Cc}\p{Cf}]/u.test(sign) && sign !== '\t' && sign !== '\u200d' ? '\ufffd' : sign;
}

/** Blanks as wide as a text on a terminal; tabs stay tabs. */
function blankOf(text: string): string {
  return [...text].map((sign) => (sign === '\t' ? '\t' : ' '.repeat(columnsOf(sign)))).join('');
}

/** Columns that a text takes on a terminal: signs of East Asia and pictures take two. */
function columnsOf(text: string): number {
  return [...text].reduce((sum, sign) => sum + (wide.test(sign) ? 2 : /\p{M}|\u200d|\ufe0f/u.test(sign) ? 0 : 1), 0);
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** What a frame must not show, which is printed and pasted into reports: keys, passwords, tokens. */
function hiddenParts(line: string): readonly (readonly [from: number, to: number])[] {
  return secretForms.flatMap((form) =>
    [...line.matchAll(form)].map((match) => {
      const to = match.index + match[0].length;
      return [to - (match[1] ?? match[0]).length, to] as const;
    }),
  );
}

/** Forms of secrets in a line; the first group, at the end, is what is hidden. */
const secretForms: readonly RegExp[] = [
  // A value under a key for secrets, up to the end of the line or of its map; names of variables are none.
  /(?:key|password|passwd|(?<!_per_)token|secret|authorization|cookie|webhook_url|database_url)["']?\s*:\s+(?!["']?(?:os\.environ\/|\$\{))("[^"]*"|'[^']*'|[^\s"',}][^,}]*)/gi,
  /\b(sk-[\w-]{8,})/g,
  /(?<=:\/\/)([^/\s@"']+)(?=@)/g,
];
