import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { BenchReport } from '../../src/contract/bench-report.ts';
import type { CacheReport } from '../../src/contract/cache-report.ts';
import type { DecisionRecord } from '../../src/contract/decision-record.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { type RealServer, startLlama, startOllama } from './servers.ts';

/** Of a prompt that does not fit into 256 tokens. */
const long = 'seven '.repeat(600);

describeReal('Runbooks of tuning and limits, on real llama.cpp servers and a real Ollama', ['llama', 'ollama'], () => {
  let near: RealServer;
  let narrow: RealServer;
  let ollama: RealServer;
  let desk: Desk;

  beforeAll(async () => {
    [near, narrow, ollama] = await Promise.all([
      startLlama('counting', { slots: 2 }),
      startLlama('counting', { context: 256 }),
      startOllama(),
    ]);
    const copy = { source: 'tiny', destination: 'llama3.1:latest' };
    await fetch(`${ollama.url}/api/copy`, { method: 'POST', body: JSON.stringify(copy) });
  });
  afterAll(() => Promise.all([near, narrow, ollama].map((server) => server?.stop())));

  beforeEach(() => {
    desk = createDesk();
    const providers = {
      ollama: { type: 'ollama', base_url: ollama.url, models: ['llama3.1:latest', 'tiny-tool'] },
      llama_cpp_native: { type: 'llama_cpp', base_url: near.url, models: ['counter'] },
      llama_cpp_python: { type: 'llama_cpp', base_url: narrow.url, models: ['narrow'] },
      // No vLLM runs here: its dialect asks llama.cpp servers, which speak the same wire.
      'vllm-qwen': { type: 'vllm', group: 'bulk', base_url: near.url, models: ['tiny'] },
      'vllm-dolphin': { type: 'vllm', group: 'bulk', base_url: near.url, models: ['tiny'] },
    };
    desk.put('config/providers.yaml', stringify({ providers }));
    desk.put('config/model-mappings.yaml', '');
    return () => desk.clear();
  });

  const ask = async (model: string, more: object = {}): Promise<Response> =>
    fetch(`${desk.serving()?.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Test' }], ...more }),
    });
  /** Asks and reads to the end; one header of the answer. */
  const header = async (name: string, model: string, more: object = {}): Promise<string | null> => {
    const answer = await ask(model, more);
    await answer.text();
    return answer.headers.get(name);
  };
  const cached = (model: string): Promise<string | null> => header('x-signalbox-cache', model);

  test('F1: a public name that no provider has is answered by the provider’s model; an ambiguous one is an error with the choices', async () => {
    const rules = `exact_matches:
  "fast-model":
    provider: llama_cpp_native
    priority: primary
`;
    desk.put('config/model-mappings.yaml', rules);
    await desk.restart();
    expect(await header('x-signalbox-route', 'fast-model')).toBe('llama_cpp_native/counter');
    desk.put('config/model-mappings.yaml', rules.replace('llama_cpp_native', 'ollama'));
    const told = await desk.type('signalbox validate 2>&1 || true');
    expect(told).toMatch(/fast-model.*llama3\.1:latest.*tiny-tool/s);
    desk.put(
      'config/model-mappings.yaml',
      `${rules.replace('llama_cpp_native', 'ollama')}    backend_model: tiny-tool\n`,
    );
    await desk.restart();
    expect(await header('x-signalbox-route', 'fast-model')).toBe('ollama/tiny-tool');
  });

  test('F2: an equal request is answered from the cache and says so; a name has its own time to live', async () => {
    desk.put(
      'config/settings.yaml',
      `litellm_settings:
  cache: true
  cache_params:
    ttl: 3600
server_settings:
  cache_ttl_by_model: {tiny-tool: 1}
`,
    );
    await desk.restart();
    const typed = `curl -si http://localhost:4000/v1/chat/completions -d '{"model": "counter", "messages": [{"role": "user", "content": "Test"}]}'`;
    const [first, second] = [await desk.type(typed), await desk.type(typed)];
    expect(first).toMatch(/^x-signalbox-cache: miss\r$/m);
    expect(second).toMatch(/^x-signalbox-cache: hit\r$/m);
    expect(second).toMatch(/^x-litellm-cache-key: [0-9a-f]{64}\r$/m);
    expect(second).toMatch(/^x-signalbox-route: llama_cpp_native\/counter\r$/m);
    expect(second.split('\r\n\r\n')[1]).toBe(first.split('\r\n\r\n')[1]);
    expect([await cached('tiny-tool'), await cached('tiny-tool')]).toEqual(['miss', 'hit']);
    await until('the second of tiny-tool to be over', async () => (await cached('tiny-tool')) === 'miss');
    expect(await cached('counter')).toBe('hit');
    expect(await desk.type('signalbox config show cache_ttl_by_model')).toContain('tiny-tool: 1 seconds');
    const { hits, misses } = await desk.json<CacheReport>('signalbox cache stats --json');
    expect([hits > 2, misses]).toEqual([true, 3]);
  });

  test('F3: enable_pre_call_checks: false sends what would be refused before; on, no server is asked', async () => {
    const attempts = async (): Promise<number> => {
      const answer = await ask('narrow', { messages: [{ role: 'user', content: long }] });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
      return (await desk.json<DecisionRecord>('signalbox why last --json')).attempts.length;
    };
    await desk.restart();
    // What the server grants is known from its probe.
    await until('its context', async () =>
      (await desk.type('signalbox provider show llama_cpp_python --json')).includes('256'),
    );
    expect(await attempts()).toBe(0);
    desk.put(
      'config/settings.yaml',
      `router_settings:
  enable_pre_call_checks: false  # Skip health checks for speed
`,
    );
    await desk.restart();
    expect(await attempts()).toBe(1);
  });

  test('F4: a type or group of providers serves a capability, by model and by header; least_loaded counts what is in flight', async () => {
    desk.put(
      'config/model-mappings.yaml',
      `capabilities:
  high_throughput:
    provider: vllm
    routing_strategy: least_loaded
  overnight: {provider: bulk}
`,
    );
    await desk.restart();
    const members = ['vllm-dolphin/tiny', 'vllm-qwen/tiny'];
    for (const name of ['high_throughput', 'overnight']) {
      const explained = await desk.json<DecisionRecord>(`signalbox route explain ${name} --json`);
      expect(explained.order.toSorted()).toEqual(members);
    }
    const held = await ask('high_throughput', { stream: true, ignore_eos: true, max_tokens: 100_000 });
    const busy = held.headers.get('x-signalbox-route');
    const other = members.find((one) => one !== busy);
    for (let count = 0; count < 4; count++)
      expect(await header('x-signalbox-route', 'high_throughput', { max_tokens: 1 })).toBe(other);
    await held.body?.cancel();
    const typed = `curl -si http://localhost:4000/v1/chat/completions -H 'X-Capability: high_throughput' -d '{"model": "auto", "max_tokens": 1, "messages": [{"role": "user", "content": "Test"}]}'`;
    expect(await desk.type(typed)).toMatch(/^x-signalbox-route: vllm-/m);
  });

  test('F5: a longer ttl is in force after the restart, and what was kept is kept', async () => {
    const settings = (ttl: number): string => `litellm_settings:
  cache: true
  cache_params:
    type: disk
    ttl: ${ttl}  # 2 hours for batch workloads
`;
    desk.put('config/settings.yaml', settings(3600));
    await desk.restart();
    expect(await cached('counter')).toBe('miss');
    desk.put('config/settings.yaml', settings(7200));
    expect(await desk.type('signalbox generate; grep ttl config/litellm-unified.yaml')).toContain('ttl: 7200');
    await desk.restart();
    expect(await cached('counter')).toBe('hit');
    expect(await desk.type('signalbox config show cache_params.ttl')).toMatch(
      /ttl +7200 seconds +config\/settings.yaml:5/,
    );
  });

  test('F6: bench measures first token, speed and throughput, side by side and before and after', async () => {
    desk.put(
      'config/model-mappings.yaml',
      'load_balancing: {fast: {providers: [{provider: ollama, model: tiny-tool}, {provider: llama_cpp_native, model: counter}]}}\n',
    );
    await desk.restart();
    const load = '--requests 30 --concurrency 2 --prompt-tokens 30 --max-tokens 4';
    const before = await desk.json<BenchReport>(
      `signalbox bench fast --compare ollama --compare llama_cpp_native ${load} --save before.json --json`,
    );
    expect(before.sides.map((side) => [side.asked, side.answered, Object.keys(side.routes)])).toEqual([
      ['ollama/tiny-tool', 30, ['ollama/tiny-tool']],
      ['llama_cpp_native/counter', 30, ['llama_cpp_native/counter']],
    ]);
    for (const side of before.sides)
      for (const number of [side.firstTokenP50Ms, side.totalP95Ms, side.tokensPerSecond, side.throughput])
        expect(number).toBeGreaterThan(0);
    expect(before.comparisons[0]?.total.p).toBeTypeOf('number');
    desk.put('config/settings.yaml', 'router_settings: {num_retries: 0}\n');
    await desk.restart();
    const after = await desk.json<BenchReport>(
      `signalbox bench fast --compare ollama --compare llama_cpp_native ${load} --against before.json --json`,
    );
    expect(after.comparisons.filter((one) => one.before.includes('(')).map((one) => one.total.p)).toEqual([
      expect.any(Number),
      expect.any(Number),
    ]);
  });

  test('G7: the limits of the runbook: a name that is none is an error with the nearest; rpm and tpm hold, streams count', async () => {
    const limits = `rate_limit_settings:
  enabled: true
  limits:
    llama3.1:8b:
      rpm: 100
      tpm: 50000
`;
    desk.put('config/settings.yaml', limits);
    const told = await desk.type('signalbox validate 2>&1 || echo refused');
    expect(told).toMatch(/llama3\.1:8b.*llama3\.1:latest.*refused/s);

    desk.put('config/settings.yaml', limits.replace('llama3.1:8b', 'llama3.1:latest').replace('100', '3'));
    await desk.restart();
    const streamed = await ask('llama3.1:latest', {
      stream: true,
      max_tokens: 50,
      stream_options: { include_usage: true },
    });
    const usage = /"total_tokens":(\d+)/.exec(await streamed.text())?.[1];
    const second = await ask('llama3.1:latest', {
      stream: true,
      max_tokens: 50,
      stream_options: { include_usage: true },
    });
    await second.text();
    expect(Number(usage)).toBeGreaterThan(10);
    const left = (answer: Response, what: string): number =>
      Number(answer.headers.get(`x-ratelimit-remaining-${what}`));
    // Both reserve as much; what the first really took is all that differs.
    expect(left(streamed, 'tokens') - left(second, 'tokens')).toBe(Number(usage));
    expect([left(streamed, 'requests'), left(second, 'requests')]).toEqual([2, 1]);
    await (await ask('llama3.1:latest')).text();
    const refused = await desk.type(
      `curl -si http://localhost:4000/v1/chat/completions -d '{"model": "llama3.1:latest", "messages": [{"role": "user", "content": "Test"}]}'`,
    );
    expect(refused).toMatch(/^HTTP\/1.1 429/);
    expect(Number(/^retry-after: (\d+)\r$/im.exec(refused)?.[1])).toBeGreaterThan(30);
    expect(refused).toMatch(/^x-ratelimit-limit-requests: 3\r$/m);
    expect(refused).toMatch(/^x-ratelimit-remaining-requests: 0\r$/m);
    expect(refused).toContain('"rate_limit_exceeded"');
    // Nobody else is refused.
    expect(await header('x-signalbox-route', 'tiny-tool')).toBe('ollama/tiny-tool');
  });

  test('G7: a full tpm refuses, and limits hold by provider and by key too', async () => {
    desk.put(
      'config/settings.yaml',
      `rate_limit_settings:
  limits:
    tiny-tool: {tpm: 300}
    llama_cpp_native: {rpm: 1}
server_settings:
  keys: [{name: batch, key: os.environ/BATCH_KEY, rpm: 1}]
`,
    );
    await desk.type(
      'echo export LITELLM_MASTER_KEY=sk-0123456789abcdef0123456789abcdef BATCH_KEY=sk-fedcba9876543210 > ~/.bashrc',
    );
    await desk.restart();
    const status = async (model: string, key = 'sk-0123456789abcdef0123456789abcdef'): Promise<number> => {
      const answer = await fetch(`${desk.serving()?.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({
          model,
          max_tokens: 200,
          messages: [{ role: 'user', content: 'Test' }],
          ignore_eos: true,
        }),
      });
      await answer.text();
      return answer.status;
    };
    expect([await status('counter'), await status('counter')]).toEqual([200, 429]);
    expect([
      await status('narrow', 'sk-fedcba9876543210'),
      await status('narrow', 'sk-fedcba9876543210'),
      await status('narrow'),
    ]).toEqual([200, 429, 200]);
    const statuses: number[] = [];
    for (let count = 0; count < 20 && !statuses.includes(429); count++) statuses.push(await status('tiny-tool'));
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
  });

  test('G8: the log has an event rate_limit near the limit and for each refusal', async () => {
    desk.put('config/settings.yaml', 'rate_limit_settings: {enabled: true, limits: {counter: {rpm: 5}}}\n');
    const { report } = await desk.restart();
    for (let count = 0; count < 7; count++) await header('x-signalbox-route', 'counter', { max_tokens: 1 });
    const events = await until('both refusals', async () => {
      const lines = await desk.type(`cat ${report.logFile} | grep "rate_limit" || true`);
      const found = lines
        .split('\n')
        .slice(0, -1)
        .map((one) => JSON.parse(one) as Record<string, unknown>)
        .filter((one) => one['event'] === 'rate_limit');
      return found.length >= 3 ? found : undefined;
    });
    expect(events).toMatchObject([
      { state: 'near', used: 4, most: 5 },
      { state: 'full', model: 'counter', retry_after_seconds: expect.any(Number) },
      { state: 'full', model: 'counter' },
    ]);
  });
});
