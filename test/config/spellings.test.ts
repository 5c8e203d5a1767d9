import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import type { SourceFile } from '../../src/config/source-file.ts';

type Files = Partial<Record<SourceFile['kind'], string>>;

const providers = `
providers:
  ollama: {type: ollama, models: [llama3.1, qwen]}
  vllm-qwen: {type: vllm, models: [qwen]}
  cloud: {type: openai, env_var: CLOUD_KEY, models: [gpt-4o]}
`;

/** Spellings of one thing: each later one must give the plan of the first. */
const spellings: readonly (readonly [what: string, first: Files, ...others: readonly Files[]])[] = [
  [
    'a model is a name or a map',
    { providers: 'providers: {ollama: {type: ollama, models: [{name: llama3.1}]}}' },
    { providers: 'providers: {ollama: {type: ollama, models: [llama3.1]}}' },
  ],
  [
    'a size with and without its letter, under either key',
    { providers: 'providers: {ollama: {type: ollama, models: [{name: m, size: 8B}]}}' },
    { providers: 'providers: {ollama: {type: ollama, models: [{name: m, size: "8b"}]}}' },
    { providers: 'providers: {ollama: {type: ollama, models: [{name: m, parameters: "8B"}]}}' },
  ],
  [
    'an address with and without /v1',
    { providers: 'providers: {vllm: {type: vllm, base_url: "http://127.0.0.1:8001", models: [m]}}' },
    { providers: 'providers: {vllm: {type: vllm, base_url: "http://127.0.0.1:8001/v1", models: [m]}}' },
    { providers: 'providers: {vllm: {type: vllm, base_url: "http://127.0.0.1:8001/v1/", models: [m]}}' },
    { providers: 'providers: {vllm: {type: vllm, base_url: "${VLLM:-http://127.0.0.1:8001}", models: [m]}}' },
  ],
  [
    'a key by its variable, as LiteLLM writes it or as a shell does',
    { providers: 'providers: {cloud: {type: openai, env_var: CLOUD_KEY, models: [m]}}' },
    { providers: 'providers: {cloud: {type: openai, api_key: os.environ/CLOUD_KEY, models: [m]}}' },
    { providers: 'providers: {cloud: {type: openai, api_key: "${CLOUD_KEY}", models: [m]}}' },
  ],
  [
    'health checks at the provider, by provider, by endpoint and in a file of their own',
    {
      providers:
        'providers: {ollama: {type: ollama, models: [m], health_check: {endpoint: /api/tags, interval_seconds: 30}}}',
    },
    {
      providers:
        'providers: {ollama: {type: ollama, models: [m], health_endpoint: /api/tags}}\nhealth_checks: {interval_seconds: 30}',
    },
    {
      providers:
        'providers: {ollama: {type: ollama, models: [m]}}\nhealth_checks: {interval_seconds: 30, endpoints: {ollama: "http://127.0.0.1:11434/api/tags"}}',
    },
    {
      providers:
        'providers: {ollama: {type: ollama, models: [m]}}\nhealth_checks: {ollama: {endpoint: /api/tags, interval_seconds: 30}}',
    },
    {
      providers: 'providers: {ollama: {type: ollama, models: [m]}}',
      'health-checks': 'health_checks: {ollama: {endpoint: /api/tags, interval_seconds: 30}}',
    },
    {
      providers: 'providers: {ollama: {type: ollama, models: [m]}}',
      'health-checks': 'ollama: {endpoint: /api/tags, interval_seconds: 30}',
    },
  ],
  [
    'a status that is measured counts as active',
    { providers: 'providers: {ollama: {type: ollama, models: [m]}}' },
    { providers: 'providers: {ollama: {type: ollama, status: active, models: [m]}}' },
    { providers: 'providers: {ollama: {type: ollama, status: degraded, models: [m]}}' },
  ],
  [
    'pools under their old name, members by name or as maps',
    {
      providers,
      'model-mappings':
        'load_balancing: {fast: {providers: [{provider: ollama, preferred_model: qwen}, {provider: vllm-qwen}]}}',
    },
    { providers, 'model-mappings': 'redundant_models: {fast: {providers: [{name: ollama, model: qwen}, vllm-qwen]}}' },
  ],
  [
    'patterns as a list, as a map of globs and under their old name',
    { providers, 'model-mappings': 'patterns: [{pattern: "^Qwen/.*$", provider: vllm-qwen}]' },
    { providers, 'model-mappings': 'patterns: {"Qwen/*": vllm-qwen}' },
    { providers, 'model-mappings': 'pattern_matches: {"Qwen/*": {provider: vllm-qwen}}' },
  ],
  [
    'chains as lists and as maps, items as names and as maps',
    { providers, 'model-mappings': 'fallback_chains: {llama3.1: {chain: [vllm-qwen, gpt-4o]}}' },
    { providers, 'model-mappings': 'fallback_chains: {llama3.1: [vllm-qwen, gpt-4o]}' },
    { providers, 'model-mappings': 'fallback_chains: {llama3.1: {chain: [{primary: vllm-qwen}, {model: gpt-4o}]}}' },
    { providers, 'model-mappings': 'fallback_chains: {llama3.1: [{primary: vllm-qwen, secondary: gpt-4o}]}' },
  ],
  [
    'one fallback or several, under either key',
    { providers, 'model-mappings': 'exact_matches: {llama3.1: {provider: ollama, fallback: [qwen]}}' },
    { providers, 'model-mappings': 'exact_matches: {llama3.1: {provider: ollama, fallback: qwen}}' },
    { providers, 'model-mappings': 'exact_matches: {llama3.1: {provider: ollama, fallback_chain: [qwen]}}' },
  ],
  [
    'the four forms of router fallbacks',
    { providers, settings: 'router_settings: {fallbacks: [{llama3.1: [gpt-4o]}]}' },
    { providers, settings: 'router_settings: {fallbacks: [{model: llama3.1, fallback_models: [gpt-4o]}]}' },
    { providers, settings: 'router_settings: {fallbacks: {llama3.1: [gpt-4o]}}' },
    { providers, settings: 'router_settings: {fallbacks: {llama3.1: {fallback_models: [gpt-4o]}}}' },
    { providers, settings: 'litellm_settings: {fallbacks: [{llama3.1: [gpt-4o]}]}' },
  ],
  [
    'capabilities by models, under either key, and their strategy under either key',
    { providers, 'model-mappings': 'capabilities: {code: {preferred_models: [qwen], routing_strategy: direct}}' },
    { providers, 'model-mappings': 'capabilities: {code: {models: [qwen], strategy: direct}}' },
    { providers, 'model-mappings': 'capabilities: {code: {models: [qwen]}}' },
  ],
  [
    'sections one level further in, and exact matches among them',
    { providers, 'model-mappings': 'exact_matches: {chat: {provider: ollama, backend_model: qwen}}' },
    { providers, 'model-mappings': 'routes: {exact_matches: {chat: {provider: ollama, backend_model: qwen}}}' },
    { providers, 'model-mappings': 'routes: {chat: {provider: ollama, backend_model: qwen}}' },
  ],
  [
    'a priority as a word or a number',
    {
      providers,
      'model-mappings': 'exact_matches: {chat: {provider: ollama, backend_model: qwen, priority: secondary}}',
    },
    { providers, 'model-mappings': 'exact_matches: {chat: {provider: ollama, backend_model: qwen, priority: 2}}' },
  ],
  [
    'a key without a value is absent',
    { providers, 'model-mappings': 'exact_matches: {talk: {provider: ollama, backend_model: qwen}}' },
    {
      providers: `${providers}\nmetadata:\nhealth_checks:\n`,
      'model-mappings':
        'exact_matches: {talk: {provider: ollama, backend_model: qwen, fallback: null, priority: }}\npatterns:\n',
    },
  ],
  ['notes of a person’s own', { providers }, { providers: `${providers}\nx-note: kept here by hand\n` }],
  [
    'a strategy in each of its spellings',
    { providers, settings: 'router_settings: {routing_strategy: least-busy}' },
    { providers, settings: 'router_settings: {routing_strategy: least_busy}' },
    { providers, settings: 'router_settings: {routing_strategy: least_loaded}' },
  ],
];

const environment = { CLOUD_KEY: 'sk-cloud-0123456789' };

function planOf(files: Files) {
  const sources = Object.entries(files).map(([kind, text]): SourceFile => {
    // The keys of Files are source kinds.
    return { kind: kind as SourceFile['kind'], path: `${kind}.yaml`, text };
  });
  return compile(sources, { environment, lenient: false });
}

for (const [what, first, ...others] of spellings) {
  test(`spine 2.1: ${what}`, () => {
    const plain = planOf(first);
    expect(plain.diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
    for (const spelling of others) {
      const { value, diagnostics } = planOf(spelling);
      expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
      expect(value?.hash, JSON.stringify(spelling)).toBe(plain.value?.hash);
    }
  });
}

test('spine 2.1: the rows say different things, so an equal plan is no accident', () => {
  const plans = spellings.slice(5).map(([, first]) => planOf(first).value?.hash);
  expect(new Set(plans).size).toBe(plans.length);
});
