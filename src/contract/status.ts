/**
 * Contract: what leaves the process as JSON for screens and scripts: the admin socket's answers and
 * the shapes of `--json`. Serialisable types only; they change by adding. Secrets and upstream
 * hosts never stand in them.
 */

/** One provider with what is known of it. */
export type ProviderStatus = {
  readonly name: string;
  readonly type: string;
  readonly status: 'active' | 'disabled';
  /** Worst state of its deployments, in the words of the glossary. */
  readonly state: string;
  readonly why: string | null;
  /** ISO time since when it is in that state; null where it was never seen otherwise. */
  readonly since: string | null;
  readonly models: number;
  readonly address: string;
};

/** `signalbox status --json`. */
export type StatusReport = {
  readonly running: boolean;
  readonly version: string;
  readonly pid: number | null;
  readonly address: string | null;
  readonly since: string | null;
  /** Hashes of the configuration on disk, last applied and running. */
  readonly config: {
    readonly path: string | null;
    readonly disk: string | null;
    readonly applied: string | null;
    readonly running: string | null;
  };
  readonly generation: number | null;
  readonly providers: readonly ProviderStatus[];
  readonly names: number;
  readonly key: { readonly needed: boolean; readonly fingerprint: string | null };
  readonly activeRequests: number;
  readonly warnings: readonly DiagnosticReport[];
};

/** One diagnostic as `--json` shows it. */
export type DiagnosticReport = {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  readonly found: unknown;
  readonly wanted: string | null;
  readonly nearest: string | null;
  readonly fix: string | null;
  readonly docs: string;
};
