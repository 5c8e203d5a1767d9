import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { compile } from '../../src/config/compile.ts';
import { generate } from '../../src/config/generate.ts';
import type { SourceFile } from '../../src/config/source-file.ts';

const options = { environment: { CLOUD_KEY: 'sk-cloud-0123456789' }, lenient: false };

const source = (kind: SourceFile['kind'], value: unknown): SourceFile => ({
  kind,
  path: `${kind}.yaml`,
  text: stringify(value),
});

/** The configuration that the generated file of these sources stands for. */
function compileGenerated(sources: readonly SourceFile[]) {
  const { value: text = '' } = generate(sources, options);
  return { text, compiled: compile([{ kind: 'litellm', path: 'litellm-unified.yaml', text }], options) };
}

const modelNames = ['llama3.1:latest', 'qwen2.5-coder:7b', 'org/model-7B', 'kimi-k2:1t-cloud'] as const;
const types = ['ollama', 'vllm', 'llama_cpp', 'openai_compatible', 'anthropic'] as const;
const strategies = ['weighted_round_robin', 'least_loaded', 'direct', 'load_balance', 'cost_optimized'] as const;

const provider = fc.record({
  type: fc.constantFrom(...types),
  base_url: fc.constantFrom('http://127.0.0.1:8000', 'http://127.0.0.1:8001/v1', '${ADDRESS:-http://10.0.0.2:9000/v1}'),
  status: fc.constantFrom('active', 'active', 'disabled', 'template'),
  models: fc.uniqueArray(fc.constantFrom(...modelNames), { minLength: 1 }),
  api_key: fc.constantFrom('none', 'os.environ/CLOUD_KEY', '${CLOUD_KEY}'),
  max_parallel_requests: fc.constantFrom(1, 4),
  group: fc.constantFrom('here', 'there'),
});

const configuration = fc
  .record({
    providers: fc.array(provider, { minLength: 1, maxLength: 4 }),
    weights: fc.array(fc.nat({ max: 10 }), { minLength: 4, maxLength: 4 }),
    strategy: fc.constantFrom(...strategies),
    numRetries: fc.nat({ max: 4 }),
    hasPool: fc.boolean(),
    hasCapability: fc.boolean(),
    hasAlias: fc.boolean(),
    hasSettings: fc.boolean(),
    ownAlias: fc.boolean(),
  })
  .map((drawn): readonly SourceFile[] => {
    const entries = drawn.providers.map((one, index) => [`provider-${index}`, one] as const);
    const first = drawn.providers[0]?.models[0] ?? '';
    const pool = entries.map(([name, { models }], index) => ({
      provider: name,
      preferred_model: models[0],
      weight: drawn.weights[index],
    }));
    return [
      source('providers', { providers: Object.fromEntries(entries) }),
      source('model-mappings', {
        exact_matches: { first: { provider: 'provider-0', backend_model: first, priority: 'secondary' } },
        ...(drawn.hasPool ? { load_balancing: { pool: { providers: pool, strategy: drawn.strategy } } } : {}),
        ...(drawn.hasCapability
          ? { capabilities: { reasoning: { preferred_models: [first], fallback: 'first' } } }
          : {}),
        ...(drawn.hasAlias ? { model_aliases: { other: first } } : {}),
        fallback_chains: { default: [first], first: { chain: [first], tier: 'local' } },
        patterns: [{ pattern: '^org/.*', provider: 'provider-0' }],
      }),
      ...(drawn.hasSettings
        ? [
            source('settings', {
              router_settings: {
                num_retries: drawn.numRetries,
                ...(drawn.ownAlias ? { model_group_alias: { mine: first } } : {}),
              },
              server_settings: { port: 4100 },
            }),
          ]
        : []),
    ];
  });

describe('spine 2.4: the generated file stands for its sources', () => {
  test('law: the plan of the sources is the plan of the generated file', () => {
    fc.assert(
      fc.property(configuration, (sources) => {
        const plan = compile(sources, options);
        fc.pre(plan.value !== undefined);
        const { text, compiled } = compileGenerated(sources);
        expect(compiled.diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
        expect(compiled.value?.hash).toBe(plan.value?.hash);
        expect(generate(sources, options).value).toBe(text);
      }),
      { numRuns: 150, seed: 20261124 },
    );
  });

  test('most of the drawn configurations do compile, so the law is about something', () => {
    const drawn = fc.sample(configuration, { numRuns: 100, seed: 1 });
    const sound = drawn.filter((sources) => compile(sources, options).value !== undefined);
    expect(sound.length).toBeGreaterThan(50);
  });

  test('it lists the names that the gateway lists, the disabled ones by their fallback', () => {
    const sources = [
      source('providers', {
        providers: {
          here: { type: 'ollama', models: ['llama3.1'] },
          off: { type: 'vllm', status: 'disabled', models: ['dolphin'] },
        },
      }),
      source('model-mappings', { exact_matches: { dolphin: { provider: 'off', fallback: 'llama3.1' } } }),
    ];
    const { text, compiled } = compileGenerated(sources);
    const list = (parse(text) as { model_list: { model_name: string; litellm_params: { model: string } }[] })
      .model_list;
    expect(list.map((one) => [one.model_name, one.litellm_params.model])).toEqual([
      ['llama3.1', 'ollama_chat/llama3.1'],
      ['dolphin', 'ollama_chat/llama3.1'],
    ]);
    expect(compiled.value?.groups.map((group) => group.name)).toEqual(['llama3.1', 'dolphin']);
  });
});

describe('spine 2.4: edits of the generated file', () => {
  const sources = [
    source('providers', { providers: { here: { type: 'ollama', models: ['llama3.1', 'qwen'] } } }),
    source('model-mappings', {
      exact_matches: { chat: { provider: 'here', backend_model: 'qwen', fallback: 'llama3.1' } },
    }),
    source('settings', { router_settings: { num_retries: 2 } }),
  ];
  const { value: text = '' } = generate(sources, options);
  const compileText = (edited: string) => compile([{ kind: 'litellm', path: 'unified.yaml', text: edited }], options);

  test.each([
    ['a deployment', text.replace('ollama_chat/qwen', 'ollama_chat/qwen3'), 'model_list'],
    ['a fallback', text.replace('- chat:\n        - llama3.1', '- chat:\n        - qwen'), 'router_settings'],
  ])('%s that was made from the sources is refused', (_what, edited, section) => {
    expect(edited).not.toBe(text);
    const { value, diagnostics } = compileText(edited);
    expect(value).toBeUndefined();
    expect(diagnostics.map((one) => one.code)).toContain('generated-file-edited');
    const line =
      edited.split('\n')[(diagnostics.find((one) => one.code === 'generated-file-edited')?.span?.line ?? 1) - 1];
    expect(section === 'model_list' ? line : line?.trim()).toMatch(/^(model_list|fallbacks):/);
  });

  test('a setting holds as it stands there', () => {
    const { value } = compileText(text.replace('num_retries: 2', 'num_retries: 4'));
    expect(value?.settings.retry.retries).toBe(4);
  });

  test('no secret of the sources is written', () => {
    const canary = 'sk-canary-0123456789abcdef';
    const secret = [
      source('providers', { providers: { cloud: { type: 'openai', api_key: canary, models: ['gpt-4o'] } } }),
    ];
    const written = generate(secret, options).value ?? '';
    expect(written).toContain('os.environ/SIGNALBOX_SECRET_');
    expect(written).not.toContain(canary);
  });
});
