import type { Level } from '../plan/condition.ts';
import type { Json } from '../plan/json.ts';
import type { BudgetShape, TierShape } from './written-providers.ts';

type Text = string | undefined;
type Count = number | undefined;
type Names = readonly string[] | undefined;
type OneOrMore = string | Names;

/** model-mappings.yaml as it is written, checked; what its keys mean stands in shape-mappings.ts. */
export type MappingsShape = SectionsShape & {
  /** The sections one level further in, or exact matches by name. */
  readonly routes?: (SectionsShape & { readonly [name: string]: unknown }) | undefined;
};

/** The sections by their names, wherever they stand. */
export type SectionsShape = {
  readonly exact_matches?: Readonly<Record<string, ExactShape>> | undefined;
  readonly patterns?: PatternsShape | undefined;
  readonly pattern_matches?: PatternsShape | undefined;
  readonly capabilities?: Readonly<Record<string, CapabilityShape>> | undefined;
  readonly load_balancing?: Readonly<Record<string, PoolShape>> | undefined;
  readonly redundant_models?: Readonly<Record<string, PoolShape>> | undefined;
  readonly fallback_chains?: Readonly<Record<string, ChainShape>> | undefined;
  readonly routing_rules?: RulesShape | undefined;
  readonly special_cases?: SpecialCasesShape | undefined;
  readonly custom_strategies?: Readonly<Record<string, DescribedStrategyShape>> | undefined;
  readonly routing_strategies?: Readonly<Record<string, DescribedStrategyShape>> | undefined;
  readonly model_aliases?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  readonly notes?: Json | undefined;
};

export type ExactShape = {
  readonly provider: string;
  readonly priority?: 'primary' | 'secondary' | 'tertiary' | 'fallback' | number | undefined;
  readonly fallback?: OneOrMore;
  readonly fallback_chain?: Names;
  readonly description?: Text;
  readonly backend_model?: Text;
  readonly rate_limit?: { readonly rpm?: Count; readonly tpm?: Count } | undefined;
  readonly capabilities?: Names;
  readonly version?: string | number | undefined;
  readonly custom_llm_provider?: Text;
  readonly mode?: 'chat' | 'completion' | 'embedding' | undefined;
  readonly budget?: BudgetShape | undefined;
  readonly notes?: Text;
};

export type PatternShape = {
  readonly pattern: string;
  readonly provider: string;
  readonly fallback?: OneOrMore;
  readonly description?: Text;
};

/** Patterns as a list of regular expressions, or as a map of globs. */
export type PatternsShape = readonly PatternShape[] | Readonly<Record<string, string | Omit<PatternShape, 'pattern'>>>;

export type CapabilityShape = {
  readonly description?: Text;
  readonly preferred_models?: Names;
  readonly models?: Names;
  readonly provider?: Text;
  readonly providers?: Names;
  readonly fallback?: OneOrMore;
  readonly routing_strategy?: Text;
  readonly strategy?: Text;
  readonly min_model_size?: string | number | undefined;
  readonly min_context?: Count;
  readonly complexity_thresholds?: Readonly<Partial<Record<Level, string>>> | undefined;
  readonly context_thresholds?: Readonly<Partial<Record<'large' | 'complex' | 'standard', string>>> | undefined;
  readonly notes?: Text;
  readonly note?: Text;
  readonly budget?: BudgetShape | undefined;
};

export type PoolMemberShape = {
  readonly provider?: Text;
  readonly name?: Text;
  readonly weight?: Count;
  readonly condition?: Text;
  readonly preferred_model?: Text;
  readonly model?: Text;
  readonly reason?: Text;
  readonly version?: string | number | undefined;
};

export type PoolShape = {
  readonly providers: readonly (string | PoolMemberShape)[];
  readonly strategy?: Text;
  readonly description?: Text;
  readonly parameters?:
    | {
        readonly saturation_threshold?: Count;
        readonly complexity_detection?: 'token_count' | 'tokens' | 'score' | undefined;
      }
    | undefined;
  readonly saturation_overflow?: { readonly threshold?: Count; readonly overflow_to?: OneOrMore } | undefined;
  readonly fallback_chain?: Names;
  readonly fallback?: OneOrMore;
};

export type ChainItemShape =
  | string
  | {
      readonly primary?: Text;
      readonly secondary?: Text;
      readonly tertiary?: Text;
      readonly provider?: Text;
      readonly model?: Text;
      readonly condition?: Text;
      readonly preferred_model?: Text;
    };

/** A chain as a list, or as a map with its list under `chain`. */
export type ChainShape = readonly ChainItemShape[] | LongChainShape;

export type LongChainShape = {
  readonly description?: Text;
  readonly chain: readonly ChainItemShape[];
  readonly tier?: TierShape | undefined;
  readonly notes?: Text;
  readonly retry_attempts?: Count;
  readonly retry_delay_ms?: Count;
  readonly strategy?: 'immediate' | 'retry_with_backoff' | 'circuit_breaker' | undefined;
};

export type RulesShape = {
  readonly default_provider?: Text;
  readonly default_fallback?: Text;
  readonly unknown_model?: 'default_chain' | 'reject' | undefined;
  readonly request_metadata_routing?:
    | Readonly<Record<string, { readonly provider: string; readonly condition: string; readonly description?: Text }>>
    | undefined;
  readonly model_size_routing?:
    | readonly {
        readonly size: string;
        readonly provider: string;
        readonly fallback?: OneOrMore;
        readonly reason?: Text;
      }[]
    | undefined;
  readonly complexity?: { readonly medium: number; readonly high: number } | undefined;
};

export type SpecialCasesShape = {
  readonly first_request_routing?:
    | {
        readonly strategy: 'prefer_warm_providers' | 'none';
        readonly warm_check_timeout_ms?: Count;
        readonly description?: Text;
      }
    | undefined;
  readonly rate_limited_fallback?:
    | {
        readonly enabled?: boolean | undefined;
        readonly fallback_duration_seconds?: Count;
        readonly description?: Text;
      }
    | undefined;
  readonly error_based_routing?:
    | {
        readonly enabled?: boolean | undefined;
        readonly error_threshold?: Count;
        readonly cooldown_seconds?: Count;
        readonly description?: Text;
      }
    | undefined;
  readonly geographic_routing?:
    | {
        readonly enabled?: boolean | undefined;
        readonly prefer_local?: boolean | undefined;
        readonly description?: Text;
      }
    | undefined;
};

export type DescribedStrategyShape = {
  readonly description?: Text;
  readonly logic?: Text;
  readonly priority_order?: Names;
  readonly applicable_to?: Names;
  readonly weight_factors?:
    | { readonly latency?: Count; readonly success_rate?: Count; readonly cost?: Count }
    | undefined;
  readonly measure?: 'time_to_first_token' | undefined;
  readonly update_interval?: string | number | undefined;
  readonly updates?: string | number | undefined;
  readonly score?: Text;
  readonly formula?: Text;
  readonly notes?: Text;
};
