import type { Condition } from './condition.ts';
import type { DeploymentIndex, GroupIndex, KeyId, Milliseconds, ProviderId } from './ids.ts';
import type { Chain, Strategy, Target } from './model-group.ts';
import type { RateLimit } from './provider.ts';
import type { Endpoint } from './request-facts.ts';
import type { SecretReference } from './secret.ts';

/**
 * One hierarchy of limits in time. Each contains the one before it, which the compiler checks:
 * connect < first token ≤ attempt ≤ request; between chunks ≤ attempt.
 */
export type Timeouts = {
  readonly connectMs: Milliseconds;
  /** From sending the request to the first meaningful event (streams) or byte (others). */
  readonly firstTokenMs: Milliseconds;
  readonly betweenChunksMs: Milliseconds;
  /** One attempt, whole. */
  readonly attemptMs: Milliseconds;
  /** The request with all its attempts: the deadline. */
  readonly requestMs: Milliseconds;
  /** After this much silence a stream is opened with comments; 0 = never. */
  readonly heartbeatAfterMs: Milliseconds;
  /** How long running requests may go on after SIGTERM. */
  readonly drainMs: Milliseconds;
};

/** LiteLLM's error classes, for `retry_policy` and `allowed_fails_policy`. */
export type PolicyClass =
  | 'BadRequestError'
  | 'AuthenticationError'
  | 'TimeoutError'
  | 'RateLimitError'
  | 'ContentPolicyViolationError'
  | 'InternalServerError'
  | 'ServiceUnavailableError'
  | 'BadGatewayError'
  | 'NotFoundError'
  | 'Default';

/** How going on after a failure is bounded. */
export type RetrySettings = {
  /** Further attempts within the same group. */
  readonly retries: number;
  readonly maxFallbacks: number;
  /** Least wait before a retry on the same deployment. */
  readonly retryAfterMs: Milliseconds;
  readonly policy: ReadonlyMap<PolicyClass, number>;
  readonly groupPolicy: ReadonlyMap<string, ReadonlyMap<PolicyClass, number>>;
};

/** When a deployment is set aside after failures, and for how long. */
export type CooldownSettings = {
  readonly enabled: boolean;
  readonly allowedFails: number;
  readonly windowMs: Milliseconds;
  readonly cooldownMs: Milliseconds;
  readonly maxCooldownMs: Milliseconds;
  readonly rateLimitedMs: Milliseconds;
  readonly allowedFailsPolicy: ReadonlyMap<PolicyClass, number>;
};

/** A rule that asks a provider for the literal name that the client gave. */
export type PatternRule = {
  readonly source: string;
  /** Linear-time match; made by the compiler. */
  readonly matches: (name: string) => boolean;
  readonly target: Target;
  readonly fallback: readonly Target[];
};

/** A rule by the size that a name carries; bounds in billions of parameters. */
export type SizeRule = {
  readonly source: string;
  readonly minBillions: number;
  readonly minInclusive: boolean;
  readonly maxBillions: number;
  readonly maxInclusive: boolean;
  readonly target: Target;
  readonly fallback: readonly Target[];
};

export type MetadataRule = {
  readonly name: string;
  readonly providers: readonly ProviderId[];
  readonly condition: Condition;
};

/** The first model of the default provider. */
export type DefaultModel = {
  readonly deployment: DeploymentIndex;
  /** The name that it answers: what stands behind that stands behind the default model too. */
  readonly group: GroupIndex | undefined;
  /** The first models of further default providers and of the default fallback. */
  readonly standIns: readonly Target[];
};

