import type { Json } from '../plan/json.ts';

/** Where something stands in a file; lines and columns count from 1. */
export type Span = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
};

/** One finding about the configuration. At most one for one cause. */
export type Diagnostic = {
  /** Stable, documented in docs/reference/diagnostics.md, for example `unknown-key`. */
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly span: Span | undefined;
  /** Sentence case, no full stop: what is wrong. */
  readonly message: string;
  readonly found: Json | undefined;
  readonly wanted: string | undefined;
  /** Nearest known name, where the cause may be a typing error. */
  readonly nearest: string | undefined;
  /** What to do, one sentence. */
  readonly fix: string | undefined;
  /** Other lines that belong to the same cause, such as the first of two equal names. */
  readonly related?: readonly Span[];
};

/** A value, and everything found on the way to it. The value is absent when an error stands in the list. */
export type Compiled<Value> = {
  readonly value: Value | undefined;
  readonly diagnostics: readonly Diagnostic[];
};
