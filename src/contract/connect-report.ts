import type { Json } from '../plan/json.ts';

/** `signalbox connect CLIENT --json`. */
export type ConnectReport = {
  readonly client: string;
  /** The client's own file; null where its settings are environment variables alone. */
  readonly file: string | null;
  /** What has to stand in the file, by path. */
  readonly settings: readonly { readonly path: readonly string[]; readonly value: Json }[];
  /** Environment variables; the value of a key is null, since keys are never printed. */
  readonly environment: readonly { readonly name: string; readonly value: string | null }[];
  readonly notes: readonly string[];
  /** With `--write`: whether the file was changed, and where the one before is kept. */
  readonly written: { readonly changed: boolean; readonly before: string | null } | null;
};
