import type { Deployment } from '../plan/deployment.ts';
import type { Milliseconds, Tokens } from '../plan/ids.ts';
import type { Provider, RateLimit, Tier } from '../plan/provider.ts';
import type { SecretReference } from '../plan/secret.ts';
import type { CacheSettings, LoggingSettings, PolicyClass } from '../plan/settings.ts';
import type { Place } from './findings.ts';

/**
 * Everything that a configuration declares, in one form for every spelling and for both kinds of
 * files: native sources and LiteLLM's. Names that point elsewhere are still names; `lower.ts`
 * resolves them. What is absent was not declared: defaults are the lowering's business. Every
 * thing carries its place, so that a finding made later still points at a line.
 */
export type Declared = {
  readonly providers: readonly DeclaredProvider[];
  /** LiteLLM's model_list: deployments under public names, equal names forming a pool. */
  readonly groups: readonly DeclaredGroup[];
  readonly exactMatches: readonly DeclaredExact[];
  readonly patterns: readonly DeclaredPattern[];
  readonly capabilities: readonly DeclaredCapability[];
  readonly pools: readonly DeclaredPool[];
  /** Chains by name; the one called `default` is for names that nobody knows. */
  readonly chains: readonly DeclaredChain[];
  readonly rules: DeclaredRules;
  readonly specialCases: DeclaredSpecialCases;
  readonly strategies: readonly DeclaredStrategy[];
  readonly aliases: readonly DeclaredAlias[];
  /** Fallbacks as router_settings and litellm_settings have them. */
  readonly fallbacks: readonly DeclaredFallback[];
  readonly settings: DeclaredSettings;
  readonly ports: readonly DeclaredPort[];
  /** Counts that people keep by hand, to be compared with the truth. */
  readonly counts: readonly DeclaredCount[];
  readonly launches: readonly DeclaredLaunch[];
  readonly dashboard: DeclaredDashboard;
};

/** A declared value with its place. */
export type Stated<Value> = { readonly value: Value; readonly at: Place };

/** A name that stands for something declared elsewhere, or a spelling still to be read. */
export type Reference = Stated<string>;

/** A deployment of which everything is known but its place in the plan. */
export type DeclaredModel = {
  readonly at: Place;
  readonly model: Omit<Deployment, 'index' | 'id' | 'provider'>;
};

/** A provider with the models that its own entry lists; a LiteLLM file's providers list none. */
export type DeclaredProvider = {
  readonly at: Place;
  readonly provider: Provider;
  readonly models: readonly DeclaredModel[];
  /** systemd unit, launch wishes and other facts of its server, for the operations that use them. */
  readonly budget: DeclaredBudget | undefined;
};

/** One public name of a LiteLLM file; a name with `*` is a wildcard. */
export type DeclaredGroup = {
  readonly name: string;
  readonly at: Place;
  readonly description: string | undefined;
  readonly members: readonly DeclaredGroupMember[];
};

/** One entry of model_list. Entries of one provider share its name. */
export type DeclaredGroupMember = DeclaredModel & {
  readonly provider: Provider['id'];
  readonly order: number | undefined;
  readonly weight: number | undefined;
};

export type DeclaredBudget = {
  readonly at: Place;
  readonly maxUsd: number;
  readonly windowMs: Milliseconds | undefined;
};

export type DeclaredExact = {
  readonly name: string;
  readonly at: Place;
  readonly provider: Reference;
  readonly backendModel: Reference | undefined;
  readonly order: number | undefined;
  readonly fallback: readonly Reference[];
  readonly description: string | undefined;
  readonly limit: RateLimit | undefined;
  readonly capabilities: readonly string[];
  readonly kind: Deployment['kind'];
  readonly budget: DeclaredBudget | undefined;
};

export type DeclaredPattern = {
  readonly at: Place;
  readonly pattern: Reference;
  readonly provider: Reference;
  readonly fallback: readonly Reference[];
  readonly description: string | undefined;
};

