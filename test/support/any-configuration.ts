import fc from 'fast-check';
import { stringify } from 'yaml';
import { writtenSecret } from '../../src/config/interpolate.ts';
import type { SourceFile } from '../../src/config/source-file.ts';

/** Secrets that stand in the drawn files as text, which a person sets as variables for the generated file. */
export const secretTexts = ['sk-written-0123456789', 'sk-header-0123456789', 'sk-laptop-written-01234'] as const;
const [writtenKey, writtenHeader, writtenLaptop] = secretTexts;
/** A secret of which a part stands in the file. */
const partlyWritten = 'key-${CLOUD_KEY}';

/** Variables that the drawn configurations refer to. */
export const drawnEnvironment: Readonly<Record<string, string>> = {
  CLOUD_KEY: 'sk-cloud-0123456789',
  REDIS_KEY: 'redis-0123456789',
  LAPTOP_KEY: 'sk-laptop-0123456789',
  ...Object.fromEntries([...secretTexts, partlyWritten].map((text) => [writtenSecret(text).variable, text])),
};

const modelNames = ['llama3.1:latest', 'qwen2.5-coder:7b', 'org/model-7B', 'kimi-k2:1t-cloud'] as const;
const types = ['ollama', 'vllm', 'llama_cpp', 'openai_compatible', 'anthropic', 'openai', 'azure', 'litellm'] as const;
const strategies = [
  ...['weighted_round_robin', 'least_loaded', 'direct', 'load_balance', 'cost_optimized', 'priority', 'random'],
  ...['adaptive_weighted', 'quality_based', 'usage_based', 'fastest_response', 'most_capacity', 'least-busy'],
] as const;
const conditions = ['stream == true', '50 <= tokens <= 100', 'header.x-priority == "high" OR batch_size > 1', 'always'];
const tiers = ['local', 'cloud_entry', 'cloud_standard', 'cloud_premium', 'universal'] as const;

/** A record of which every field may be absent. */
function some<Shape extends object>(fields: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }) {
  return fc.record(fields, { requiredKeys: [] });
}

const count = fc.integer({ min: 1, max: 50 });
const budget = fc.record({ max_budget_usd: fc.constantFrom(1, 2.5), budget_window: fc.constantFrom('1h', '7d') });

/** The facts of a model, beside its name. */
const facts = some({
  size: fc.constantFrom('7B', '1T', 13),
  context_length: fc.constantFrom(4096, 131_072),
  max_output_tokens: count,
  specialty: fc.constantFrom('code_generation', 'general_chat', 'conversational'),
  quantization: fc.constant('Q4_K_M'),
  options: fc.constantFrom({ num_ctx: 8192 }, { num_gpu_layers: -1, temperature: 0.5 }),
  keep_alive: fc.constantFrom('10m', 300),
  description: fc.constantFrom('one: with "signs"', '日本語', '#no comment'),
  tags: fc.constantFrom(['free'], ['a', 'b']),
  capabilities: fc.constantFrom(['tools', 'vision'], ['none']),
  mode: fc.constantFrom('chat', 'embedding'),
  max_parallel_requests: count,
  rpm: count,
  tpm: count,
  input_cost_per_token: fc.constantFrom(0, 0.000_001),
  output_cost_per_token: fc.constantFrom(0.000_002),
  'x-note': fc.constant('mine'),
});

const model = fc
  .tuple(fc.constantFrom(...modelNames), fc.option(facts, { nil: undefined }))
  .map(([name, known]) => (known === undefined ? name : { name, ...known }));

const nameOf = (one: string | { readonly name: string }): string => (typeof one === 'string' ? one : one.name);

const healthCheck = some({
  endpoint: fc.constantFrom('/health', 'http://127.0.0.1:8000/v1/models'),
  interval_seconds: count,
  timeout_seconds: count,
  retry_attempts: fc.nat({ max: 3 }),
  enabled: fc.boolean(),
});

