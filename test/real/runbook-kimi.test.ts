import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DecisionRecord } from '../../src/contract/decision-record.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { describeReal } from './real.ts';
import { type RealServer, startOllama } from './servers.ts';

const example = join(import.meta.dirname, '../../examples/kimi');

/** Names that the example has, as a local Ollama has them: one that ends in "-cloud" it passes on to the real cloud by itself. */
const models = ['kimi-k2:1t', 'deepseek-v3.1:671b', 'gpt-oss:120b', 'gpt-oss:20b'].map((name) => `${name}-here`);

/**
 * The runbook's "Test Kimi K2 Routing" with a real Ollama in the place of its cloud, so that a real
 * server answers; the cloud wants a key, which only the simulated one of test/examples.test.ts does here.
 */
describeReal('Runbook: Test Kimi K2 Routing, with a real Ollama as the cloud', ['ollama'], () => {
  let ollama: RealServer;
  let desk: Desk;
  let exports = '';
  /** What the script prints, and with what it ends. */
  let printed = '';

  beforeAll(async () => {
    ollama = await startOllama();
    for (const destination of models) {
      const body = JSON.stringify({ source: 'tiny', destination });
      expect((await fetch(`${ollama.url}/api/copy`, { method: 'POST', body })).status).toBe(200);
    }
    desk = createDesk();
    cpSync(example, desk.folder, { recursive: true });
    for (const file of [
      'test_kimi_routing.sh',
      ...readdirSync(join(example, 'config')).map((name) => `config/${name}`),
    ]) {
      // What is no model's name, such as simulated-cloud.mjs, stays.
      desk.put(file, desk.read(file).replaceAll(/(?<=[bt)])-cloud/g, '-here'));
    }
    exports = `export SIGNALBOX=signalbox OLLAMA_API_KEY=sk-of-the-cloud OLLAMA_CLOUD_URL=${ollama.url}`;
    printed = await typed('./test_kimi_routing.sh; echo "exit $?"');
  });
  afterAll(async () => {
    await desk?.clear();
    await ollama?.stop();
  });

  const typed = (line: string): Promise<string> => desk.type(`${exports}; ${line}`);

  test('K1: a model of the cloud is asked by its exact name, and its server answers', () => {
    expect(printed).toMatch(/^Test 1: .*\n one two three.*\n {2}PASSED: answered by ollama_cloud\/kimi-k2:1t-here$/m);
    expect(ollama.log()).toMatch(/200 .* POST +"\/v1\/chat\/completions"/);
  });

  test('K2: reasoning is a name that can be asked, and both members of its pool answer', () => {
    expect(printed).toMatch(/^ +2 ollama_cloud\/deepseek-v3.1:671b-here\n +2 ollama_cloud\/kimi-k2:1t-here$/m);
    expect(printed).toContain('PASSED: 4 requests, answered by both members');
  });

  test('K3: name, capability, balance and chain are asserted; what is not as declared ends it with another code', async () => {
    expect(printed, printed).toMatch(/^All tests passed\nexit 0$/m);
    expect(printed.match(/PASSED/g)).toHaveLength(3);
    expect(printed).toContain('SKIPPED: a real cloud does not fail on demand');
    const path = 'config/model-mappings.yaml';
    const before = desk.read(path);
    await typed('signalbox strategy set reasoning direct');
    try {
      expect(await typed('./test_kimi_routing.sh; echo "exit $?"')).toMatch(/found 4 from 1.*2 FAILED.*\nexit 1$/ms);
    } finally {
      desk.put(path, before);
    }
  });

  test('K3: where Kimi is gone from the server its chain answers, which Test 1 tells as a failure', async () => {
    await fetch(`${ollama.url}/api/delete`, { method: 'DELETE', body: JSON.stringify({ model: models[0] }) });
    const out = await typed('./test_kimi_routing.sh; echo "exit $?"');
    expect(out).toContain('found 200 from ollama_cloud/gpt-oss:120b-here');
    expect(out).toMatch(/^exit 1$/m);
    const copy = JSON.stringify({ source: 'tiny', destination: models[0] });
    await fetch(`${ollama.url}/api/copy`, { method: 'POST', body: copy });
  });

  test('K4: the lines that the runbook expects', () => {
    expect(readFileSync(join(example, 'test_kimi_routing.sh'), 'utf8')).toContain(
      '"Test 1: Direct request to kimi-k2:1t-cloud"',
    );
    expect(printed).toMatch(/^Test 1: Direct request to kimi-k2:1t-here\n.+$/m);
    expect(printed).toMatch(/^Test 2: Reasoning capability request \(load balanced\)\n.+$/m);
  });

  test('K5: doctor tells whether the key is set, from where and how long it is, and not what it is', async () => {
    expect(await typed('echo $OLLAMA_API_KEY')).toBe('sk-of-the-cloud\n');
    const told = await typed('signalbox doctor || true');
    expect(told).toContain('OLLAMA_API_KEY, from the environment, 15 characters');
    expect(told).not.toContain('sk-of-the-cloud');
    expect(await typed('unset OLLAMA_API_KEY; signalbox doctor || true')).toMatch(/OLLAMA_API_KEY.*not set/);
  });

  test('K6: provider probe asks what the runbook’s curl asks, and says why nothing comes', async () => {
    const tags = await typed(
      'curl $OLLAMA_CLOUD_URL/api/tags -H "Authorization: Bearer $OLLAMA_API_KEY" | jq -r ".models[].name"',
    );
    const probed = await typed('signalbox provider probe ollama_cloud');
    for (const name of models) {
      expect(tags).toContain(name);
      expect(probed).toContain(name);
    }
    const hole = await startBlackHole();
    try {
      const late = await typed(
        `OLLAMA_CLOUD_URL=${hole.url} signalbox provider probe ollama_cloud --timeout 1 2>&1; echo "exit $?"`,
      );
      expect(late).toMatch(/gives no answer in time.*--timeout SECONDS\nexit 1$/ms);
    } finally {
      await hole.close();
    }
  });

  test('K7: route explain says what the runbook looks for in model-mappings.yaml, and what follows from it', async () => {
    expect(await desk.type('grep -A 5 "kimi-k2:1t-here" config/model-mappings.yaml')).toContain(
      'provider: ollama_cloud',
    );
    const explained = await desk.json<DecisionRecord>(`${exports}; signalbox route explain kimi-k2:1t-here --json`);
    expect(explained.rule.text).toContain('exact_matches');
    expect(explained.order).toEqual([
      'ollama_cloud/kimi-k2:1t-here',
      'ollama_cloud/gpt-oss:120b-here',
      'ollama_cloud/gpt-oss:20b-here',
    ]);
  });
});
