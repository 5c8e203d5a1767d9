import { z } from 'zod';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import type { AssumedState } from '../plan/routing-state.ts';
import { checkShape } from './check-shape.ts';
import { field, type JsonSchema, optional } from './field.ts';
import type { Findings } from './findings.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { ParsedFile } from './parsed-file.ts';
import type { ExpectedVerdict, RouteTestsShape, RuleKind } from './written-route-tests.ts';

// Objects, so that the compiler sees when a word of the union is missing here.
const ruleWords: Readonly<Record<RuleKind, true>> = {
  name: true,
  alias: true,
  deployment: true,
  capability: true,
  default_model: true,
  wildcard: true,
  pattern: true,
  size: true,
  default_provider: true,
  default_chain: true,
  none: true,
};
const stateWords: Readonly<Record<AssumedState, true>> = {
  ready: true,
  degraded: true,
  down: true,
  disabled: true,
  draining: true,
  loading: true,
  missing: true,
  cooling: true,
  rate_limited: true,
};
const verdictWords: Readonly<Record<ExpectedVerdict, true>> = {
  chosen: true,
  standby: true,
  disabled: true,
  draining: true,
  down: true,
  cooling: true,
  half_open_busy: true,
  loading: true,
  context: true,
  capability: true,
  kind: true,
  tags: true,
  limit: true,
  budget: true,
  condition: true,
  min_tier: true,
  visited: true,
};

/** The words of a closed list, as its keys. */
function wordsOf<Word extends string>(list: Readonly<Record<Word, true>>): readonly Word[] {
  return Object.keys(list) as Word[];
}

/** States that a test or a question may assume of a provider or a deployment. */
export const assumedStates: readonly AssumedState[] = wordsOf(stateWords);

const text = z.string();
const whole = z.int().nonnegative();
const span = z.string().regex(/^\d+(\.\d+)?\s*(ms|s|min|m|h|d)$/, 'a duration such as 30s');
const names = z.array(text);
const codes = [...new Set(Object.values(failureCatalogue).map(({ code }) => code))];

const request = z.strictObject({
  model: optional(text, 'Name that is asked for; without one the gateway chooses.'),
  endpoint: optional(z.enum(['chat', 'completions', 'embeddings']), 'What is asked for.', { default: 'chat' }),
  stream: optional(z.boolean(), 'Whether it wants a stream.', { default: false }),
  tokens: optional(whole, 'Length of its prompt.', { unit: 'tokens', default: 100 }),
  max_tokens: optional(whole, 'Output that it asks for at most.', { unit: 'tokens' }),
  tools: optional(z.boolean(), 'Whether it brings tools.', { default: false }),
  vision: optional(z.boolean(), 'Whether it brings a picture.', { default: false }),
  json_schema: optional(z.boolean(), 'Whether it wants an answer by a JSON Schema.', { default: false }),
  batch_size: optional(z.int().positive(), 'Prompts in it.', { default: 1 }),
  code: optional(z.boolean(), 'Whether its prompt has code in a fence.', { default: false }),
  steps: optional(z.boolean(), 'Whether its prompt asks for work in steps.', { default: false }),
  tags: optional(names, 'Its tags.'),
  headers: optional(
    z.record(text, text),
    'Its headers, such as X-Capability, X-Priority, X-Quality-Tier or X-Signalbox-Min-Tier.',
  ),
  key: optional(text, 'Name of the key that it comes with.'),
  fallbacks: optional(names, 'Fallbacks that the request itself names.'),
  disable_fallbacks: optional(z.boolean(), 'Whether it wants no fallback.', { default: false }),
  after: optional(span, 'Time since everything under `given` began: cooldowns and full limits end with time.', {
    default: '0s',
  }),
});

const state = z.enum(assumedStates);

const given = z.strictObject({
  states: optional(
    z.record(
      text,
      z.union([state, z.strictObject({ state: field(state, 'The state.'), for: field(span, 'How long.') })]),
    ),
    'States, by provider, type or group of providers, or deployment as `provider/model`. What is not named is ready.',
  ),
  full: optional(names, 'Limits that are full, by the name, key, provider or deployment that they stand under.'),
  busy: optional(z.record(text, whole), 'Requests under way, by deployment.'),
  listed: optional(z.record(text, names), 'Models that a provider lists, by provider.'),
});

const expect = z.strictObject({
  answer: optional(text, 'Who is asked first: a provider, or a deployment as `provider/model`.'),
  order: optional(names, 'Everybody who would be asked, in this order and nobody else.'),
  chain: optional(names, 'Who would be asked once the deployments of the name itself have failed, in this order.'),
  never: optional(names, 'Providers or deployments that must not be asked at all.'),
  rule: optional(z.enum(wordsOf(ruleWords)), 'Rule by which the name is understood.'),
  group: optional(text, 'Name whose deployments are asked.'),
  strategy: optional(text, 'Strategy of that name, in any spelling.'),
  complexity: optional(z.enum(['low', 'medium', 'high']), 'How complex the request is taken to be.'),
  verdicts: optional(
    z.record(text, z.enum(wordsOf(verdictWords))),
    'What becomes of candidates, by deployment: their place, or why they have none.',
  ),
  refused: optional(z.enum(codes), 'Code of the error that the client gets.'),
  degraded: optional(
    z.union([z.boolean(), z.enum(['tier', 'disabled', 'draining', 'default_chain', 'unsatisfied'])]),
    'Whether the answer counts as less than what was asked for, or why.',
  ),
});

const wholeFile: z.ZodType<RouteTestsShape> = z.strictObject({
  tests: field(
    z.array(
      z.strictObject({
        name: field(text, 'What it proves.'),
        request: field(request, 'What a client sends.'),
        given: optional(given, 'How things are meanwhile; everything is ready and idle without it.'),
        expect: field(expect, 'What must come of it; at least one of these.'),
      }),
    ),
    'Tests of routing, for `signalbox route test`.',
  ),
});

/** Checks a file of policy tests. */
export function parseRouteTests(parsed: ParsedFile, findings: Findings): RouteTestsShape | undefined {
  return checkShape(wholeFile, parsed, findings)?.shape;
}

/** The schema as JSON Schema, for editors and for the reference. */
export function routeTestsJsonSchema(): JsonSchema {
  return jsonSchemaOf(wholeFile);
}