export type DeclaredCapability = {
  readonly name: string;
  readonly at: Place;
  readonly description: string | undefined;
  readonly models: readonly Reference[];
  readonly providers: readonly Reference[];
  readonly fallback: readonly Reference[];
  readonly strategy: Reference | undefined;
  readonly minBillions: number | undefined;
  readonly minContext: Tokens | undefined;
  /** Class of a request → the model that goes first for it. */
  readonly classes: readonly { readonly name: string; readonly model: Reference }[];
  readonly budget: DeclaredBudget | undefined;
};

export type DeclaredPool = {
  readonly name: string;
  readonly at: Place;
  readonly description: string | undefined;
  readonly members: readonly DeclaredPoolMember[];
  readonly strategy: Reference | undefined;
  readonly saturationThreshold: number | undefined;
  readonly overflow: readonly Reference[];
  readonly fallback: readonly Reference[];
};

export type DeclaredPoolMember = {
  readonly at: Place;
  readonly provider: Reference;
  readonly model: Reference | undefined;
  readonly weight: number | undefined;
  readonly condition: Reference | undefined;
  readonly reason: string | undefined;
};

export type DeclaredChain = {
  readonly name: string;
  readonly at: Place;
  readonly items: readonly DeclaredChainItem[];
  readonly tier: Tier | undefined;
  readonly strategy: 'immediate' | 'retry_with_backoff' | 'circuit_breaker' | undefined;
  readonly retryAttempts: number | undefined;
  readonly retryDelayMs: Milliseconds | undefined;
};

export type DeclaredChainItem = {
  readonly target: Reference;
  readonly model: Reference | undefined;
  readonly condition: Reference | undefined;
};

export type DeclaredRules = {
  readonly defaultProvider: Reference | undefined;
  readonly defaultFallback: Reference | undefined;
  readonly unknownModel: 'default_chain' | 'reject' | undefined;
  readonly metadata: readonly DeclaredMetadataRule[];
  readonly sizes: readonly DeclaredSizeRule[];
  readonly complexity: { readonly medium: number; readonly high: number } | undefined;
};

export type DeclaredMetadataRule = {
  readonly name: string;
  readonly at: Place;
  readonly provider: Reference;
  readonly condition: Reference;
};

export type DeclaredSizeRule = {
  readonly at: Place;
  readonly size: Reference;
  readonly provider: Reference;
  readonly fallback: readonly Reference[];
  readonly reason: string | undefined;
};

export type DeclaredSpecialCases = {
  readonly preferWarm: { readonly checkTimeoutMs: Milliseconds | undefined } | undefined;
  readonly rateLimited: { readonly enabled: boolean; readonly holdMs: Milliseconds | undefined } | undefined;
  readonly errors:
    | {
        readonly enabled: boolean;
        readonly threshold: number | undefined;
        readonly cooldownMs: Milliseconds | undefined;
      }
    | undefined;
  readonly geographic: { readonly enabled: boolean; readonly preferLocal: boolean } | undefined;
};

/** A strategy that the mappings describe or give numbers to, by its own name or by one of ours. */
export type DeclaredStrategy = {
  readonly name: string;
  readonly at: Place;
  readonly factors: { readonly speed: number; readonly success: number; readonly cost: number } | undefined;
  /** Groups or providers in order of preference. */
  readonly order: readonly Reference[];
  readonly appliesTo: readonly Reference[];
};

export type DeclaredAlias = {
  readonly name: string;
  readonly at: Place;
  readonly target: Reference;
  /** Answered, but not listed. */
  readonly hidden: boolean;
};

/** Which failures lead to these fallbacks. */
export type FallbackKind = 'general' | 'context_window' | 'content_policy';

export type DeclaredFallback = {
  readonly kind: FallbackKind;
  /** A name, or `*` for every name. */
  readonly group: Reference;
  readonly targets: readonly Reference[];
};

