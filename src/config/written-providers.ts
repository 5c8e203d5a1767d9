import type { Json } from '../plan/json.ts';
import type { HealthCheckShape, HealthChecksShape } from './written-health-checks.ts';

type Text = string | undefined;
type Count = number | undefined;
type Scalar = string | number | undefined;

/** providers.yaml as it is written, checked; what its keys mean stands in shape-providers.ts. */
export type ProvidersShape = {
  readonly providers: Readonly<Record<string, ProviderShape>>;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  readonly health_checks?: HealthChecksShape | undefined;
};

/** One provider as it is written. */
export type ProviderShape = {
  readonly type: ProviderType;
  readonly base_url?: Text;
  readonly status?: ProviderStatus | undefined;
  readonly description?: Text;
  readonly models?: readonly (string | ModelShape)[] | undefined;
  readonly health_endpoint?: Text;
  readonly health_check?: HealthCheckShape | undefined;
  readonly health_checks?: HealthCheckShape | undefined;
  readonly features?: readonly string[] | undefined;
  readonly configuration?: Readonly<Record<string, Json>> | undefined;
  readonly requires_api_key?: boolean | undefined;
  readonly env_var?: Text;
  readonly api_key?: Text;
  readonly api_version?: Text;
  readonly rate_limits?: QuotaShape | undefined;
  readonly cost_per_1k_tokens?: Readonly<Record<string, number>> | undefined;
  readonly gpu_memory_utilization?: Count;
  readonly max_model_len?: Count;
  readonly hardware_requirements?: Readonly<Record<string, Json>> | undefined;
  readonly api_format?: 'openai_compatible' | 'openai' | undefined;
  readonly service_file?: Text;
  readonly location?: Text;
  readonly docs?: Text;
  readonly notes?: Text;
  readonly custom_config?:
    | {
        readonly auth_method?: 'bearer' | 'x-api-key' | 'api-key' | 'none' | undefined;
        readonly headers?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly budget?: BudgetShape | undefined;
  readonly tier?: TierShape | undefined;
  readonly group?: string | readonly string[] | undefined;
  readonly exclusive_group?: Text;
  readonly max_parallel_requests?: Count;
  readonly verify_tls?: boolean | undefined;
  readonly ca_file?: Text;
};

export type ProviderType =
  | 'ollama'
  | 'llama_cpp'
  | 'vllm'
  | 'lm_studio'
  | 'openai'
  | 'anthropic'
  | 'openai_compatible'
  | 'azure'
  | 'echo'
  | 'litellm'
  | 'custom'
  | 'tool_server'
  | 'web_ui';

export type ProviderStatus =
  | 'active'
  | 'disabled'
  | 'inactive'
  | 'deprecated'
  | 'pending_integration'
  | 'template'
  | 'testing'
  | 'preview'
  | 'degraded'
  | 'unavailable';

/** A quality tier as it is written. */
export type TierShape = 'local' | 'cloud_entry' | 'cloud_standard' | 'cloud_premium' | 'universal';

/** A provider's quota, in words or in numbers. */
export type QuotaShape =
  | { readonly hourly?: boolean | undefined; readonly daily?: boolean | undefined; readonly details?: Text }
  | { readonly requests_per_minute?: Count; readonly tokens_per_minute?: Count };

/** A spending cap as it is written. */
export type BudgetShape = {
  readonly max_budget_usd: number;
  readonly budget_window?: '1h' | '1d' | '7d' | '30d' | undefined;
};

/** One model as it is written, in its long form. */
export type ModelShape = {
  readonly name: string;
  readonly size?: Scalar;
  readonly parameters?: Scalar;
  readonly quantization?: Text;
  readonly specialty?: Text;
  readonly use_case?: Text;
  readonly context_length?: Count;
  readonly max_output_tokens?: Count;
  readonly pulled_at?: string | Date | undefined;
  readonly options?: Readonly<Record<string, Json>> | undefined;
  readonly keep_alive?: Scalar;
  readonly description?: Text;
  readonly tags?: readonly string[] | undefined;
  readonly capabilities?: readonly string[] | undefined;
  readonly mode?: 'chat' | 'completion' | 'embedding' | undefined;
  readonly model_size_gb?: Count;
  readonly kv_cache_available_gb?: Count;
  readonly version?: Scalar;
  readonly max_parallel_requests?: Count;
  readonly rpm?: Count;
  readonly tpm?: Count;
  readonly input_cost_per_token?: Count;
  readonly output_cost_per_token?: Count;
  readonly notes?: Text;
};
