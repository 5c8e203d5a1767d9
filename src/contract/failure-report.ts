import type { DiagnosticReport } from './status.ts';

/** What a command prints with `--json` where it could not do what it was asked. */
export type FailureReport = {
  readonly error: {
    readonly kind: CommandFailureKind;
    readonly message: string;
    /** What to do about it; null where nothing general can be said. */
    readonly fix: string | null;
    /** Findings of the configuration, where it is the reason. */
    readonly diagnostics: readonly DiagnosticReport[];
  };
};

/** Why a command could not do what it was asked. */
export type CommandFailureKind =
  /** There is no configuration here, or none where it was said to be. */
  | 'no_config'
  /** The configuration has errors. */
  | 'config'
  /** No gateway runs with this configuration. */
  | 'not_running'
  /** A gateway has ended without tidying up. */
  | 'stale'
  /** A gateway or a file refuses to be asked or changed. */
  | 'refused'
  /** A gateway runs with this configuration already. */
  | 'running'
  /** A key is needed and not set. */
  | 'secret'
  /** The address may not be listened on. */
  | 'bind'
  /** The port is taken. */
  | 'port'
  /** The state folder cannot be used. */
  | 'state'
  /** A value on the line is none of its kind, or words do not go together: exit code 64. */
  | 'usage'
  /** What was named is not known. */
  | 'unknown'
  /** What would be written is there already. */
  | 'exists'
  /** Nothing was found to work with. */
  | 'nothing_found'
  /** This version does not offer it. */
  | 'not_offered'
  /** Something else went wrong. */
  | 'failed';
