import { z } from 'zod';
import { checkShape } from './check-shape.ts';
import type { Findings } from './findings.ts';
import type { ParsedFile } from './parsed-file.ts';

const text = z.string();
const names = z.array(text);
const limit = z.strictObject({ rpm: z.int().positive().optional(), tpm: z.int().positive().optional() });
const budget = z.strictObject({
  max_budget_usd: z.number().nonnegative(),
  budget_window: z.enum(['1h', '1d', '7d', '30d']).optional(),
});

const exactEntry = z
  .strictObject({
    provider: text.describe('Provider, provider type or group that answers.'),
    priority: z
      .union([z.enum(['primary', 'secondary', 'tertiary', 'fallback']), z.int().positive()])
      .optional()
      .describe('Order: primary is 1.'),
    fallback: z.union([text, names, z.null()]).optional().describe('What answers instead: a provider or a model.'),
    fallback_chain: names.optional().describe('Fallbacks in order.'),
    description: text.optional().describe('For people.'),
    backend_model: text.optional().describe('Model at the provider, where it differs from the name.'),
    rate_limit: limit.optional().describe('Limits of this name.'),
    capabilities: names.optional().describe('Capabilities that it may stand in for.'),
    version: z.union([text, z.number()]).optional().describe('For people.'),
    custom_llm_provider: text.optional().describe('LiteLLM’s provider for the generated file.'),
    mode: text.optional().describe('chat, completion or embedding.'),
    budget: budget.optional().describe('Spend cap.'),
    notes: text.optional().describe('For people.'),
  })
  .describe('A name and the provider that answers it.');

const pattern = z.strictObject({
  pattern: text.describe('Regular expression of linear time.'),
  provider: text.describe('Provider that is asked for the literal name.'),
  fallback: z.union([text, names, z.null()]).optional().describe('What answers instead.'),
  description: text.optional().describe('For people.'),
});

const capability = z.strictObject({
  description: text.optional().describe('For people.'),
  preferred_models: names.optional().describe('Models in order of preference.'),
  models: names.optional().describe('Another word for preferred_models.'),
  provider: text.optional().describe('Provider whose models serve.'),
  providers: names.optional().describe('Providers whose models serve.'),
  fallback: z.union([text, names]).optional().describe('What answers instead.'),
  routing_strategy: text.optional().describe('How the models are put in order.'),
  strategy: text.optional().describe('Another word for routing_strategy.'),
  min_model_size: z.union([text, z.number()]).optional().describe('Least size of a model, for example "13B".'),
  min_context: z.int().positive().optional().describe('Least context of a model, in tokens.'),
  complexity_thresholds: z
    .record(text, text)
    .optional()
    .describe('Model that goes first for low, medium and high complexity.'),
  context_thresholds: z
    .record(text, text)
    .optional()
    .describe('Model that goes first for large, complex and standard prompts.'),
  notes: text.optional().describe('For people.'),
  note: text.optional().describe('For people.'),
  budget: budget.optional().describe('Spend cap.'),
});

const poolMember = z.strictObject({
  provider: text.optional().describe('Provider of the member.'),
  name: text.optional().describe('Another word for provider.'),
  weight: z.number().nonnegative().optional().describe('Its share; 0 is standby.'),
  condition: text.optional().describe('When it takes part.'),
  preferred_model: text.optional().describe('Its model, where it differs from the name.'),
  model: text.optional().describe('Another word for preferred_model.'),
  reason: text.optional().describe('For people.'),
  version: z.union([text, z.number()]).optional().describe('For people.'),
});

const pool = z.strictObject({
  providers: z.array(z.union([text, poolMember])).describe('Members of the pool.'),
  strategy: text.optional().describe('How members share the requests.'),
  description: text.optional().describe('For people.'),
  parameters: z
    .strictObject({ saturation_threshold: z.number().min(0).max(1).optional(), complexity_detection: text.optional() })
    .optional()
    .describe('Numbers of the strategy.'),
  saturation_overflow: z
    .strictObject({ threshold: z.number().optional(), overflow_to: z.union([text, names]).optional() })
    .optional()
    .describe('Where requests go when local members are full.'),
  fallback_chain: names.optional().describe('Fallbacks in order.'),
});

const chainItem = z.union([
  text,
  z.strictObject({
    primary: text.optional(),
    secondary: text.optional(),
    tertiary: text.optional(),
    provider: text.optional(),
    model: text.optional(),
    condition: text.optional(),
    preferred_model: text.optional(),
  }),
]);

