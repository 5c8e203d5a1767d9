import { z } from 'zod';
import { levels } from '../plan/condition.ts';
import { usualSaturation } from '../plan/model-group.ts';
import { type Checked, checkShape } from './check-shape.ts';
import { field, forPeople, type JsonSchema, optional } from './field.ts';
import type { Findings } from './findings.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { ParsedFile } from './parsed-file.ts';
import { budget } from './shape-providers.ts';
import type {
  CapabilityShape,
  ChainItemShape,
  ChainShape,
  DescribedStrategyShape,
  ExactShape,
  MappingsShape,
  PatternShape,
  PatternsShape,
  PoolMemberShape,
  PoolShape,
  RulesShape,
  SpecialCasesShape,
} from './written-mappings.ts';

const text = z.string();
const names = z.array(text);
const oneOrMore = z.union([text, names]);
const tier = z.enum(['local', 'cloud_entry', 'cloud_standard', 'cloud_premium', 'universal']);
const nameBudget =
  'Spending cap: where it is spent a request for the name gets 429. Only answers of models with a price count.';
const fallback = 'What answers when this cannot: models or providers, in order.';
const strategy = 'How the members are put in order; every spelling stands in the routing explanation.';

const exactEntry: z.ZodType<ExactShape> = z.strictObject({
  provider: field(text, 'Provider, provider type or group that answers.'),
  priority: optional(
    z.union([z.enum(['primary', 'secondary', 'tertiary', 'fallback']), z.int().positive()]),
    'Place in a pool of the same name: a later one serves only when no earlier one can.',
    { default: 'primary, which is 1' },
  ),
  fallback: optional(oneOrMore, fallback),
  fallback_chain: optional(names, 'Another word for fallback.'),
  description: optional(text, 'One sentence about it, shown in lists.'),
  backend_model: optional(text, 'Model at the provider, where its name is another.'),
  rate_limit: optional(
    z.strictObject({
      rpm: optional(z.int().positive(), 'Requests that reach the name.', { unit: 'requests a minute' }),
      tpm: optional(z.int().positive(), 'Tokens that reach and leave the name.', { unit: 'tokens a minute' }),
    }),
    'Limits of the name.',
  ),
  capabilities: optional(names, 'Capabilities that it may stand in for when their own models cannot.'),
  version: forPeople(z.union([text, z.number()])),
  custom_llm_provider: optional(text, 'Provider prefix that the generated file gives it for LiteLLM.'),
  mode: optional(z.enum(['chat', 'completion', 'embedding']), 'What it answers.'),
  budget: optional(budget, nameBudget),
  notes: forPeople(text),
});

const pattern: z.ZodType<PatternShape> = z.strictObject({
  pattern: field(text, 'Regular expression, matched in linear time; the first in the file that fits decides.'),
  provider: field(text, 'Provider that is asked for the literal name.'),
  fallback: optional(oneOrMore, fallback),
  description: forPeople(text),
});

const patterns: z.ZodType<PatternsShape> = z.union([
  z.array(pattern),
  z.record(
    text,
    z.union([
      text,
      z.strictObject({
        provider: field(text, 'Provider that is asked for the literal name.'),
        fallback: optional(oneOrMore, fallback),
        description: forPeople(text),
      }),
    ]),
  ),
]);

const capability: z.ZodType<CapabilityShape> = z.strictObject({
  description: optional(text, 'One sentence about it, shown in lists.'),
  preferred_models: optional(names, 'Models in order of preference.'),
  models: optional(names, 'Another word for preferred_models.'),
  provider: optional(text, 'Provider whose models serve.'),
  providers: optional(names, 'Providers whose models serve.'),
  fallback: optional(oneOrMore, fallback),
  routing_strategy: optional(text, strategy, { default: 'direct' }),
  strategy: optional(text, 'Another word for routing_strategy.'),
  min_model_size: optional(z.union([text, z.number()]), 'Least size of a model that serves.', {
    unit: 'parameters, for example "13B"',
  }),
  min_context: optional(z.int().positive(), 'Least context of a model that serves.', { unit: 'tokens' }),
  complexity_thresholds: optional(
    z.partialRecord(z.enum(levels), text),
    'Model that goes first for a class of complexity (strategy complexity_based).',
  ),
  context_thresholds: optional(
    z.partialRecord(z.enum(['large', 'complex', 'standard']), text),
    'Model that goes first for a class of prompt (strategy context_based).',
  ),
  notes: forPeople(text),
  note: forPeople(text),
  budget: optional(budget, nameBudget),
});

