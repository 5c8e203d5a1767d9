import type { DiscoveredModel } from './discovered.ts';

/** Why an address is not usable as it was given. */
export type UrlProblem =
  | 'not_a_url'
  | 'refused'
  | 'timeout'
  | 'unknown_host'
  | 'unreachable'
  | 'tls'
  | 'not_http'
  | 'reset'
  | 'redirect'
  | 'key_missing'
  | 'key_refused'
  | 'forbidden'
  | 'wrong_path'
  | 'html'
  | 'loading'
  | 'server_error'
  | 'unknown_server';

/** `signalbox provider probe URL --json`. */
export type UrlReport = {
  readonly url: string;
  readonly reachable: boolean;
  /** Type to write in providers.yaml; null where no family recognises the server. */
  readonly type: string | null;
  /** `base_url` to write: as given, or as it works. */
  readonly baseUrl: string | null;
  readonly state: 'up' | 'loading' | 'down';
  readonly version: string | null;
  readonly latencyMs: number | null;
  /** `yes` where it refuses without a key; `no` where it answers without one; `accepted` where the given key is taken. */
  readonly key: 'no' | 'yes' | 'accepted' | 'refused' | 'unknown';
  readonly models: readonly DiscoveredModel[];
  readonly problem: { readonly code: UrlProblem; readonly message: string; readonly fix: string } | null;
};
