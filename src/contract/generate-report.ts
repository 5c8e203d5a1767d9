import type { DiagnosticReport } from './status.ts';

/** `signalbox generate --json`. */
export type GenerateReport = {
  readonly path: string;
  /** Whether the file was something else than what the sources give. */
  readonly changed: boolean;
  readonly written: boolean;
  /** What stood in the file and in no source: it is lost, or with --check it would be. */
  readonly lost: readonly DiagnosticReport[];
};