const chain = z.union([
  z.array(chainItem),
  z.strictObject({
    description: text.optional().describe('For people.'),
    chain: z.array(chainItem).describe('Fallbacks in order.'),
    tier: z
      .enum(['local', 'cloud_entry', 'cloud_standard', 'cloud_premium', 'universal'])
      .optional()
      .describe('Tier of the chain.'),
    notes: text.optional().describe('For people.'),
    retry_attempts: z.int().nonnegative().optional().describe('Retries within the chain.'),
    retry_delay_ms: z.number().nonnegative().optional().describe('Milliseconds before an item of the chain.'),
    strategy: z
      .enum(['immediate', 'retry_with_backoff', 'circuit_breaker'])
      .optional()
      .describe('How the chain is followed.'),
  }),
]);

const rules = z.strictObject({
  default_provider: text.optional().describe('Provider asked for names that no rule knows.'),
  default_fallback: text.optional().describe('Provider asked after it.'),
  unknown_model: z
    .enum(['default_chain', 'reject'])
    .optional()
    .describe('reject answers 404 although a default chain is declared.'),
  request_metadata_routing: z
    .record(text, z.strictObject({ provider: text, condition: text }))
    .optional()
    .describe('Providers that go first where a condition holds.'),
  model_size_routing: z
    .array(z.strictObject({ size: text, provider: text, fallback: text.optional(), reason: text.optional() }))
    .optional()
    .describe('Providers by the size that a name carries.'),
  complexity: z
    .strictObject({ medium: z.number(), high: z.number() })
    .optional()
    .describe('Scores from which a request is of medium and of high complexity.'),
});

const specialCases = z.strictObject({
  first_request_routing: z
    .strictObject({
      strategy: text,
      warm_check_timeout_ms: z.number().positive().optional(),
      description: text.optional(),
    })
    .optional(),
  rate_limited_fallback: z
    .strictObject({
      enabled: z.boolean().optional(),
      fallback_duration_seconds: z.number().positive().optional(),
      description: text.optional(),
    })
    .optional(),
  error_based_routing: z
    .strictObject({
      enabled: z.boolean().optional(),
      error_threshold: z.int().positive().optional(),
      cooldown_seconds: z.number().positive().optional(),
      description: text.optional(),
    })
    .optional(),
  geographic_routing: z
    .strictObject({
      enabled: z.boolean().optional(),
      prefer_local: z.boolean().optional(),
      description: text.optional(),
    })
    .optional(),
});

const sections = {
  exact_matches: z.record(text, exactEntry).optional().describe('Names and the providers that answer them.'),
  patterns: z.array(pattern).optional().describe('Rules by regular expression, the first that fits.'),
  pattern_matches: z.array(pattern).optional().describe('Another word for patterns.'),
  capabilities: z.record(text, capability).optional().describe('What requests can ask for instead of a name.'),
  load_balancing: z.record(text, pool).optional().describe('Pools.'),
  redundant_models: z.record(text, pool).optional().describe('Another word for load_balancing.'),
  fallback_chains: z
    .record(text, chain)
    .optional()
    .describe('Ordered fallbacks by name; `default` is for unknown names.'),
  routing_rules: rules.optional().describe('Rules for everything else.'),
  special_cases: specialCases.optional().describe('Warm preference, rate limits, errors, places.'),
  custom_strategies: z.record(text, z.json()).optional().describe('Strategies described by hand.'),
  routing_strategies: z.record(text, z.json()).optional().describe('Numbers of the strategies.'),
  model_aliases: z.record(text, text).optional().describe('Other names of models.'),
  metadata: z.record(text, z.json()).optional().describe('Counts kept by hand; they are compared with the truth.'),
  notes: z.json().optional().describe('For people.'),
};

const file = z.strictObject({
  ...sections,
  routes: z
    .strictObject(sections)
    .partial()
    .optional()
    .describe('The sections under one key, as some files have them.'),
});

/** model-mappings.yaml as it is written, checked. */
export type MappingsShape = z.output<typeof file>;
export type CapabilityShape = z.output<typeof capability>;
export type PoolShape = z.output<typeof pool>;
export type ChainShape = z.output<typeof chain>;
export type ChainItemShape = z.output<typeof chainItem>;
export type ExactShape = z.output<typeof exactEntry>;
export type RulesShape = z.output<typeof rules>;

/** Checks model-mappings.yaml. */
export function parseMappings(parsed: ParsedFile, findings: Findings): MappingsShape | undefined {
  return checkShape(file, parsed, findings);
}

/** The schema as JSON Schema, for editors. */
export function mappingsJsonSchema(): unknown {
  return z.toJSONSchema(file, { unrepresentable: 'any', io: 'input' });
}
