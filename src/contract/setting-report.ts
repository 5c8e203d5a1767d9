import type { Json } from '../plan/json.ts';

/** One setting in force, in `signalbox config show --json`. */
export type SettingReport = {
  /** As the files write it, for example `router_settings.num_retries`. */
  readonly key: string;
  readonly value: Json;
  readonly unit: string | null;
  /** `file:line`, `environment` or `default`. */
  readonly source: string;
};

/** What people wrote for one another into the files, in `signalbox config show --json`. */
export type NoteReport = {
  /** As the files write it, for example `providers.ollama.notes`. */
  readonly key: string;
  readonly value: Json;
  /** `file:line`. */
  readonly source: string;
};

/** `signalbox config show --json`. */
export type SettingList = { readonly settings: readonly SettingReport[]; readonly notes: readonly NoteReport[] };
