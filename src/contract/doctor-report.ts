/** One precondition, with what was found and what to do. */
export type Check = {
  /** Stable, for scripts: `node`, `config`, `secret:OPENAI_API_KEY`, `provider:ollama` … */
  readonly id: string;
  readonly title: string;
  /** `skipped`: it could not be looked at, or does not apply. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly found: string;
  readonly fix: string | null;
};

/** `signalbox doctor --json`. */
export type DoctorReport = {
  /** Whether nothing failed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
};
