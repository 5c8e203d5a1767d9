import type { Condition } from './condition.ts';
import type { DeploymentIndex, GroupIndex, GroupName, Milliseconds, ProviderId, Tokens } from './ids.ts';
import type { Budget, RateLimit, Tier } from './provider.ts';

/** What a group's name is, in the words of the configuration. */
export type GroupKind = 'model' | 'load_balancing' | 'capability' | 'wildcard';

/** Sections of the configuration that can speak of a name. */
export type NameSection = 'providers' | 'exact_matches' | 'load_balancing' | 'capabilities' | 'model_list';

/**
 * How the members of a group are put in order; every spelling of the files ends in one of these. Each is
 * a spelling of itself, so that what a screen shows can be written into a file.
 */
export type StrategyName =
  | 'simple_shuffle'
  | 'weighted_round_robin'
  | 'least_busy'
  | 'usage_based_routing'
  | 'usage_based'
  | 'latency_based_routing'
  | 'fastest_response'
  | 'cost_based_routing'
  | 'most_capacity'
  | 'direct'
  | 'complexity_based'
  | 'context_based'
  | 'quality_based'
  | 'adaptive_weighted'
  | 'soonest';

/** A strategy with what it was given. Deployments named by thresholds are resolved. */
export type Strategy = {
  readonly name: StrategyName;
  /** Class of a request → the deployment that goes first (complexity_based, context_based). */
  readonly classes: ReadonlyMap<string, DeploymentIndex>;
  readonly saturationThreshold: number | undefined;
  /** What complexity is read from; absent: the whole score. */
  readonly complexityBy: 'tokens' | 'score' | undefined;
  readonly latencyBuffer: number | undefined;
  readonly largeContextTokens: Tokens | undefined;
  /** Weights of the usage score's terms, as declared under routing_strategies. */
  readonly factors: { readonly speed: number; readonly success: number; readonly cost: number } | undefined;
};

/** One deployment's place in a group. */
export type Member = {
  readonly deployment: DeploymentIndex;
  /** Lower goes first; a higher order is used only when no lower one can serve. */
  readonly order: number;
  /** Share; 0 is standby; absent: the strategy's default. */
  readonly weight: number | undefined;
  readonly condition: Condition | undefined;
};

/** Where a request goes next: a whole group, or one deployment asked for one name. */
export type Target =
  | { readonly kind: 'group'; readonly group: GroupIndex }
  | { readonly kind: 'deployment'; readonly deployment: DeploymentIndex };

export type ChainItem = {
  readonly target: Target;
  readonly condition: Condition | undefined;
};

/** Ordered fallbacks. */
export type Chain = {
  readonly items: readonly ChainItem[];
  /** Tier of the name that the chain stands behind; absent: that of the provider that was to answer. */
  readonly tier: Tier | undefined;
  readonly strategy: 'immediate' | 'retry_with_backoff' | 'circuit_breaker';
  readonly retryAttempts: number | undefined;
  readonly retryDelayMs: Milliseconds | undefined;
};

/** A name that clients may ask for, and what answers it. */
export type ModelGroup = {
  readonly index: GroupIndex;
  readonly name: GroupName;
  readonly kind: GroupKind;
  /** Every section that speaks of the name, the first that did so first. */
  readonly declaredIn: readonly NameSection[];
  readonly description: string | undefined;
  readonly members: readonly Member[];
  readonly strategy: Strategy;
  /** Capability that the group stands for or its exact entry declares; peers of it may stand in. */
  readonly capability: string | undefined;
  /** The exact entry's `fallback`, already resolved to models. */
  readonly fallback: readonly Target[];
  readonly chain: Chain | undefined;
  /** Where requests go first as long as what is at home is saturated. */
  readonly overflow: readonly Target[];
  /** LiteLLM's `context_window_fallbacks` and `content_policy_fallbacks` of this group. */
  readonly contextFallbacks: readonly Target[];
  readonly contentFallbacks: readonly Target[];
  readonly limit: RateLimit;
  readonly budget: Budget | undefined;
  /** Every capability that the exact entry declares. */
  readonly standsInFor: readonly string[];
  /** What a capability asks for and none of its members has: its answers are degraded. */
  readonly unsatisfied: string | undefined;
  /** Whether `/v1/models` lists it; hidden aliases and wildcards are not listed. */
  readonly listed: boolean;
  /** Provider shown in `/v1/models` as its owner: the first member's. */
  readonly owner: ProviderId | undefined;
};

/** What a known name stands for. */
export type NameTarget =
  | { readonly kind: 'group'; readonly group: GroupIndex }
  | { readonly kind: 'alias'; readonly group: GroupIndex; readonly hidden: boolean }
  | { readonly kind: 'deployment'; readonly deployment: DeploymentIndex };

/** Part of the seats from which a deployment counts as full, where its group declares none. */
export const usualSaturation = 0.8;
