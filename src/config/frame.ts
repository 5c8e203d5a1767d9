import type { Diagnostic } from './diagnostic.ts';

/** How a diagnostic is drawn. */
export type FrameOptions = { readonly colour: boolean };

/** A diagnostic as a person reads it: what, where, the lines around it with a mark, and what to do. */
export function renderDiagnostic(diagnostic: Diagnostic, text: string | undefined, options: FrameOptions): string {
  const paint = painter(options.colour);
  const { span } = diagnostic;
  const lines = [
    `${paint(severityColour[diagnostic.severity], diagnostic.severity)}[${diagnostic.code}] ${paint('bold', diagnostic.message)}`,
  ];
  if (span !== undefined) {
    lines.push(`  ${paint('dim', `at ${span.file}:${span.line}:${span.column}`)}`);
    if (text !== undefined) lines.push(...codeFrame(text.split('\n'), span, paint));
  }
  for (const other of diagnostic.related ?? []) {
    lines.push(`  ${paint('dim', `see ${other.file}:${other.line}:${other.column}`)}`);
    if (text !== undefined && other.file === span?.file) lines.push(...codeFrame(text.split('\n'), other, paint));
  }
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

function codeFrame(lines: readonly string[], span: NonNullable<Diagnostic['span']>, paint: Paint): string[] {
  const first = Math.max(1, span.line - 1);
  const last = Math.min(lines.length, span.line + 1);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const isHere = number === span.line;
    const line = withoutSecrets(lines[number - 1] ?? '');
    frame.push(`  ${paint('dim', `${isHere ? '>' : ' '} ${String(number).padStart(width)} |`)} ${line}`.trimEnd());
    if (!isHere) continue;
    const length =
      span.endLine === span.line
        ? Math.max(1, span.endColumn - span.column)
        : Math.max(1, line.length - span.column + 1);
    frame.push(
      `  ${paint('dim', `  ${' '.repeat(width)} |`)} ${' '.repeat(span.column - 1)}${paint('red', '^'.repeat(Math.min(length, 80)))}`,
    );
  }
  return frame;
}

/** A frame is printed and pasted into reports: a key that stands in the file must not stand there. */
function withoutSecrets(line: string): string {
  return line
    .replace(
      /(\b(?:api_key|master_key|salt_key|password|token|secret)["']?\s*:\s*)(?!["']?(?:os\.environ|\$\{))(\S.*)$/i,
      '$1[secret]',
    )
    .replaceAll(/\bsk-[\w-]{8,}/g, '[secret]');
}
