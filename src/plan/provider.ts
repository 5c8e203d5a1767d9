import type { Milliseconds, ProviderId } from './ids.ts';
import type { SecretReference } from './secret.ts';

/** The wire dialects that the product speaks to upstreams; one file in `src/providers/` for each. */
export type DialectName =
  | 'ollama'
  | 'llama_cpp'
  | 'vllm'
  | 'lm_studio'
  | 'openai'
  | 'azure'
  | 'openai_compatible'
  | 'anthropic'
  | 'echo';

/** Quality tier of a provider or chain, from the least to the most capable. */
export type Tier = 'local' | 'cloud_entry' | 'cloud_standard' | 'cloud_premium' | 'universal';

/** How an upstream wants its key. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly secret: SecretReference }
  | { readonly kind: 'header'; readonly header: string; readonly secret: SecretReference };

/** What a provider's health probe asks, and how often. */
export type ProbeSettings = {
  readonly enabled: boolean;
  /** Path on the provider's origin, declared by `health_endpoint`; absent: the dialect's own probes. */
  readonly path: string | undefined;
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  readonly retries: number;
};

/** Requests and tokens allowed per minute, and requests at the same time; absent means unlimited. */
export type RateLimit = {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Of names and keys, where one more is refused; deployments and providers have seats, where one more waits. */
  readonly parallelRequests?: number | undefined;
};

/** Most that may be spent within a window of time; kept by the ledger. */
export type Budget = { readonly maxUsd: number; readonly windowMs: Milliseconds };

/** One configured upstream: a dialect, an address and defaults for its deployments. */
export type Provider = {
  readonly id: ProviderId;
  readonly dialect: DialectName;
  /** Provider type or group names that stand for this provider in a reference, besides its id. */
  readonly groups: readonly string[];
  /**
   * Address without a trailing slash, and without a trailing `/v1`, which dialects add themselves:
   * `http://127.0.0.1:11434`, `https://openrouter.ai/api`.
   */
  readonly baseUrl: string;
  /**
   * What stands between `baseUrl` and an endpoint, `/v1` for most. Some OpenAI-compatible services
   * version their paths otherwise (`/v1beta/openai`), or not at all (the empty string).
   */
  readonly apiPath: string;
  readonly status: 'active' | 'disabled';
  readonly credential: Credential;
  /** Extra headers of every request, lower-case names. */
  readonly headers: readonly (readonly [name: string, value: SecretReference | string])[];
  /** Azure's `api-version` query; absent for the others. */
  readonly apiVersion: string | undefined;
  readonly probe: ProbeSettings;
  readonly limit: RateLimit;
  /** Requests that the provider serves at the same time; absent: not known, so not bounded. */
  readonly seats: number | undefined;
  /** Providers that share one engine or card, of which only one can serve at a time. */
  readonly exclusiveGroup: string | undefined;
  readonly tier: Tier;
  readonly tls: { readonly verify: boolean; readonly caFile: string | undefined };
  readonly budget: Budget | undefined;
};
