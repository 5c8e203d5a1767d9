import { z } from 'zod';
import { checkShape } from './check-shape.ts';
import type { Findings } from './findings.ts';
import type { ParsedFile } from './parsed-file.ts';

const text = z.string();
const scalar = z.union([z.string(), z.number()]);

const model = z
  .strictObject({
    name: text.min(1).describe('Name of the model at the provider; also the name that clients ask for.'),
    size: scalar.optional().describe('Parameters, for example "7B" or "1T".'),
    quantization: text.optional().describe('Quantization, for people.'),
    specialty: text.optional().describe('What it is made for; decides between several models of a provider.'),
    use_case: text.optional().describe('What it is used for, for people.'),
    context_length: z.int().positive().optional().describe('Context in tokens: longer prompts go elsewhere.'),
    max_output_tokens: z.int().positive().optional().describe('Most tokens of one answer.'),
    pulled_at: z.union([z.string(), z.date()]).optional().describe('Day on which it was pulled, for people.'),
    options: z
      .record(text, z.json())
      .optional()
      .describe(
        'Runner options of Ollama, such as num_ctx; they make the gateway use its native wire. Another num_ctx than the loaded one reloads the model.',
      ),
    keep_alive: scalar
      .optional()
      .describe('How long Ollama keeps the model loaded after a request, for example "10m".'),
    description: text.optional().describe('For people.'),
    tags: z.array(text).optional().describe('Tags for tag routing.'),
    capabilities: z
      .array(text)
      .optional()
      .describe(
        'What it can do: tools, vision, json_schema, reasoning, embedding. What is not listed is unknown, unless the list has "none".',
      ),
    mode: text.optional().describe('chat, completion or embedding.'),
    model_size_gb: z.number().optional().describe('Size on disk, for people.'),
    kv_cache_available_gb: z.number().optional().describe('Memory left for its cache, for people.'),
    version: scalar.optional().describe('For people.'),
    parameters: scalar.optional().describe('Another word for size.'),
    max_parallel_requests: z.int().positive().optional().describe('Requests that it serves at the same time.'),
    rpm: z.int().positive().optional().describe('Requests a minute.'),
    tpm: z.int().positive().optional().describe('Tokens a minute.'),
    notes: text.optional().describe('For people.'),
  })
  .describe('A model of a provider.');

const healthCheck = z.strictObject({
  endpoint: text.optional().describe('Path of the probe.'),
  enabled: z.boolean().optional().describe('Whether it is probed.'),
  interval_seconds: z.number().positive().optional().describe('Seconds between probes.'),
  timeout_seconds: z.number().positive().optional().describe('Seconds that a probe may take.'),
  retry_attempts: z.int().nonnegative().optional().describe('Further tries before a provider counts as down.'),
});

const rateLimits = z.union([
  z
    .strictObject({ hourly: z.boolean().optional(), daily: z.boolean().optional(), details: text.optional() })
    .describe('What the provider says of its quota, for people.'),
  z
    .strictObject({
      requests_per_minute: z.int().positive().optional(),
      tokens_per_minute: z.int().positive().optional(),
    })
    .describe('Its quota a minute.'),
]);