const provider = fc
  .tuple(
    fc.record({
      type: fc.constantFrom(...types),
      base_url: fc.constantFrom(
        'http://127.0.0.1:8000',
        'http://127.0.0.1:8001/v1',
        '${ADDRESS:-http://10.0.0.2:9000/v1}',
      ),
      models: fc.uniqueArray(model, { minLength: 1, selector: nameOf }),
      api_key: fc.constantFrom(
        'none',
        'os.environ/CLOUD_KEY',
        '${CLOUD_KEY}',
        '${CLOUD_KEY:-sk-of-nobody-012345}',
        writtenKey,
        partlyWritten,
        null,
      ),
    }),
    some({
      status: fc.constantFrom('active', 'degraded', 'disabled', 'template'),
      max_parallel_requests: count,
      group: fc.constantFrom('here', ['here', 'there']),
      exclusive_group: fc.constant('card'),
      tier: fc.constantFrom(...tiers),
      health_endpoint: fc.constantFrom('/props', null),
      health_check: healthCheck,
      headers: fc.constantFrom(
        { 'x-team': 'a' },
        { authorization: 'os.environ/CLOUD_KEY' },
        { authorization: writtenHeader },
      ),
      custom_config: fc.constantFrom(
        { auth_method: 'x-api-key' },
        { headers: { 'x-one': '1', 'x-api-key': writtenHeader } },
      ),
      rate_limits: fc.constantFrom(
        { requests_per_minute: 5, tokens_per_minute: 900 },
        { hourly: true, daily: false, details: 'unknown' },
      ),
      cost_per_1k_tokens: fc.constant({ 'llama3.1:latest': 0.03 }),
      verify_tls: fc.boolean(),
      api_version: fc.constant('2024-10-21'),
      budget,
      features: fc.constant(['streaming']),
      configuration: fc.constant({ n_ctx: 8192 }),
    }),
  )
  .map(([needed, further]) => ({ ...needed, ...further }));

/** What the sections of the mappings may add to a name that stands for one model of one provider. */
const exactExtras = some({
  priority: fc.constantFrom('primary', 'secondary', 'tertiary', 2, 3),
  fallback: fc.constantFrom(null, 'provider-0'),
  rate_limit: some({ rpm: count, tpm: count }),
  capabilities: fc.constantFrom(['reasoning']),
  description: fc.constant('text'),
  mode: fc.constantFrom('chat'),
  budget,
});

const routing = some({
  default_provider: fc.constant('provider-0'),
  default_fallback: fc.constant('provider-0'),
  unknown_model: fc.constantFrom('default_chain', 'reject'),
  request_metadata_routing: fc
    .constantFrom(...conditions)
    .map((condition) => ({ rule: { provider: 'provider-0', condition } })),
  model_size_routing: fc.constant([
    { size: '< 8B', provider: 'provider-0' },
    { size: '8B - 13B', provider: 'provider-0', fallback: 'first' },
    { size: '> 13B', provider: 'provider-0' },
  ]),
  complexity: fc.constant({ medium: 10, high: 20 }),
});

const specialCases = some({
  first_request_routing: fc.constantFrom({ strategy: 'prefer_warm_providers', warm_check_timeout_ms: 50 }),
  rate_limited_fallback: fc.constantFrom({ enabled: true, fallback_duration_seconds: 30 }),
  error_based_routing: fc.constantFrom({ enabled: true, error_threshold: 2, cooldown_seconds: 9 }, { enabled: false }),
  geographic_routing: fc.constantFrom({ enabled: true, prefer_local: true }),
});

/** The forms in which people write fallbacks; LiteLLM reads the first alone. */
const fallbackForms = fc.constantFrom<unknown>(
  [{ first: ['second'] }],
  [{ model: 'first', fallback_models: ['second'] }],
  { first: ['second'] },
  { first: { fallback_models: ['second'] } },
  [{ '*': ['second'] }],
);

