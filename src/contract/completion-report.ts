/** `signalbox completion SHELL --json`. */
export type CompletionReport = {
  readonly shell: string;
  /** What the shell has to read. */
  readonly script: string;
};
