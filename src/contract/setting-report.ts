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

/** `signalbox config show --json`. */
export type SettingList = { readonly settings: readonly SettingReport[] };