const poolMember: z.ZodType<PoolMemberShape> = z.strictObject({
  provider: optional(text, 'Provider, provider type or group of the member.'),
  name: optional(text, 'Another word for provider.'),
  weight: optional(z.number().nonnegative(), 'Its share in proportion to the others; 0 is standby.', {
    default: 'equal shares',
  }),
  condition: optional(text, 'When it takes part, for example: complexity == "high".'),
  preferred_model: optional(text, 'Its model, where the name is another.'),
  model: optional(text, 'Another word for preferred_model.'),
  reason: forPeople(text, 'Why it is there.'),
  version: forPeople(z.union([text, z.number()])),
});

const pool: z.ZodType<PoolShape> = z.strictObject({
  providers: field(z.array(z.union([text, poolMember])), 'Members of the pool.'),
  strategy: optional(text, strategy, { default: 'weighted_round_robin' }),
  description: optional(text, 'One sentence about it, shown in lists.'),
  parameters: optional(
    z.strictObject({
      saturation_threshold: optional(z.number().min(0).max(1), 'Share of busy seats from which a member is full.', {
        default: usualSaturation,
      }),
      complexity_detection: optional(z.enum(['token_count', 'tokens', 'score']), 'What complexity is read from.'),
    }),
    'Numbers of the strategy.',
  ),
  saturation_overflow: optional(
    z.strictObject({
      threshold: optional(z.number().min(0).max(1), 'Another word for saturation_threshold.'),
      overflow_to: optional(
        oneOrMore,
        'Where requests go first while all seats at home are that full; it stands behind the members too.',
      ),
    }),
    'What happens when what is at home is full.',
  ),
  fallback_chain: optional(names, fallback),
  fallback: optional(oneOrMore, 'Another word for fallback_chain.'),
});

const chainItem: z.ZodType<ChainItemShape> = z.union([
  text,
  z.strictObject({
    primary: optional(text, 'Provider or model that follows.'),
    secondary: optional(text, 'Provider or model that follows after it.'),
    tertiary: optional(text, 'Provider or model that follows after that.'),
    provider: optional(text, 'Another word for primary.'),
    model: optional(text, 'Model that follows, at the provider if one is named.'),
    condition: optional(text, 'When it takes part, for example: ollama_unavailable.'),
    preferred_model: optional(text, 'Model of the provider.'),
  }),
]);

const chain: z.ZodType<ChainShape> = z.union([
  z.array(chainItem),
  z.strictObject({
    description: forPeople(text),
    chain: field(z.array(chainItem), 'Fallbacks in order.'),
    tier: optional(tier, 'Quality tier of the name: an answer of a lower one is marked.', {
      default: 'that of the provider that was to answer',
    }),
    notes: forPeople(text),
    retry_attempts: optional(z.int().nonnegative(), 'Attempts at each item.', { unit: 'attempts' }),
    retry_delay_ms: optional(z.number().nonnegative(), 'Wait before an item.', { unit: 'milliseconds' }),
    strategy: optional(z.enum(['immediate', 'retry_with_backoff', 'circuit_breaker']), 'How the chain is followed.', {
      default: 'immediate',
    }),
  }),
]);

const rules: z.ZodType<RulesShape> = z.strictObject({
  default_provider: optional(text, 'Provider asked for names that no other rule knows, if its live list has them.'),
  default_fallback: optional(text, 'Provider asked after it.'),
  unknown_model: optional(
    z.enum(['default_chain', 'reject']),
    'What a name gets that nobody knows: the default chain, or 404.',
    { default: 'default_chain' },
  ),
  request_metadata_routing: optional(
    z.record(
      text,
      z.strictObject({
        provider: field(text, 'Provider whose deployments go first.'),
        condition: field(text, 'When they do, for example: header.x-priority == "high".'),
        description: forPeople(text),
      }),
    ),
    'Rules by which a provider goes first.',
  ),
  model_size_routing: optional(
    z.array(
      z.strictObject({
        size: field(text, 'Sizes that the row is for: "< 8B", "8B - 13B" with both ends, or "> 13B".'),
        provider: field(text, 'Provider that is asked for the literal name.'),
        fallback: optional(oneOrMore, fallback),
        reason: forPeople(text),
      }),
    ),
    'Providers by the size that an unknown name carries.',
  ),
  complexity: optional(
    z.strictObject({
      medium: field(z.number(), 'Score from which a request is of medium complexity.'),
      high: field(z.number(), 'Score from which a request is of high complexity.'),
    }),
    'Bounds of the complexity classes.',
    { default: '50 and 100' },
  ),
});

