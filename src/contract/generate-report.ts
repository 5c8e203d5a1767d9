/** `signalbox generate --json`. */
export type GenerateReport = {
  readonly path: string;
  /** Whether the file was something else than what the sources give. */
  readonly changed: boolean;
  readonly written: boolean;
};