const settings = some({
  litellm_settings: some({
    request_timeout: count,
    num_retries: fc.nat({ max: 4 }),
    drop_params: fc.boolean(),
    default_fallbacks: fc.constant(['first']),
    fallbacks: fallbackForms,
    context_window_fallbacks: fallbackForms,
    content_policy_fallbacks: fallbackForms,
    cache: fc.boolean(),
    cache_params: fc.constantFrom(
      { type: 'redis', host: 'localhost', password: writtenKey },
      { type: 'redis', redis_url: '${REDIS_KEY}' },
    ),
  }),
  router_settings: some({
    routing_strategy: fc.constantFrom('simple-shuffle', 'least-busy', 'latency-based-routing'),
    num_retries: fc.nat({ max: 4 }),
    timeout: count,
    cooldown_time: count,
    allowed_fails: count,
    retry_after: fc.nat({ max: 3 }),
    retry_policy: fc.constant({ TimeoutErrorRetries: 3 }),
    model_group_retry_policy: fc.constant({ first: { RateLimitErrorRetries: 1 } }),
    allowed_fails_policy: fc.constant({ BadRequestErrorAllowedFails: 10 }),
    model_group_alias: fc.constantFrom({ mine: 'first' }, { mine: { model: 'first', hidden: true } }),
    fallbacks: fallbackForms,
    disable_cooldowns: fc.boolean(),
  }),
  server_settings: some({
    port: fc.constantFrom(4100, '${PORT:-4200}'),
    cors: fc.constant({ enabled: true, allowed_origins: ['http://localhost:*'] }),
    keys: fc
      .constantFrom('os.environ/LAPTOP_KEY', writtenLaptop)
      .map((key) => [{ name: 'laptop', key, models: ['first'] }]),
    show_api_base: fc.boolean(),
    drain_seconds: count,
  }),
  rate_limit_settings: fc.record({ enabled: fc.boolean(), limits: fc.constant({ first: { rpm: 5, tpm: 500 } }) }),
  general_settings: some({
    master_key: fc.constantFrom('os.environ/CLOUD_KEY', '${CLOUD_KEY:-sk-other-0123456789}', writtenKey),
    health_check_interval: count,
  }),
  environment_variables: fc.constantFrom(
    { OTHER: 'os.environ/CLOUD_KEY', PLACE: 'here' },
    { OTHER_API_KEY: writtenHeader },
  ),
});

const drawnMappings = fc.record({
  exact: exactExtras,
  weights: fc.array(fc.constantFrom(0, 0.25, 0.5, 1, 3), { minLength: 4, maxLength: 4 }),
  strategy: fc.constantFrom(...strategies),
  condition: fc.constantFrom(...conditions),
  pool: fc.constantFrom(undefined, 'load_balancing', 'redundant_models'),
  capability: fc.constantFrom(undefined, 'complexity_based', 'context_based', 'usage_based', 'direct'),
  patterns: fc.constantFrom(
    { patterns: [{ pattern: '^org/.*', provider: 'provider-0', fallback: 'first' }] },
    { pattern_matches: { 'org/*': 'provider-0' } },
    {},
  ),
  chain: fc.constantFrom(
    ['second'],
    { chain: ['second'], tier: 'local', retry_attempts: 2, retry_delay_ms: 10, strategy: 'retry_with_backoff' },
    { chain: [{ primary: 'provider-0', preferred_model: 'FIRST', condition: 'stream == false' }] },
    [{ model: 'second', condition: 'always' }],
  ),
  aliases: fc.constantFrom({}, { model_aliases: { other: 'first' } }),
  routing: fc.option(routing, { nil: undefined }),
  specialCases: fc.option(specialCases, { nil: undefined }),
  isWrapped: fc.boolean(),
});

