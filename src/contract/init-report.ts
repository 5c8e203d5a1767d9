/** `signalbox init --json`. */
export type InitReport = {
  readonly folder: string;
  readonly files: readonly string[];
  /** Names of the servers that are written down; none where the built-in echo is. */
  readonly servers: readonly string[];
  /** Whether every request must carry a key. */
  readonly key: boolean;
};
