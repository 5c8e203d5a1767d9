import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeploymentStatus } from '../../src/contract/status.ts';
import { getProbe } from '../../src/control/get-probe.ts';
import { createProber } from '../../src/control/prober.ts';
import { createUpstreams, destroyUpstreams } from '../../src/control/upstreams.ts';
import { dialects } from '../../src/main.ts';
import { milliseconds } from '../../src/plan/ids.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { readStream, startGateway, type TestGateway, textOf } from '../support/gateway.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { planOf } from '../support/plan-of.ts';
import { until } from '../support/until.ts';
import { describeReal } from './real.ts';
import { type RealServer, startLlama, startOllama } from './servers.ts';

/** What `/api/ps` of an Ollama lists. */
async function loadedIn(server: RealServer): Promise<readonly string[]> {
  const { models } = (await (await fetch(`${server.url}/api/ps`)).json()) as { models: { name: string }[] };
  return models.map((one) => one.name);
}

async function unload(server: RealServer, model: string): Promise<void> {
  await fetch(`${server.url}/api/generate`, { method: 'POST', body: JSON.stringify({ model, keep_alive: 0 }) });
  await until(`${model} to be out of memory`, async () => !(await loadedIn(server)).includes(`${model}:latest`));
}

describeReal('3.2 probing a real Ollama', ['ollama'], () => {
  test('for an hour loads nothing', async () => {
    const server = await startOllama();
    const clock = createManualClock();
    const plan = planOf({ providers: { o: { dialect: 'ollama', baseUrl: server.url } }, deployments: ['o/tiny'] });
    const { byProvider } = createUpstreams(plan, {});
    const state = createRoutingState(plan, clock.now());
    const snapshot = { generation: 1, plan, state, upstreams: byProvider, keys: [], cache: undefined };
    const seen: string[] = [];
    const prober = createProber({
      current: () => snapshot,
      dialects,
      clock,
      random: () => 0.5,
      get: getProbe,
      isKeyless: () => false,
      onReading: (_, { report }) => seen.push(report.state),
      onFault: () => {},
    });
    try {
      prober.start();
      for (let minute = 0; minute < 60; minute++) {
        await until('a probe', () => seen.length > minute);
        await clock.advance(60_000);
      }
      expect(seen.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 'up'));
      expect(await loadedIn(server)).toEqual([]);
      expect(server.log()).not.toContain('runner started');
      expect(state.observations[0]?.residency?.kind).toBe('unloaded');
    } finally {
      prober.stop();
      destroyUpstreams(byProvider);
      await server.stop();
    }
  }, 60_000);
});