const specialCases: z.ZodType<SpecialCasesShape> = z.strictObject({
  first_request_routing: optional(
    z.strictObject({
      strategy: field(z.enum(['prefer_warm_providers', 'none']), 'Whether providers with the model loaded go first.'),
      warm_check_timeout_ms: optional(z.number().positive(), 'Longest wait for what is known of loaded models.', {
        unit: 'milliseconds',
        default: 100,
      }),
      description: forPeople(text),
    }),
    'Preference for models that are loaded.',
  ),
  rate_limited_fallback: optional(
    z.strictObject({
      enabled: optional(z.boolean(), 'Whether a request over a limit goes to the fallbacks instead of 429.', {
        default: false,
      }),
      fallback_duration_seconds: optional(z.number().positive(), 'Time for which a deployment that sent 429 rests.', {
        unit: 'seconds',
        default: 60,
      }),
      description: forPeople(text),
    }),
    'What follows a rate limit.',
  ),
  error_based_routing: optional(
    z.strictObject({
      enabled: optional(z.boolean(), 'Whether these numbers hold.', { default: true }),
      error_threshold: optional(z.int().positive(), 'Errors within a minute that set a deployment aside.', {
        default: 3,
      }),
      cooldown_seconds: optional(z.number().positive(), 'Time for which it is set aside.', {
        unit: 'seconds',
        default: 300,
      }),
      description: forPeople(text),
    }),
    'What follows errors.',
  ),
  geographic_routing: optional(
    z.strictObject({
      enabled: optional(z.boolean(), 'Whether places count.', { default: false }),
      prefer_local: optional(z.boolean(), 'Whether deployments of this machine or network go first.', {
        default: true,
      }),
      description: forPeople(text),
    }),
    'Preference by place.',
  ),
});

const describedStrategy: z.ZodType<DescribedStrategyShape> = z.strictObject({
  description: forPeople(text),
  logic: forPeople(text, 'The idea in words; the strategy of that name executes.'),
  priority_order: optional(names, 'Providers or models in order of preference.'),
  applicable_to: optional(names, 'Names that take this strategy where they declare none.'),
  weight_factors: optional(
    z.strictObject({
      latency: optional(z.number().nonnegative(), 'Weight of speed.', { default: 0.4 }),
      success_rate: optional(z.number().nonnegative(), 'Weight of success.', { default: 0.4 }),
      cost: optional(z.number().nonnegative(), 'Weight of cheapness.', { default: 0.2 }),
    }),
    'Weights of the usage score.',
  ),
  measure: forPeople(z.enum(['time_to_first_token']), 'What fastest_response measures.'),
  update_interval: forPeople(z.union([text, z.number()]), 'Scores are up to date at every request.'),
  updates: forPeople(z.union([text, z.number()]), 'Another word for update_interval.'),
  score: forPeople(text),
  formula: forPeople(text),
  notes: forPeople(text),
});

const strategies: z.ZodType<Readonly<Record<string, DescribedStrategyShape>>> = z.record(text, describedStrategy);

const sections = {
  exact_matches: optional(z.record(text, exactEntry), 'Names and the providers that answer them.'),
  patterns: optional(
    patterns,
    'Rules for names that are not declared: a list of regular expressions, or a map of globs.',
  ),
  pattern_matches: optional(patterns, 'Another word for patterns.'),
  capabilities: optional(z.record(text, capability), 'What requests can ask for instead of a model.'),
  load_balancing: optional(z.record(text, pool), 'Pools: several providers under one name.'),
  redundant_models: optional(z.record(text, pool), 'Another word for load_balancing.'),
  fallback_chains: optional(
    z.record(text, chain),
    'Ordered fallbacks by name; the one called default is for unknown names.',
  ),
  routing_rules: optional(rules, 'Rules for everything else.'),
  special_cases: optional(specialCases, 'Loaded models, rate limits, errors and places.'),
  custom_strategies: optional(strategies, 'Strategies with what they are given.'),
  routing_strategies: optional(strategies, 'Another word for custom_strategies.'),
  model_aliases: optional(z.record(text, text), 'Further names of models.'),
  metadata: forPeople(z.record(text, z.json())),
  notes: forPeople(z.json()),
};

const file: z.ZodType<MappingsShape> = z.strictObject({
  ...sections,
  routes: optional(
    z.object(sections).catchall(exactEntry),
    'The sections one level further in, or exact matches by name, as some files have them.',
  ),
});

/** Names of the sections: other keys under `routes` are exact matches. */
export const sectionNames: ReadonlySet<string> = new Set(Object.keys(sections));

/** Checks model-mappings.yaml. */
export function parseMappings(parsed: ParsedFile, findings: Findings): Checked<MappingsShape> | undefined {
  return checkShape(file, parsed, findings);
}

/** The schema as JSON Schema, for editors and for the reference. */
export function mappingsJsonSchema(): JsonSchema {
  return jsonSchemaOf(file);
}
