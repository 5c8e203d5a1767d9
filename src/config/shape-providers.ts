import { z } from 'zod';
import { type Checked, checkShape } from './check-shape.ts';
import { field, forPeople, type JsonSchema, optional } from './field.ts';
import type { Findings } from './findings.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { ParsedFile } from './parsed-file.ts';
import { healthCheck, healthChecks } from './shape-health-checks.ts';
import type { BudgetShape, ModelShape, ProviderShape, ProvidersShape } from './written-providers.ts';

const text = z.string();
const scalar = z.union([z.string(), z.number()]);

const model: z.ZodType<ModelShape> = z.strictObject({
  name: field(text.min(1), 'Name of the model at the provider; also a name that clients ask for.'),
  size: optional(scalar, 'Parameters, for example "7B" or "1T"; size rules and min_model_size compare it.', {
    default: 'read from the name, where it carries one',
  }),
  parameters: optional(scalar, 'Another word for size.'),
  quantization: forPeople(text, 'Quantization of the weights.'),
  specialty: optional(
    text,
    'What it is made for. Decides between several models of a provider that a reference could mean.',
  ),
  use_case: forPeople(text, 'What it is used for.'),
  context_length: optional(z.int().positive(), 'Its context: requests that need more go elsewhere.', {
    unit: 'tokens',
    default: 'what the server tells of itself',
    danger: 'A larger number than the server has sends requests to it that it must refuse.',
  }),
  max_output_tokens: optional(z.int().positive(), 'Most that one answer may hold.', { unit: 'tokens' }),
  pulled_at: forPeople(z.union([z.string(), z.date()]), 'Day on which it was pulled.'),
  options: optional(
    z.record(text, z.json()),
    'Runner options of Ollama, such as num_ctx. They make the gateway use Ollama’s native wire, which alone carries them.',
    { danger: 'Another num_ctx than the loaded one makes Ollama load the model again.' },
  ),
  keep_alive: optional(scalar, 'How long Ollama keeps the model loaded after a request, for example "10m".', {
    unit: 'seconds, or a text with its unit',
  }),
  description: optional(text, 'One sentence about it, shown in lists.'),
  tags: optional(z.array(text), 'Tags that requests can ask for.'),
  capabilities: optional(
    z.array(text),
    'What it can do: tools, vision, json_schema, reasoning. What is not listed is unknown and tried; "none" in the list makes it known as absent.',
  ),
  mode: optional(z.enum(['chat', 'completion', 'embedding']), 'What it answers.', {
    default: 'embedding where the name says so, else whatever is asked',
  }),
  model_size_gb: forPeople(z.number().positive(), 'Size of its file.', { unit: 'gigabytes' }),
  kv_cache_available_gb: forPeople(z.number().nonnegative(), 'Memory left for its cache.', {
    unit: 'gigabytes',
  }),
  version: forPeople(scalar),
  max_parallel_requests: optional(z.int().positive(), 'Requests that it serves at the same time; more wait.', {
    default: 'the provider’s',
  }),
  rpm: optional(z.int().positive(), 'Requests that it takes.', { unit: 'requests a minute' }),
  tpm: optional(z.int().positive(), 'Tokens that it takes and gives.', { unit: 'tokens a minute' }),
  input_cost_per_token: optional(z.number().nonnegative(), 'Price of the prompt.', { unit: 'US dollars a token' }),
  output_cost_per_token: optional(z.number().nonnegative(), 'Price of the answer.', { unit: 'US dollars a token' }),
  notes: forPeople(text),
});

const rateLimits = z.union([
  z.strictObject({
    hourly: forPeople(z.boolean(), 'Whether the provider counts by the hour.'),
    daily: forPeople(z.boolean(), 'Whether the provider counts by the day.'),
    details: forPeople(text, 'What the provider says of its quota.'),
  }),
  z.strictObject({
    requests_per_minute: optional(z.int().positive(), 'Requests that the provider takes.', {
      unit: 'requests a minute',
    }),
    tokens_per_minute: optional(z.int().positive(), 'Tokens that the provider takes and gives.', {
      unit: 'tokens a minute',
    }),
  }),
]);

/** Most that may be spent within a window. */
export const budget: z.ZodType<BudgetShape> = z.strictObject({
  max_budget_usd: field(z.number().nonnegative(), 'Most that may be spent in the window.', { unit: 'US dollars' }),
  budget_window: optional(
    z.enum(['1h', '1d', '7d', '30d']),
    'Time after which spending starts at zero again; it begins with the first spending.',
    {
      default: '30d',
    },
  ),
});