/** The sections of settings.yaml and of a LiteLLM file; times are milliseconds whatever the file counts in. */
export type DeclaredSettings = {
  readonly timeouts: {
    readonly request: Stated<Milliseconds> | undefined;
    readonly attempt: Stated<Milliseconds> | undefined;
    readonly firstToken: Stated<Milliseconds> | undefined;
    readonly betweenChunks: Stated<Milliseconds> | undefined;
    readonly connect: Stated<Milliseconds> | undefined;
    readonly heartbeatAfter: Stated<Milliseconds> | undefined;
    readonly drain: Stated<Milliseconds> | undefined;
  };
  readonly retry: {
    readonly retries: Stated<number> | undefined;
    readonly maxFallbacks: Stated<number> | undefined;
    readonly retryAfter: Stated<Milliseconds> | undefined;
    readonly policy: ReadonlyMap<PolicyClass, number>;
    readonly groupPolicy: readonly {
      readonly group: Reference;
      readonly policy: ReadonlyMap<PolicyClass, number>;
    }[];
  };
  readonly cooldown: {
    readonly enabled: Stated<boolean> | undefined;
    readonly allowedFails: Stated<number> | undefined;
    readonly cooldown: Stated<Milliseconds> | undefined;
    readonly allowedFailsPolicy: ReadonlyMap<PolicyClass, number>;
  };
  readonly routing: {
    readonly strategy: Reference | undefined;
    readonly latencyBuffer: Stated<number> | undefined;
    readonly preCallChecks: Stated<boolean> | undefined;
    readonly tagFiltering: Stated<boolean> | undefined;
    readonly tagsMatchAny: Stated<boolean> | undefined;
    readonly defaultFallbacks: readonly Reference[];
    /** Group that answers requests that name no model. */
    readonly defaultModel: Reference | undefined;
  };
  readonly server: {
    readonly host: Stated<string> | undefined;
    readonly port: Stated<number> | undefined;
    readonly cors: Stated<{ readonly enabled: boolean; readonly allowedOrigins: readonly string[] }> | undefined;
    readonly masterKey: Stated<SecretReference> | undefined;
    readonly keys: readonly DeclaredKey[];
    readonly maxBodyBytes: Stated<number> | undefined;
    readonly maxParallelRequests: Stated<number> | undefined;
    readonly seatsPerDeployment: Stated<number> | undefined;
    readonly showApiBase: Stated<boolean> | undefined;
    readonly alwaysIncludeUsage: Stated<boolean> | undefined;
  };
  readonly probes: {
    readonly enabled: Stated<boolean> | undefined;
    readonly interval: Stated<Milliseconds> | undefined;
  };
  readonly cache: Stated<CacheSettings> | undefined;
  readonly logging: {
    readonly level: Stated<LoggingSettings['level']> | undefined;
    readonly slowRequest: Stated<Milliseconds> | undefined;
  };
  /** `rate_limit_settings.limits`; empty where the section is switched off. */
  readonly limits: readonly { readonly name: Reference; readonly limit: RateLimit }[];
};

export type DeclaredKey = {
  readonly name: string;
  readonly at: Place;
  readonly secret: SecretReference;
  /** Names that the key may ask for; empty: all. */
  readonly models: readonly Reference[];
  readonly limit: RateLimit;
};

/** One service of ports.yaml. */
export type DeclaredPort = {
  readonly service: string;
  readonly at: Place;
  readonly port: number;
  readonly isReserved: boolean;
};

export type DeclaredCount = {
  readonly at: Place;
  readonly of: 'providers' | 'models';
  readonly stated: number;
};

/** A model file that llama.cpp can be started with, and the alias it goes by. */
export type DeclaredLaunch = {
  readonly alias: string;
  readonly at: Place;
  readonly backendModel: string | undefined;
  readonly display: string | undefined;
  readonly repository: string | undefined;
  readonly file: string | undefined;
  readonly contextTokens: Tokens | undefined;
  readonly gpuLayers: number | undefined;
};

/** What the terminal dashboard takes from dashboard-config.yaml. */
export type DeclaredDashboard = {
  readonly refreshMs: Stated<Milliseconds> | undefined;
  readonly show: ReadonlyMap<string, boolean>;
};
