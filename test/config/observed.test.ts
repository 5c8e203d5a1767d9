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

type Row = {
  readonly name: string;
  readonly pool?: string;
  readonly declared: string;
  readonly facts?: Partial<RequestFacts>;
  readonly loaded?: Readonly<Record<string, boolean>>;
  readonly without: string;
  readonly with: string;
};

function orderOf(mappings: string, { facts, loaded = {} }: Row): string {
  const now = milliseconds(1000);
  const plan = planFrom({ providers, 'model-mappings': mappings });
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

describe('1.2 and 3.3 what a declaration changes', () => {
  test.each<Row>([
    {
      name: 'first_request_routing',
      declared: 'special_cases: {first_request_routing: {strategy: prefer_warm_providers, warm_check_timeout_ms: 50}}',
      loaded: { near: false, fast: true },
      without: 'far near fast',
      with: 'far fast near',
    },
    {
      name: 'geographic_routing',
      declared: 'special_cases: {geographic_routing: {enabled: true, prefer_local: true}}',
      without: 'far near fast',
      with: 'near fast far',
    },
    {
      name: 'request_metadata_routing, by a header',
      declared:
        'routing_rules: {request_metadata_routing: {high_priority_requests: {provider: fast, condition: \'header.x-priority == "high"\'}}}',
      facts: { headers: new Map([['x-priority', 'high']]) },
      without: 'far near fast',
      with: 'fast far near',
    },
    {
      name: 'request_metadata_routing, by the type of a provider',
      declared:
        'routing_rules: {request_metadata_routing: {streaming_requests: {provider: vllm, condition: stream == true}}}',
      facts: { stream: true },
      without: 'far near fast',
      with: 'fast far near',
    },
    {
      name: 'complexity_detection',
      pool: 'load_balancing: {m: {strategy: direct, providers: [{provider: far, condition: complexity == "high"}, near]}}',
      declared: '',
      facts: { promptTokens: tokens(120) },
      without: 'near',
      with: 'far near',
    },
  ])('$name', (row) => {
    const base = row.pool ?? pool;
    expect(orderOf(base, row)).toBe(row.without);
    const declared =
      row.name === 'complexity_detection'
        ? base.replace('strategy: direct', 'strategy: direct, parameters: {complexity_detection: token_count}')
        : `${base}\n${row.declared}`;
    expect(orderOf(declared, row)).toBe(row.with);
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
