import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { DecisionRecord } from '../../src/contract/decision-record.ts';
import type { CompareReport, ReplayReport, SimulateReport } from '../../src/contract/route-play.ts';
import type { StatsReport } from '../../src/contract/route-stats.ts';
import type { ProviderList, StatusReport, ValidateReport } from '../../src/contract/status.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { newProvider, newRules } from '../support/runbook-blocks.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { type RealServer, startLlama, startOllama } from './servers.ts';

describeReal('Runbooks of routing, on real llama.cpp servers and a real Ollama', ['llama', 'ollama'], () => {
  let near: RealServer;
  let far: RealServer;
  let ollama: RealServer;
  let desk: Desk;

  beforeAll(async () => {
    [near, far, ollama] = await Promise.all([
      startLlama('counting', { slots: 2 }),
      startLlama('counting'),
      startOllama(),
    ]);
  });
  afterAll(() => Promise.all([near, far, ollama].map((server) => server?.stop())));

  beforeEach(() => {
    desk = createDesk();
    return () => desk.clear();
  });

  /** Ollama as it was before the new provider, then the new one as the runbook writes it, at a real server. */
  const withNewProvider = (): void => {
    desk.put(
      'config/providers.yaml',
      `providers:\n  ollama:\n    type: ollama\n    base_url: ${ollama.url}\n    status: active\n    models: [tiny-tool, tiny]\n${newProvider.replace('http://127.0.0.1:8002', near.url)}`,
    );
    desk.put('config/model-mappings.yaml', newRules);
  };
  /** One model at two servers; the draw of simple-shuffle goes by their rpm, 19 of 20 to the first. */
  const withTwo = (mappings: object = {}): void => {
    const providers = {
      near: { type: 'llama_cpp', base_url: near.url, models: [{ name: 'counter', rpm: 19_000 }] },
      far: { type: 'llama_cpp', base_url: far.url, models: [{ name: 'counter', rpm: 1000 }] },
    };
    desk.put('config/providers.yaml', stringify({ providers }));
    desk.put('config/model-mappings.yaml', stringify(mappings));
  };

  const ask = async (model: string, more: object = {}): Promise<Response> => {
    const answer = await fetch(`${desk.serving()?.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, max_tokens: 1, messages: [{ role: 'user', content: 'Test' }], ...more }),
    });
    await answer.clone().text();
    return answer;
  };
  /** Asks so many times, one after the other; how often each provider answered. */
  const routes = async (model: string, times: number): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (let count = 0; count < times; count++) {
      const answer = await ask(model);
      const provider = answer.headers.get('x-signalbox-route')?.split('/')[0] ?? `status ${answer.status}`;
      counts[provider] = (counts[provider] ?? 0) + 1;
    }
    return counts;
  };
  const plan = async (): Promise<string> =>
    (await desk.json<StatusReport>('signalbox status --json')).config.running ?? '';
  const stats = (more = ''): Promise<StatsReport> => desk.json(`signalbox route stats --since 10m --json ${more}`);

  test('A1b: health_endpoint is what is probed, again and again, and its result stands in status', async () => {
    withNewProvider();
    const wrong = newProvider.replace('new_provider', 'wrong_path').replace('/v1/models', '/no-such-path');
    const every = (block: string): string => `${block}    health_check: {interval_seconds: 1}\n`;
    const before = desk.read('config/providers.yaml').replace(/ {2}new_provider.*/s, '');
    const blocks = [newProvider, wrong.replace('model-name', 'other')].map(every).join('');
    desk.put('config/providers.yaml', before + blocks.replaceAll('http://127.0.0.1:8002', near.url));
    await desk.restart();
    const seen = async (name: string): Promise<ProviderList['providers'][number] | undefined> =>
      (await desk.json<ProviderList>('signalbox provider list --json')).providers.find((one) => one.name === name);
    const first = await until('the first probe', async () => {
      const one = await seen('new_provider');
      return one?.checkedAt === null ? undefined : one;
    });
    // What the real server lists there: its own alias.
    expect(first).toMatchObject({ state: 'ready', listed: ['tiny'], latencyMs: expect.any(Number) });
    expect(await seen('wrong_path')).toMatchObject({ state: 'down', why: expect.stringContaining('404') });
    await until('the next probe', async () => (await seen('new_provider'))?.checkedAt !== first?.checkedAt);
    expect(await desk.type('signalbox status')).toMatch(/wrong_path .*404/);
  });

  test('A2: priority decides who answers, and a provider as fallback answers with a concrete model', async () => {
    withNewProvider();
    const { diagnostics } = await desk.json<ValidateReport>('signalbox validate --json');
    // Two models of Ollama are as near: it is told which one stands in.
    expect(diagnostics).toMatchObject([{ severity: 'warning', message: expect.stringContaining('tiny-tool') }]);
    await desk.restart();
    const typed = `curl -si -X POST http://localhost:4000/v1/chat/completions \\
  -d '{"model": "model-name", "messages": [{"role": "user", "content": "Test"}]}'`;
    const answer = await desk.type(typed);
    expect(answer).toMatch(/^x-signalbox-route: new_provider\/model-name\r$/m);
    expect(answer).toContain('one two three');
    const explained = await desk.json<DecisionRecord>('signalbox route explain model-name --json');
    expect(explained.candidates).toMatchObject([
      { deployment: 'new_provider/model-name', order: 1, verdict: 'chosen' },
      { deployment: 'ollama/tiny-tool', source: 'fallback' },
    ]);
    await desk.type('signalbox provider drain new_provider --wait');
    expect(await desk.type(typed)).toMatch(/^x-signalbox-route: ollama\/tiny-tool\r$/m);

    // Among several of one name, a secondary one serves only when no primary one can.
    const spare = `  spare: {type: llama_cpp, base_url: "${far.url}", models: [model-name]}\n`;
    desk.put('config/providers.yaml', desk.read('config/providers.yaml') + spare);
    const pool = 'load_balancing: {model-name: {providers: [new_provider, spare]}}\n';
    desk.put('config/model-mappings.yaml', newRules.replace('primary', 'secondary') + pool);
    await desk.restart();
    expect(await routes('model-name', 4)).toEqual({ spare: 4 });
    await desk.type('signalbox provider drain spare --wait');
    expect(await routes('model-name', 4)).toEqual({ new_provider: 4 });
  });

  test('C0: round-robin keeps its shares to the request, usage based evens out the tokens', async () => {
    withTwo({
      load_balancing: {
        counter: {
          strategy: 'round_robin',
          providers: [
            { provider: 'near', weight: 0.8 },
            { provider: 'far', weight: 0.2 },
          ],
        },
      },
    });
    await desk.restart();
    expect(await routes('counter', 20)).toEqual({ near: 16, far: 4 });
    await desk.type('signalbox strategy set counter usage-based-routing-v2');
    await desk.restart();
    expect(await routes('counter', 20)).toEqual({ near: 10, far: 10 });
  });

  test('C1: routing_strategy is edited from simple-shuffle to usage-based-routing-v2, in the sources', async () => {
    withTwo();
    desk.put('config/settings.yaml', 'router_settings:\n  routing_strategy: simple-shuffle\n');
    await desk.restart();
    expect((await routes('counter', 40))['near']).toBeGreaterThan(29);
    desk.put(
      'config/settings.yaml',
      'router_settings:\n  routing_strategy: usage-based-routing-v2  # Changed from simple-shuffle\n',
    );
    expect(await desk.type('signalbox generate; grep routing_strategy config/litellm-unified.yaml')).toContain(
      'routing_strategy: usage-based-routing-v2',
    );
    await desk.restart();
    expect(await routes('counter', 40)).toEqual({ near: 20, far: 20 });
  });

  test('C1: and in litellm-unified.yaml, as the runbook types it', async () => {
    withTwo();
    desk.put('config/settings.yaml', 'router_settings:\n  routing_strategy: simple-shuffle\n');
    await desk.type('signalbox generate');
    await desk.type("sed -i 's/simple-shuffle/usage-based-routing-v2/' config/litellm-unified.yaml");
    // Beside its sources, generated anew, and by itself: the edit holds, and it is told where.
    await desk.restart();
    expect(await routes('counter', 40)).toEqual({ near: 20, far: 20 });
    const shown = await desk.type('signalbox generate; signalbox config show router_settings.routing_strategy');
    expect(shown).toMatch(/usage_based_routing +config\/litellm-unified.yaml:\d+/);
    await desk.restart('--config', 'config/litellm-unified.yaml');
    expect(await routes('counter', 40)).toEqual({ near: 20, far: 20 });
  });

  test('C2: after a restart the version in force is another, and every decision has its own', async () => {
    withTwo();
    await desk.restart();
    const before = await plan();
    await ask('counter');
    expect((await desk.json<DecisionRecord>('signalbox why last --json')).plan).toBe(before);
    await desk.type('signalbox strategy set default usage-based-routing-v2');
    expect((await desk.json<StatusReport>('signalbox status --json')).config).toMatchObject({
      running: before,
      disk: expect.not.stringMatching(before),
    });
    await desk.restart();
    const after = await plan();
    await ask('counter');
    expect(after).not.toBe(before);
    expect(await desk.json<StatusReport>('signalbox status --json')).toMatchObject({
      config: { running: after, disk: after },
    });
    expect((await desk.json<DecisionRecord>('signalbox why last --json')).plan).toBe(after);
  });

  test('C3: the log says how each was routed; the runbook’s line and route stats count the same', async () => {
    withTwo({
      load_balancing: {
        counter: {
          providers: [
            { provider: 'near', weight: 0.75 },
            { provider: 'far', weight: 0.25 },
          ],
        },
      },
    });
    const { report } = await desk.restart();
    await routes('counter', 12);
    const { providers } = await stats();
    expect(providers.map((one) => [one.provider, one.requests])).toEqual([
      ['near', 9],
      ['far', 3],
    ]);
    const log = `cat ${report.logFile}`;
    expect((await desk.type(`${log} | grep "routing"`)).split('\n')[0]).toMatch(/"rule": "name", "source": "group"/);
    const counted = await desk.type(`${log} | \\
  grep '"provider":' | \\
  awk -F'"provider": "' '{print $2}' | \\
  awk -F'"' '{print $1}' | \\
  sort | uniq -c`);
    expect(
      counted
        .trim()
        .split(/\s*\n\s*/)
        .sort(),
    ).toEqual(['3 far', '9 near']);
  });

  test('C4: before and after a change, by the versions, with counts, times, shares and whether it is enough to tell', async () => {
    withTwo();
    await desk.restart();
    const before = await plan();
    await routes('counter', 35);
    await desk.type('signalbox strategy set default usage-based-routing-v2');
    await desk.restart();
    await routes('counter', 35);
    const line = `signalbox route compare --before ${before.slice(0, 6)} --after ${(await plan()).slice(0, 6)}`;
    const report = await desk.json<CompareReport>(`${line} --json`);
    const side = {
      requests: 35,
      errors: 0,
      times: { p50Ms: expect.any(Number), p95Ms: expect.any(Number), p99Ms: expect.any(Number) },
    };
    expect(report).toMatchObject({ before: side, after: side });
    expect(report.latency.verdict).not.toBe('too_few');
    // A third strategy, for a moment: nothing is claimed of it.
    await desk.type('signalbox strategy set default least-busy');
    await desk.restart();
    await routes('counter', 3);
    const short = `signalbox route compare --before ${before} --after ${await plan()}`;
    expect(await desk.type(short)).toMatch(/^times +the sample is too small to tell/m);
  });

  test('D4: a disabled provider’s model is answered by its fallback, and the headers say who and why', async () => {
    withNewProvider();
    await desk.restart();
    expect(await routes('model-name', 1)).toEqual({ new_provider: 1 });
    desk.put(
      'config/providers.yaml',
      desk
        .read('config/providers.yaml')
        .replace(/(new_provider:.*?status:) active/s, '$1 disabled  # Changed from active'),
    );
    await desk.type('signalbox generate');
    await desk.restart();
    const answer = await desk.type(`curl -si -X POST http://localhost:4000/v1/chat/completions \\
  -d '{"model": "model-name", "messages": [{"role": "user", "content": "Test"}]}'`);
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(answer).toMatch(/^x-signalbox-route: ollama\/tiny-tool\r$/m);
    expect(answer).toMatch(/^x-signalbox-degraded: disabled; from=model-name; to=tiny-tool\r$/m);
    expect(await desk.json('curl http://localhost:4000/v1/models/model-name')).toMatchObject({ id: 'model-name' });
  });

  test('D5: status: active restores what was', async () => {
    withNewProvider();
    const active = desk.read('config/providers.yaml');
    await desk.restart();
    const before = await plan();
    desk.put('config/providers.yaml', active.replace(/(new_provider:.*?status:) active/s, '$1 disabled'));
    await desk.restart();
    expect(await routes('model-name', 3)).toEqual({ ollama: 3 });
    desk.put('config/providers.yaml', active);
    await desk.type('signalbox generate');
    await desk.restart();
    expect(await plan()).toBe(before);
    const answer = await ask('model-name');
    expect([answer.headers.get('x-signalbox-route'), answer.headers.get('x-signalbox-degraded')]).toEqual([
      'new_provider/model-name',
      null,
    ]);
    const { providers } = await desk.json<ProviderList>('signalbox provider list --json');
    expect(providers.find((one) => one.name === 'new_provider')).toMatchObject({ status: 'active', state: 'ready' });
  });

  test('M9: each hop of a chain is shown with whether it could serve now, and a drill goes over it', async () => {
    withNewProvider();
    await desk.restart();
    const hops = async (): Promise<object | undefined> =>
      (await stats()).chains.find((one) => one.group === 'model-name')?.hops;
    expect(await hops()).toMatchObject([
      { deployment: 'new_provider/model-name', ready: true },
      { deployment: 'ollama/tiny-tool', ready: true, why: null },
    ]);
    const drill = await ask('model-name', { mock_testing_fallbacks: true });
    expect([drill.status, drill.headers.get('x-signalbox-route')]).toEqual([200, 'ollama/tiny-tool']);
    await desk.type('signalbox provider drain ollama --wait');
    expect(await hops()).toMatchObject([
      { ready: true },
      { deployment: 'ollama/tiny-tool', ready: false, why: expect.stringContaining('drain') },
    ]);
  });

  test('M12, M15: shares as declared, shares as they were, and whether they differ by more than chance', async () => {
    const pool = (first: number): object => ({
      load_balancing: {
        counter: {
          strategy: 'random',
          providers: [
            { provider: 'near', weight: first },
            { provider: 'far', weight: 1 - first },
          ],
        },
      },
    });
    withTwo(pool(0.75));
    await desk.restart();
    const seen = await routes('counter', 60);
    const { pools } = await stats();
    expect(pools).toMatchObject([
      {
        group: 'counter',
        requests: 60,
        members: [
          { deployment: 'near/counter', declared: 0.75, expected: 45, chosen: seen['near'] },
          { declared: 0.25, chosen: seen['far'] },
        ],
      },
    ]);
    expect(pools[0]?.chiSquare.p).toBeGreaterThan(1e-6);
    expect(await desk.type('signalbox route stats')).toMatch(/near\/counter +75\.0 % +75\.0 % /);
    const pace = { first_token_ms: 5, ms_per_token: 0.1 };
    const requests = [{ model: 'counter', count: 400, per_second: 5, output_tokens: 10 }];
    desk.put('workload.yaml', stringify({ requests, servers: { near: pace, far: pace } }));
    const simulated = await desk.json<SimulateReport>('signalbox route simulate --workload workload.yaml --json');
    const [played] = simulated.pools;
    expect(played?.chiSquare.verdict).toBe('fits');
    // One who comes while the only seat of one is taken has no choice.
    expect((played?.requests ?? 0) + (played?.undecided ?? 0)).toBe(400);
    expect(played?.requests).toBeGreaterThan(350);
  });

  test('M12: what is played has the seats that llama.cpp tells, so that it comes out as it was', async () => {
    withTwo({
      load_balancing: {
        counter: {
          strategy: 'round_robin',
          providers: [
            { provider: 'near', weight: 0.2 },
            { provider: 'far', weight: 0.8 },
          ],
        },
      },
    });
    await desk.restart();
    // Three at once, where the one that is to have most of them has one seat.
    const longer = { max_tokens: 50, ignore_eos: true };
    for (let round = 0; round < 20; round++) await Promise.all([1, 2, 3].map(() => ask('counter', longer)));
    const [pool] = (await stats()).pools;
    expect(pool?.undecided).toBeGreaterThan(10);
    const { agreement } = await desk.json<ReplayReport>('signalbox route replay --plan config --json');
    expect(agreement).toBeGreaterThan(0.8);
  });

  test('M14: models are ranked by how slow they are, and those over the threshold are named', async () => {
    withNewProvider();
    await desk.restart();
    await routes('model-name', 3);
    // Ten times the words.
    for (let count = 0; count < 3; count++) await ask('tiny', { max_tokens: 400, ignore_eos: true });
    const { models } = await stats('--slow 10m');
    expect(models.map((one) => one.slow)).toEqual([false, false]);
    const p95 = models.map((one) => one.times.p95Ms ?? 0);
    expect(p95).toEqual([...p95].sort((a, b) => b - a));
    expect((await stats('--slow 1ms')).models.map((one) => one.slow)).toContain(true);
  });
});
