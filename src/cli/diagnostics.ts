import type { Diagnostic } from '../config/diagnostic.ts';
import { renderDiagnostic } from '../config/frame.ts';
import type { SourceFile } from '../config/source-file.ts';
import type { DiagnosticReport } from '../contract/status.ts';
import { count, paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** Diagnostics as a person reads them, each with the lines that it points at. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: readonly SourceFile[],
  terminal: Pick<Terminal, 'colour'>,
): string[] {
  return diagnostics.flatMap((diagnostic) => {
    const text = sources.find((source) => source.path === diagnostic.span?.file)?.text;
    return [renderDiagnostic(diagnostic, text, { colour: terminal.colour }), ''];
  });
}

/** Warnings in a line each: what is said at start, and stays in `status`. */
export function renderWarnings(
  diagnostics: readonly DiagnosticReport[],
  terminal: Pick<Terminal, 'colour'>,
): readonly string[] {
  const warnings = diagnostics.filter((one) => one.severity === 'warning');
  if (warnings.length === 0) return [];
  const lines = warnings.map(({ message, file, line }) => {
    const place = file === null ? '' : paint(terminal, 'dim', `  ${file}${line === null ? '' : `:${line}`}`);
    return `  ${message}${place}`;
  });
  return ['', `${paint(terminal, 'yellow', count(warnings.length, 'warning'))}:`, ...lines];
}

/** "2 errors, 1 warning". */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const of = (severity: Diagnostic['severity']): number =>
    diagnostics.filter((one) => one.severity === severity).length;
  const parts = [
    of('error') > 0 ? count(of('error'), 'error') : '',
    of('warning') > 0 ? count(of('warning'), 'warning') : '',
    of('note') > 0 ? count(of('note'), 'note') : '',
  ];
  return parts.filter((part) => part !== '').join(', ') || 'no findings';
}
