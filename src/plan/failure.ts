import type { Milliseconds } from './ids.ts';
import type { Json } from './json.ts';

/** Who has to act for a failure to go away. */
export type Blame = 'client' | 'us' | 'upstream' | 'configuration';

/** Every way in which a request or an attempt can fail; `failureCatalogue` says what each means. */
export type FailureKind =
  // The client's.
  | 'bad_json'
  | 'duplicate_key'
  | 'too_deep'
  | 'missing_field'
  | 'wrong_type'
  | 'body_too_large'
  | 'bad_request'
  | 'missing_key'
  | 'wrong_key'
  | 'key_not_allowed'
  | 'forbidden_origin'
  | 'forbidden_host'
  | 'model_not_found'
  | 'unknown_url'
  | 'method_not_allowed'
  | 'unsupported_by_group'
  | 'context_length_exceeded'
  | 'client_closed'
  // Ours.
  | 'rate_limited'
  | 'overloaded'
  | 'no_seat'
  | 'provider_disabled'
  | 'no_deployment_ready'
  | 'shutting_down'
  | 'deadline_exceeded'
  | 'cache_unavailable'
  | 'internal'
  | 'rehearsed'
  // The upstream's, by what was seen of one attempt.
  | 'upstream_refused'
  | 'upstream_unreachable'
  | 'upstream_reset'
  | 'upstream_timeout_connect'
  | 'upstream_timeout_first_token'
  | 'upstream_timeout_between_chunks'
  | 'upstream_timeout_total'
  | 'upstream_timeout_asked'
  | 'upstream_loading'
  | 'upstream_error'
  | 'upstream_overloaded'
  | 'upstream_rate_limited'
  | 'upstream_quota_exhausted'
  | 'upstream_malformed'
  | 'upstream_too_large'
  | 'upstream_truncated'
  | 'upstream_bad_request'
  | 'upstream_unsupported'
  | 'upstream_auth'
  | 'upstream_model_missing'
  | 'upstream_content_filter';

/** One failure: its kind and what is known of this case. Never holds a host, a key or a stack. */
export type Failure = {
  readonly kind: FailureKind;
  /** For the client: sentence case, no full stop, says what was found and wanted. */
  readonly message: string;
  /** Request field or header at fault. */
  readonly param?: string;
  /** Status that an upstream answered with. */
  readonly upstreamStatus?: number;
  readonly retryAfterMs?: Milliseconds;
  /** Nearest known names, for an unknown model. */
  readonly nearest?: readonly string[];
  /** The upstream's own error object, where it is the client's to see (a refused request). */
  readonly upstreamError?: {
    readonly message: string;
    readonly type: string | undefined;
    readonly code: Json | undefined;
    readonly param: string | undefined;
  };
};

/** What a kind of failure means for everybody. */
export type FailureMeaning = {
  /** Answer to the client when the request ends with it. */
  readonly status: number;
  /** OpenAI's `error.type`. */
  readonly type: string;
  /** OpenAI's `error.code`; stable, documented in docs/reference/errors.md. */
  readonly code: string;
  readonly blame: Blame;
  /** Whether another attempt may be made after it. */
  readonly goesOn: boolean;
  /** Whether it counts against the deployment's health. */
  readonly countsAgainst: boolean;
  /** `x-should-retry` for SDKs. */
  readonly clientMayRetry: boolean;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** One sentence for the reference: what it means and what to do. */
  readonly meaning: string;
};
