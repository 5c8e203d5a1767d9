import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fileSchemas } from '../../scripts/reference/declared-keys.ts';
import { compile } from '../../src/config/compile.ts';
import { generate } from '../../src/config/generate.ts';
import { readSources } from '../../src/config/read-sources.ts';
import type { SourceFile } from '../../src/config/source-file.ts';
import { isAccepted } from '../support/json-schema.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const environment = { OLLAMA_API_KEY: 'sk-cloud-0123456789', LITELLM_MASTER_KEY: 'sk-0123456789abcdef' };
const options = { environment, lenient: false };

async function filesOf(folder: string): Promise<readonly SourceFile[]> {
  const read = await readSources(folder);
  if (read.kind === 'missing') throw new Error(read.message);
  return read.files;
}

function isAcceptedByEditor(path: string, text: string): boolean {
  return isAccepted(fileSchemas[basename(path)], parse(text));
}

describe.each(['predecessor', 'older'])('the whole configuration "%s"', (name) => {
  const folder = join(fixtures, name, 'config');

  test('spine 2.1: every file compiles, without an error and without a key that is not known', async () => {
    const files = await filesOf(folder);
    expect(files.map((file) => file.kind)).not.toContain('other');
    const { value, diagnostics } = compile(files, options);
    expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
    expect(value?.groups.length).toBeGreaterThan(5);
  });

  test('spine 2.4: law: its generated file has the same plan, twice the same bytes', async () => {
    const files = await filesOf(folder);
    const { value: text = '' } = generate(files, options);
    const compiled = compile([{ kind: 'litellm', path: 'litellm-unified.yaml', text }], options);
    expect(compiled.diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
    expect(compiled.value?.hash).toBe(compile(files, options).value?.hash);
    expect(generate(files, options).value).toBe(text);
  });

  test('spine 2.5: the schemas for editors accept every file', async () => {
    for (const file of await filesOf(folder)) {
      expect(isAcceptedByEditor(file.path, file.text), file.path).toBe(true);
    }
  });
});

test('spine 2.1: what the files declare is in the plan', async () => {
  const { value: plan } = compile(await filesOf(join(fixtures, 'predecessor/config')), options);
  const { routing } = plan?.settings ?? {};
  const chains = plan?.groups.filter((group) => group.chain !== undefined).map((group) => group.name);
  expect(chains).toHaveLength(12);
  expect(routing?.defaultChain?.items).toHaveLength(3);
  expect(routing?.patterns).toHaveLength(6);
  expect(routing?.sizes).toHaveLength(3);
  expect(plan?.groups.filter((group) => group.kind === 'capability').map((group) => group.name)).toEqual([
    'code',
    'analytical',
    'reasoning',
    'creative',
    'chat',
    'high_throughput',
    'low_latency',
    'large_context',
  ]);
  // Two sections speak of one name: it is one pool.
  const pool = plan?.groups.find((group) => group.name === 'llama3.1:latest');
  expect(pool?.members.map((member) => [plan?.deployments[member.deployment]?.provider, member.weight])).toEqual([
    ['ollama', 0.7],
    ['llama_cpp_python', 0.3],
  ]);
  // A version is no size.
  expect(plan?.deployments.find((one) => one.backendModel === 'glm-4.6:cloud')).toBeDefined();
});

describe('spine 2.5: the schemas for editors refuse what the reader refuses', () => {
  test.each(['unknown-key', 'wrong-type'])('%s', async (code) => {
    const files = await filesOf(join(import.meta.dirname, 'corpus', code));
    const { diagnostics } = compile(files, { environment: {}, lenient: false });
    const broken = new Set(diagnostics.map((one) => one.span?.file));
    for (const file of files) expect(isAcceptedByEditor(file.path, file.text), file.path).toBe(!broken.has(file.path));
  });

  test.each([
    ['providers.yaml', 'providers: {a: {type: ollama, x-mine: 1, models: }}\nx-note: mine', true],
    ['providers.yaml', 'providers: {a: {type: ollama, max_model_len: "${LENGTH:-4096}"}}', true],
    ['providers.yaml', 'providers: {a: {type: ollama, max_model_len: long}}', false],
    ['providers.yaml', 'providers: {a: {type: olama}}', false],
    ['model-mappings.yaml', 'exact_matches: {m: {provider: a, fallback: null}}', true],
    ['model-mappings.yaml', 'exact_matches: {m: }', false],
    ['model-mappings.yaml', 'fallback_chains: {m: {chain: a}}', false],
    ['ports.yaml', 'ollama: {port: 11434, service: null}', true],
    ['ports.yaml', 'ollama: {prot: 11434}', false],
    ['health-checks.yaml', 'ollama: {endpoint: /api/tags, interval_seconds: }', true],
    ['health-checks.yaml', 'ollama: {interval: 5}', false],
    ['llamacpp-models.yaml', 'models: [{alias: a, size: }]', true],
    ['llamacpp-models.yaml', 'models: [{size: 8B}]', false],
    ['dashboard-config.yaml', 'DASH_REFRESH_INTERVAL: 5', true],
    ['dashboard-config.yaml', 'REFRESH: 5', false],
    ['settings.yaml', 'router_settings: {num_retries: 2, x-mine: 1}', true],
    ['settings.yaml', 'router_setings: {num_retries: 2}', false],
  ])('%s: %s', (file, text, isSound) => {
    expect(isAcceptedByEditor(file, text)).toBe(isSound);
  });
});
