import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import type { SourceFile } from '../../src/config/source-file.ts';
import { milliseconds, seconds, tokens } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';
import { type Residency, unseenEngine, unseenSpeeds } from '../../src/plan/residency.ts';
import { decide } from '../../src/routing/decide.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { factsOf } from '../support/plan-of.ts';

/* Declarations that change what is done with what is observed, from the file to the decision. */

function planFrom(files: Partial<Record<SourceFile['kind'], string>>): Plan {
  const sources = Object.entries(files).map(
    ([kind, text]): SourceFile => ({ kind: kind as SourceFile['kind'], path: `${kind}.yaml`, text }),
  );
  const { value, diagnostics } = compile(sources, { environment: {}, lenient: false });
  expect(diagnostics.filter((one) => one.code === 'not-executed-yet')).toEqual([]);
  if (value === undefined) throw new Error(diagnostics.map((one) => one.message).join('; '));
  return value;
}

const providers = `
providers:
  near: {type: ollama, models: [m]}
  far: {type: openai_compatible, base_url: "https://llm.example.com", models: [m]}
  fast: {type: vllm, models: [m]}
`;
const pool = 'load_balancing: {m: {strategy: direct, providers: [far, near, fast]}}';

/** What the order is without a declaration, and with it. */
type Row = {
  readonly name: string;
  readonly providers?: string;
  readonly mappings?: string;
  readonly facts?: Partial<RequestFacts>;
  readonly loaded?: Readonly<Record<string, boolean>>;
  readonly without?: { readonly mappings: string; readonly order: string };
  readonly order: string;
};

function orderOf({ facts, loaded = {}, ...files }: Omit<Row, 'name' | 'order'>): string {
  const now = milliseconds(1000);
  const plan = planFrom({ providers: files.providers ?? providers, 'model-mappings': files.mappings ?? pool });
  const state = createRoutingState(plan, now);
  for (const { index, provider } of plan.deployments) {
    const isLoaded = loaded[provider];
    if (isLoaded === undefined) continue;
    const residency: Residency = isLoaded
      ? { kind: 'loaded', at: now, engine: unseenEngine }
      : { kind: 'unloaded', at: now };
    state.observations[index] = { failures: [], effectiveContext: undefined, residency, speeds: unseenSpeeds };
  }
  const { attempts } = decide(plan, state, factsOf({ asked: 'm', ...facts }), now, () => 0.5);
  return attempts.map((one) => plan.deployments[one.deployment]?.provider).join(' ');
}

/** A pool of which the far one answers what is of a class. */
const classed = (level: string, more = ''): string =>
  `load_balancing: {m: {strategy: direct${more}, providers: [{provider: far, condition: complexity == "${level}"}, near]}}`;

describe('1.2 and 3.3 what a declaration changes', () => {
  test.each<Row>([
    {
      name: 'first_request_routing',
      mappings: `${pool}
special_cases: {first_request_routing: {strategy: prefer_warm_providers, warm_check_timeout_ms: 50}}`,
      loaded: { near: false, fast: true },
      order: 'far fast near',
    },
    {
      name: 'geographic_routing',
      mappings: `${pool}
special_cases: {geographic_routing: {enabled: true, prefer_local: true}}`,
      order: 'near fast far',
    },
    {
      name: 'request_metadata_routing, by a header',
      mappings: `${pool}
routing_rules: {request_metadata_routing: {high: {provider: fast, condition: 'header.x-priority == "high"'}}}`,
      facts: { headers: new Map([['x-priority', 'high']]) },
      order: 'fast far near',
    },
    {
      name: 'request_metadata_routing, by the type of a provider',
      mappings: `${pool}
routing_rules: {request_metadata_routing: {streaming_requests: {provider: vllm, condition: stream == true}}}`,
      facts: { stream: true },
      order: 'fast far near',
    },
    {
      name: 'complexity_detection',
      mappings: classed('high', ', parameters: {complexity_detection: token_count}'),
      facts: { promptTokens: tokens(120) },
      without: { mappings: classed('high'), order: 'near' },
      order: 'far near',
    },
    {
      name: 'capabilities of an exact match, which for code are a term of the complexity',
      mappings: `${classed('medium')}
exact_matches: {m: {provider: far, capabilities: [code]}}`,
      facts: { promptTokens: tokens(110) },
      without: { mappings: classed('medium'), order: 'near' },
      order: 'far near',
    },
    {
      name: 'a specialty of vectors, which answers no chat',
      providers: providers.replace(
        'near: {type: ollama, models: [m]}',
        'near: {type: ollama, models: [{name: m, specialty: embedding}]}',
      ),
      order: 'far fast',
    },
  ])('$name', ({ name: _name, order, without, ...row }) => {
    const { mappings, order: before } = without ?? { mappings: pool, order: 'far near fast' };
    expect(orderOf({ ...row, providers, mappings })).toBe(before);
    expect(orderOf(row)).toBe(order);
  });
});

describe('3.2 interval, timeout and path in every form', () => {
  const wanted = { enabled: true, path: '/api/tags', intervalMs: seconds(7), timeoutMs: seconds(3), retries: 2 };
  const times = 'interval_seconds: 7, timeout_seconds: 3, retry_attempts: 2';
  const bare = 'providers: {p: {type: ollama, models: [m]}, q: {type: ollama, models: [m]}}';
  const own = (words: string): string =>
    `providers: {p: {type: ollama, models: [m], ${words}}, q: {type: ollama, models: [m]}}`;

  test.each<readonly [form: string, files: Partial<Record<SourceFile['kind'], string>>, forAll: boolean]>([
    ['at the provider', { providers: own(`health_check: {endpoint: /api/tags, ${times}}`) }, false],
    [
      'at the provider, under the other word',
      { providers: own(`health_checks: {endpoint: /api/tags, ${times}}`) },
      false,
    ],
    ['its path apart', { providers: own(`health_endpoint: /api/tags, health_check: {${times}}`) }, false],
    ['by provider', { providers: `${bare}\nhealth_checks: {p: {endpoint: /api/tags, ${times}}}` }, false],
    [
      'for all, with endpoints',
      { providers: `${bare}\nhealth_checks: {${times}, endpoints: {p: "http://localhost:11434/api/tags"}}` },
      true,
    ],
    ['in a file of its own', { providers: bare, 'health-checks': `p: {endpoint: /api/tags, ${times}}` }, false],
    [
      'in a file of its own, for all',
      { providers: bare, 'health-checks': `health_checks: {${times}, endpoints: {p: /api/tags}}` },
      true,
    ],
  ])('%s', (_, files, forAll) => {
    const [p, q] = [...planFrom(files).providers.values()].map((one) => one.probe);
    expect(p).toEqual(wanted);
    expect([q?.intervalMs, q?.timeoutMs, q?.path]).toEqual(
      forAll ? [seconds(7), seconds(3), undefined] : [seconds(60), seconds(5), undefined],
    );
  });
});