const provider = z
  .strictObject({
    type: z
      .enum([
        'ollama',
        'llama_cpp',
        'vllm',
        'openai',
        'anthropic',
        'openai_compatible',
        'azure',
        'echo',
        'litellm',
        'custom',
        'tool_server',
        'web_ui',
      ])
      .describe('Dialect of its server.'),
    base_url: text.optional().describe('Its address, with or without /v1.'),
    status: z
      .enum(['active', 'disabled', 'pending_integration', 'template', 'inactive', 'deprecated', 'testing', 'preview'])
      .optional()
      .describe('Only active ones answer; the names of others are answered by their fallbacks.'),
    description: text.optional().describe('For people.'),
    models: z
      .array(z.union([text, model]))
      .optional()
      .describe('Its models, as names or with their facts.'),
    health_endpoint: text.optional().describe('Path of its probe; must not run a model.'),
    health_check: healthCheck.optional().describe('Its probe.'),
    features: z.array(text).optional().describe('For people.'),
    configuration: z
      .record(text, z.json())
      .optional()
      .describe('How its server is launched, for people and for drift checks.'),
    requires_api_key: z.boolean().optional().describe('Whether it wants a key.'),
    env_var: text.optional().describe('Environment variable that holds its key.'),
    api_key: text.optional().describe('Its key as os.environ/NAME or ${NAME}. A key in the file itself is warned of.'),
    api_version: text.optional().describe('Azure’s api-version.'),
    rate_limits: rateLimits.optional().describe('Its quota.'),
    cost_per_1k_tokens: z
      .record(text, z.number().nonnegative())
      .optional()
      .describe('US dollars for 1,000 tokens, by model.'),
    gpu_memory_utilization: z.number().optional().describe('vLLM’s share of the card, for people.'),
    max_model_len: z.int().positive().optional().describe('vLLM’s context in tokens.'),
    hardware_requirements: z.record(text, z.json()).optional().describe('For people.'),
    api_format: text.optional().describe('openai_compatible makes a custom type speak OpenAI’s wire.'),
    service_file: text.optional().describe('Its systemd unit, for people.'),
    location: text.optional().describe('For people.'),
    docs: text.optional().describe('For people.'),
    notes: text.optional().describe('For people.'),
    custom_config: z
      .strictObject({ auth_method: text.optional(), headers: z.record(text, text).optional() })
      .optional()
      .describe('How it wants its key, and extra headers.'),
    headers: z.record(text, text).optional().describe('Extra headers of every request.'),
    budget: z
      .strictObject({
        max_budget_usd: z.number().nonnegative(),
        budget_window: z.enum(['1h', '1d', '7d', '30d']).optional(),
      })
      .optional()
      .describe('Spend cap.'),
    tier: z
      .enum(['local', 'cloud_entry', 'cloud_standard', 'cloud_premium', 'universal'])
      .optional()
      .describe('Quality tier; by its address where absent.'),
    group: z
      .union([text, z.array(text)])
      .optional()
      .describe('Names that stand for it in references.'),
    exclusive_group: text.optional().describe('Providers that share one card, of which one serves at a time.'),
    max_parallel_requests: z.int().positive().optional().describe('Requests that it serves at the same time.'),
    verify_tls: z
      .boolean()
      .optional()
      .describe('false accepts any certificate. Only for a server of your own on your own network.'),
    ca_file: text.optional().describe('Certificate authority of its own, as a PEM file.'),
  })
  .describe('A provider.');

const file = z.strictObject({
  providers: z.record(text, provider).describe('Providers by name.'),
  metadata: z
    .record(text, z.json())
    .optional()
    .describe('Counts and dates kept by hand; counts are compared with the truth.'),
  health_checks: z
    .strictObject({
      enabled: z.boolean().optional().describe('Whether providers are probed.'),
      interval_seconds: z.number().positive().optional().describe('Seconds between probes; 60 where absent.'),
      timeout_seconds: z.number().positive().optional().describe('Seconds that a probe may take; 5 where absent.'),
      retry_attempts: z.int().nonnegative().optional().describe('Further tries before a provider counts as down.'),
      endpoints: z.record(text, text).optional().describe('Addresses of probes by provider.'),
    })
    .optional()
    .describe('Probes of all providers.'),
});

/** providers.yaml as it is written, checked. */
export type ProvidersShape = z.output<typeof file>;
/** One provider as it is written. */
export type ProviderShape = z.output<typeof provider>;
/** One model as it is written, in its long form. */
export type ModelShape = z.output<typeof model>;

/** Checks providers.yaml. */
export function parseProviders(parsed: ParsedFile, findings: Findings): ProvidersShape | undefined {
  return checkShape(file, parsed, findings);
}

/** The schema as JSON Schema, for editors. */
export function providersJsonSchema(): unknown {
  return z.toJSONSchema(file, { unrepresentable: 'any', io: 'input' });
}