const provider: z.ZodType<ProviderShape> = z.strictObject({
  type: field(
    z.enum([
      'ollama',
      'llama_cpp',
      'vllm',
      'lm_studio',
      'openai',
      'anthropic',
      'openai_compatible',
      'azure',
      'echo',
      'litellm',
      'custom',
      'tool_server',
      'web_ui',
    ]),
    'What its server is. tool_server and web_ui serve no models and are listed for people.',
  ),
  base_url: optional(text, 'Address of its server, with or without /v1.', {
    default: 'the usual address of its type',
  }),
  status: optional(
    z.enum([
      'active',
      'disabled',
      'inactive',
      'deprecated',
      'pending_integration',
      'template',
      'testing',
      'preview',
      'degraded',
      'unavailable',
    ]),
    'Only active ones are asked (degraded and unavailable count as active: their state is measured). The names of the others are answered by their fallbacks.',
    { default: 'active' },
  ),
  description: forPeople(text, 'One sentence about it.'),
  models: optional(z.array(z.union([text, model])), 'Its models, as names or with their facts.'),
  health_endpoint: optional(text, 'Path of its probe.', {
    default: 'the probes known to be harmless for its type',
    danger: 'A path that runs a model costs what a request costs, every minute.',
  }),
  health_check: optional(healthCheck, 'How it is probed.'),
  health_checks: optional(healthCheck, 'Another word for health_check.'),
  features: forPeople(z.array(text)),
  configuration: forPeople(z.record(text, z.json()), 'How its server is launched.'),
  requires_api_key: optional(z.boolean(), 'Whether it wants a key.'),
  env_var: optional(text, 'Environment variable that holds its key.', { default: 'the usual one of its vendor' }),
  api_key: optional(text, 'Its key, as os.environ/NAME or ${NAME}.', {
    danger: 'A key written in the file itself goes wherever the file goes.',
  }),
  api_version: optional(text, 'Azure’s api-version.'),
  rate_limits: optional(rateLimits, 'Its quota: numbers are kept to, words are for people.'),
  cost_per_1k_tokens: optional(z.record(text, z.number().nonnegative()), 'Price of prompt and answer, by model.', {
    unit: 'US dollars for 1,000 tokens',
  }),
  gpu_memory_utilization: forPeople(z.number().positive().max(1), 'Share of the card that vLLM was launched with.'),
  max_model_len: optional(
    z.int().positive(),
    'Context that vLLM was launched with: that of its models which declare none.',
    {
      unit: 'tokens',
    },
  ),
  hardware_requirements: forPeople(z.record(text, z.json()), 'What its server needs.'),
  api_format: forPeople(z.enum(['openai_compatible', 'openai']), 'Wire of a custom server: every one speaks OpenAI’s.'),
  service_file: forPeople(text, 'Its systemd unit.'),
  location: forPeople(text),
  docs: forPeople(text),
  notes: forPeople(text),
  custom_config: optional(
    z.strictObject({
      auth_method: optional(z.enum(['bearer', 'x-api-key', 'api-key', 'none']), 'How it wants its key.', {
        default: 'bearer, or what its type uses',
      }),
      headers: optional(z.record(text, text), 'Headers of every request to it.'),
    }),
    'How it wants its key, and headers.',
  ),
  headers: optional(z.record(text, text), 'Headers of every request to it.'),
  budget: optional(
    budget,
    'Spending cap: where it is spent the provider is passed over. Only answers of models with a price count.',
  ),
  tier: optional(
    z.enum(['local', 'cloud_entry', 'cloud_standard', 'cloud_premium', 'universal']),
    'Quality tier: a fallback to a lower one is marked.',
    { default: 'local for an address of this machine or network, else cloud_standard' },
  ),
  group: optional(z.union([text, z.array(text)]), 'Further names that stand for it, and for others of the same group.'),
  exclusive_group: optional(text, 'Providers of one exclusive group share a card, of which one serves at a time.'),
  max_parallel_requests: optional(z.int().positive(), 'Requests that it serves at the same time; more wait.', {
    default: 'not bounded',
  }),
  verify_tls: optional(z.boolean(), 'Whether its certificate is checked.', {
    default: true,
    danger: 'false lets anybody on the way read and change requests and answers.',
  }),
  ca_file: optional(text, 'File with its own certificate authority, in PEM.'),
});

const file: z.ZodType<ProvidersShape> = z.strictObject({
  providers: field(z.record(text, provider), 'Providers by name.'),
  metadata: optional(
    z.record(text, z.json()),
    'Dates and counts kept by hand. total_providers and total_models_available are compared with the truth.',
  ),
  health_checks: optional(healthChecks, 'How all providers are probed, or some of them by name.'),
});

/** Checks providers.yaml. */
export function parseProviders(parsed: ParsedFile, findings: Findings): Checked<ProvidersShape> | undefined {
  return checkShape(file, parsed, findings);
}

/** The schema as JSON Schema, for editors and for the reference. */
export function providersJsonSchema(): JsonSchema {
  return jsonSchemaOf(file);
}