/** Configurations of everything that the language has, as people combine it; some of them do not compile. */
export const anyConfiguration: fc.Arbitrary<readonly SourceFile[]> = fc
  .record({
    providers: fc.array(provider, { minLength: 1, maxLength: 4 }),
    mappings: drawnMappings,
    settings: fc.option(settings, { nil: undefined }),
    checks: fc.constantFrom(undefined, 'own', 'file', 'wrapped'),
    check: healthCheck,
    hasPorts: fc.boolean(),
    hasLaunches: fc.boolean(),
  })
  .map((drawn) => {
    const named = Object.fromEntries(drawn.providers.map((one, index) => [`provider-${index}`, one]));
    const checks = { 'provider-0': drawn.check, interval_seconds: 30 };
    return [
      source('providers', { providers: named, ...(drawn.checks === 'own' ? { health_checks: checks } : {}) }),
      source('model-mappings', mappingsOf(drawn.mappings, drawn.providers)),
      ...(drawn.settings === undefined ? [] : [source('settings', drawn.settings)]),
      ...(drawn.checks === 'file' ? [source('health-checks', checks)] : []),
      ...(drawn.checks === 'wrapped' ? [source('health-checks', { health_checks: checks })] : []),
      ...(drawn.hasPorts ? [source('ports', { services: { gateway: { port: 4000, service: null } } })] : []),
      ...(drawn.hasLaunches
        ? [source('llamacpp-models', { models: [{ alias: 'short', backend_model: 'first' }] })]
        : []),
    ];
  });

function source(kind: SourceFile['kind'], value: unknown): SourceFile {
  return { kind, path: `${kind}.yaml`, text: stringify(value) };
}

type DrawnMappings = typeof drawnMappings extends fc.Arbitrary<infer Value> ? Value : never;
type DrawnProviders = typeof provider extends fc.Arbitrary<infer Value> ? readonly Value[] : never;

/** Names `first` and `second` at the first provider, and whatever was drawn around them. */
function mappingsOf(drawn: DrawnMappings, providers: DrawnProviders): object {
  const models = (providers[0]?.models ?? []).map(nameOf);
  const [first = ''] = models;
  const second = models.at(-1) ?? first;
  const pool = {
    providers: providers.map((one, index) => ({
      provider: `provider-${index}`,
      preferred_model: nameOf(one.models[0] ?? ''),
      weight: drawn.weights[index],
      ...(index === 1 ? { condition: drawn.condition } : {}),
    })),
    strategy: drawn.strategy,
    parameters: { saturation_threshold: 0.7 },
    saturation_overflow: { overflow_to: 'second' },
  };
  const sections = {
    exact_matches: {
      first: { provider: 'provider-0', backend_model: first, ...drawn.exact },
      second: { provider: 'provider-0', backend_model: second },
    },
    ...(drawn.pool === undefined ? {} : { [drawn.pool]: { pool } }),
    ...(drawn.capability === undefined ? {} : { capabilities: { reasoning: capabilityOf(drawn.capability) } }),
    fallback_chains: JSON.parse(JSON.stringify({ default: ['first'], first: drawn.chain }).replace('FIRST', second)),
    ...drawn.patterns,
    ...drawn.aliases,
    ...(drawn.routing === undefined ? {} : { routing_rules: drawn.routing }),
    ...(drawn.specialCases === undefined ? {} : { special_cases: drawn.specialCases }),
  };
  return drawn.isWrapped ? { routes: sections } : sections;
}

function capabilityOf(strategy: string): object {
  return {
    preferred_models: ['first', 'second'],
    routing_strategy: strategy,
    fallback: 'first',
    min_context: 1024,
    min_model_size: '3B',
    ...(strategy === 'complexity_based' ? { complexity_thresholds: { low: 'first', high: 'second' } } : {}),
    ...(strategy === 'context_based' ? { context_thresholds: { large: 'second', standard: 'first' } } : {}),
  };
}