export type RoutingRules = {
  readonly patterns: readonly PatternRule[];
  readonly sizes: readonly SizeRule[];
  readonly metadata: readonly MetadataRule[];
  /** Providers asked for a name that no rule knows, if their live lists have it: those of `default_provider`, then of `default_fallback`. */
  readonly defaultProviders: readonly ProviderId[];
  /** What `auto` means when no capability is asked. */
  readonly defaultModel: DefaultModel | undefined;
  /** `fallback_chains.default`. */
  readonly defaultChain: Chain | undefined;
  /** LiteLLM's `default_fallbacks`: after everything else of any group. */
  readonly defaultFallbacks: readonly Target[];
  readonly unknownModel: 'default_chain' | 'reject';
  readonly complexity: { readonly medium: number; readonly high: number };
  /** Strategy of a group that declares none; its numbers hold for others that have none of their own. */
  readonly defaultStrategy: Strategy;
  readonly preferWarm: { readonly enabled: boolean; readonly checkTimeoutMs: Milliseconds };
  readonly rateLimitedFallback: boolean;
  readonly geographic: { readonly enabled: boolean; readonly preferLocal: boolean };
  /** Whether the estimate of a prompt keeps it from a context that is smaller, also where the server would refuse it itself. */
  readonly preCallChecks: boolean;
  readonly tagFiltering: { readonly enabled: boolean; readonly matchAny: boolean };
};

export type CorsSettings = {
  readonly enabled: boolean;
  /** Origins as declared; a port may be `*`, and `*` alone is every origin. */
  readonly allowedOrigins: readonly string[];
};

export type NamedKey = {
  readonly id: KeyId;
  readonly name: string;
  readonly secret: SecretReference;
  /** Names that the key may ask for; empty: all. */
  readonly models: readonly string[];
  readonly limit: RateLimit;
  /** Priority of its requests that say nothing of theirs. */
  readonly priority: string | undefined;
  /** Whether its requests may ask for failures: LiteLLM’s mock_testing_*. */
  readonly mayRehearse: boolean;
};

export type ServerSettings = {
  readonly host: string;
  readonly port: number;
  readonly cors: CorsSettings;
  readonly masterKey: SecretReference | undefined;
  readonly keys: readonly NamedKey[];
  readonly maxBodyBytes: number;
  readonly maxParallelRequests: number | undefined;
  /** How long and how many may wait for seats; without a bound in time the request's deadline is one. */
  readonly queue: { readonly maxWaitMs: Milliseconds | undefined; readonly maxLength: number };
  /** Whether `x-litellm-model-api-base` is sent (host only). */
  readonly showApiBase: boolean;
  /** LiteLLM's `always_include_stream_usage`. */
  readonly alwaysIncludeUsage: boolean;
};

/** Where answers are kept, for how long, and of which requests. */
export type CacheSettings = {
  readonly enabled: boolean;
  readonly kind: 'local' | 'disk' | 'redis';
  /** For an answer whose request and name say nothing else. */
  readonly ttlMs: Milliseconds;
  /** By the name that is asked for. */
  readonly modelTtlMs: ReadonlyMap<string, Milliseconds>;
  readonly mode: 'default_on' | 'default_off';
  readonly endpoints: ReadonlySet<Endpoint>;
  /** Word before every key; gateways of one word share what one store holds. */
  readonly namespace: string;
  /** Bound of a store in memory or on disk. */
  readonly maxBytes: number;
  /** Folder as declared; absent: in the state folder. */
  readonly directory: string | undefined;
  readonly redis: RedisSettings;
};

/** How Redis is reached; `url` says it all where it is declared. */
export type RedisSettings = {
  readonly url: SecretReference | undefined;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: SecretReference | undefined;
  readonly database: number;
  readonly tls: boolean;
};

/** `rate_limit_settings.limits`, per name as written; groups carry theirs already. */
export type NamedLimit = { readonly name: string; readonly limit: RateLimit };

export type Settings = {
  readonly timeouts: Timeouts;
  readonly retry: RetrySettings;
  readonly cooldown: CooldownSettings;
  readonly routing: RoutingRules;
  readonly server: ServerSettings;
  readonly cache: CacheSettings;
  readonly limits: readonly NamedLimit[];
};