describeReal('3.3 and 3.4 a real Ollama', ['ollama', 'gemma'], () => {
  let server: RealServer;
  let gateway: TestGateway;
  beforeAll(async () => {
    server = await startOllama({ gemma: true });
    gateway = await startGateway({
      providers: {
        ollama: {
          type: 'ollama',
          base_url: server.url,
          models: ['gemma', 'tiny'],
          health_check: { interval_seconds: 1 },
        },
        // Looked at once a minute.
        calm: { type: 'ollama', base_url: server.url, models: ['tiny-tool'] },
      },
      mappings: {
        load_balancing: {
          pool: {
            strategy: 'weighted_round_robin',
            providers: [
              { provider: 'ollama', model: 'gemma', weight: 0.9 },
              { provider: 'ollama', model: 'tiny', weight: 0.1 },
            ],
          },
        },
        special_cases: { first_request_routing: { strategy: 'prefer_warm_providers', warm_check_timeout_ms: 2000 } },
      },
      settings: { server_settings: { stream_heartbeat_after: 0.1 } },
    });
  }, 120_000);
  afterAll(async () => {
    await gateway?.close();
    await server?.stop();
  });

  const known = async (model: string): Promise<DeploymentStatus | undefined> => {
    const { providers } = await gateway.running.report(milliseconds(0));
    return providers.flatMap(({ deployments }) => deployments).find((one) => one.model === model);
  };
  const gemma = (): Promise<DeploymentStatus | undefined> => known('gemma');

  test('a model that is out of memory is told of while it loads, and its load is learned', async () => {
    await until('the first probe', async () => (await gemma())?.loaded === false);
    const ask = async (): Promise<Awaited<ReturnType<typeof readStream>>> =>
      readStream(await gateway.chat({ model: 'gemma', stream: true, max_tokens: 4 }));
    const first = await ask();
    expect(textOf(first.events)).not.toBe('');
    expect(first.comments[0]).toMatch(/^: loading gemma, \d+ s$/);
    const after = await gemma();
    expect(after).toMatchObject({ loaded: true, state: 'ready' });
    expect(after?.speeds?.loadMs).toBeGreaterThan(100);
    expect(after?.speeds?.decodeTokensPerSecond).toBeGreaterThan(0);
    const told = await until('what its server tells', async () => {
      const one = await gemma();
      return one?.residency?.memoryBytes === null ? undefined : one;
    });
    expect(told?.residency?.memoryBytes).toBeGreaterThan(100_000_000);
    expect(Date.parse(told?.residency?.expiresAt ?? '')).toBeGreaterThan(Date.now());
    expect(told?.context).toBe(4096);

    await unload(server, 'gemma');
    await until('that it is gone', async () => (await gemma())?.loaded === false);
    const second = await ask();
    expect(second.comments[0]).toMatch(/^: loading gemma, \d+ s of about \d+ s$/);
  }, 60_000);

  test('what it granted is asked for soon after a load, not at the next round of probes', async () => {
    await until('the first probe', async () => (await known('tiny-tool'))?.loaded === false);
    await (await gateway.chat({ model: 'tiny-tool', stream: true, max_tokens: 1 })).text();
    const told = await until('its context', async () => (await known('tiny-tool'))?.context ?? undefined, 5000);
    expect(told).toBe(4096);
  }, 60_000);

  test('a pool asks who is in memory, whatever the weights say', async () => {
    await unload(server, 'gemma');
    await unload(server, 'tiny');
    const routes: (string | null)[] = [];
    const ask = async (): Promise<void> => {
      const answer = await gateway.chat({ model: 'pool', max_tokens: 1 });
      await answer.text();
      routes.push(answer.headers.get('x-signalbox-route'));
    };
    // Nobody is: the weights decide, and gemma is loaded.
    await until('both to be gone', async () => !(await gemma())?.loaded && !(await known('tiny'))?.loaded);
    await ask();
    await unload(server, 'gemma');
    await fetch(`${server.url}/api/generate`, { method: 'POST', body: JSON.stringify({ model: 'tiny' }) });
    // What an answer proved counts for two seconds before it is asked about again.
    await until('the change to be seen', async () => !(await gemma())?.loaded && (await known('tiny'))?.loaded);
    await ask();
    await ask();
    expect(routes).toEqual(['ollama/gemma', 'ollama/tiny', 'ollama/tiny']);
  }, 60_000);
});

describeReal('3.4 a real llama.cpp server that is still loading', ['llama', 'gemma'], () => {
  test('is waited for by probing, asked at most twice, and its load is learned', async () => {
    const server = await startLlama('gemma', { ready: false });
    try {
      // It listens before it has loaded.
      await until('its door to open', async () => {
        const answer = await fetch(`${server.url}/health`).catch(() => undefined);
        await answer?.arrayBuffer();
        return answer?.status === 503;
      });
      const gateway = await startGateway({
        providers: { llama: { type: 'llama_cpp', base_url: server.url, models: ['gemma'] } },
        settings: { router_settings: { num_retries: 0 }, server_settings: { stream_heartbeat_after: 0.2 } },
      });
      try {
        const answer = await gateway.chat({ model: 'gemma', stream: true, max_tokens: 3 });
        const { events, comments } = await readStream(answer);
        expect(textOf(events)).not.toBe('');
        expect(comments[0]).toMatch(/^: loading gemma, \d+ s, 1 waiting$/);
        const { attempts } = await gateway.logged('request_routed');
        expect((attempts as readonly unknown[]).length).toBeLessThanOrEqual(2);
        const { providers } = await gateway.running.report(milliseconds(0));
        expect(providers[0]?.deployments[0]).toMatchObject({ state: 'ready', loaded: true });
        expect(providers[0]?.deployments[0]?.speeds?.loadMs).toBeGreaterThan(100);
      } finally {
        await gateway.close();
      }
    } finally {
      await server.stop();
    }
  }, 90_000);
});
