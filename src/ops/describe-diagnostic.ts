import type { Diagnostic } from '../config/diagnostic.ts';
import type { DiagnosticReport } from '../contract/status.ts';

/** A diagnostic in the shape that scripts read. */
export function describeDiagnostic(diagnostic: Diagnostic): DiagnosticReport {
  return {
    code: diagnostic.code,
    severity: diagnostic.severity,
    file: diagnostic.span?.file ?? null,
    line: diagnostic.span?.line ?? null,
    column: diagnostic.span?.column ?? null,
    message: diagnostic.message,
    found: diagnostic.found ?? null,
    wanted: diagnostic.wanted ?? null,
    nearest: diagnostic.nearest ?? null,
    fix: diagnostic.fix ?? null,
    docs: `docs/reference/diagnostics.md#${diagnostic.code}`,
  };
}
