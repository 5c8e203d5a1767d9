import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { closersAfterAll } from '../support/closers.ts';
import { chat, startFakeUpstream } from '../support/fake-upstream.ts';
import { readStream, startGateway, type TestGateway, type TestGatewayOptions, textOf } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

/*
 * A llama-server that loads: every route answers 503 until it has loaded, as the real one does.
 * What the real one does with these requests is in test/real/loading.test.ts.
 */

const closers = closersAfterAll();

type LoadingServer = {
  readonly url: string;
  isLoading: boolean;
  /** Rounds of probes, and requests for the model. */
  probes: number;
  posts: number;
};

const told: Readonly<Record<string, unknown>> = {
  '/health': { status: 'ok' },
  '/props': { default_generation_settings: { n_ctx: 4096 }, total_slots: 1 },
  '/slots': [{ id: 0, is_processing: false }],
  '/v1/models': { object: 'list', data: [{ id: 'm', object: 'model', owned_by: 'llamacpp' }] },
};

async function startLoading(isLoading: boolean): Promise<LoadingServer> {
  const server = createServer((request, answer) => {
    const { method, url = '/' } = request;
    if (method === 'POST') state.posts++;
    else if (url === '/health') state.probes++;
    if (state.isLoading)
      return send(answer, 503, { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } });
    if (method !== 'POST') return send(answer, url in told ? 200 : 404, told[url] ?? {});
    let body = '';
    request.on('data', (piece) => {
      body += String(piece);
    });
    request.on('end', () => {
      const received = { method: 'POST', path: url, headers: {}, body, events: [], cancelled: Promise.resolve() };
      void chat('Hello there')(answer, received);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const state = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, isLoading, probes: 0, posts: 0 };
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return state;
}

function send(answer: ServerResponse, status: number, body: unknown): void {
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify(body));
}

async function stateOf({ url }: TestGateway, model = 'm'): Promise<string | undefined> {
  return ((await (await fetch(`${url}/v1/models/${model}`)).json()) as { state?: string }).state;
}

type System = { readonly server: LoadingServer; readonly gateway: TestGateway; readonly clock: ManualClock };

async function startSystem(
  settings: Record<string, unknown> = {},
  more: Partial<TestGatewayOptions> = {},
  isProbed = true,
): Promise<System> {
  const server = await startLoading(true);
  const clock = createManualClock();
  const gateway = await startGateway({
    providers: {
      llama: { type: 'llama_cpp', base_url: server.url, models: ['m'], health_check: { enabled: isProbed } },
      ...more.providers,
    },
    settings: { router_settings: { num_retries: 0 }, server_settings: { stream_heartbeat_after: 2 }, ...settings },
    ...(more.mappings === undefined ? {} : { mappings: more.mappings }),
    clock,
  });
  closers.push(gateway.close);
  if (isProbed) await until('its first state', async () => (await stateOf(gateway, 'llama/m')) === 'loading');
  return { server, gateway, clock };
}

/** Goes on in steps that are small beside what is waited for, with time between them for what is on the wire. */
async function goOn({ clock }: System, ms: number): Promise<void> {
  const end = clock.now() + ms;
  await until('time to pass', async () => {
    await clock.advance(50);
    return clock.now() >= end;
  });
}

// They wait on clocks of their own, so they do it beside one another.
describe.concurrent('3.4 a request for a model that loads', () => {
  test('waits for probes to see it, and is sent once', async () => {
    const system = await startSystem();
    const { server, gateway } = system;
    const answer = gateway.chat({ stream: true });
    await goOn(system, 6000);
    expect(server.posts).toBe(0);
    server.isLoading = false;
    await goOn(system, 1500);
    const { events, comments } = await readStream(await answer);
    expect(textOf(events)).toBe('Hello there');
    expect(server.posts).toBe(1);
    expect(comments.slice(0, 3)).toEqual([
      ': loading m, 2 s, 1 waiting',
      ': loading m, 4 s, 1 waiting',
      ': loading m, 6 s, 1 waiting',
    ]);
  });

  test('is told how long it took before', async () => {
    const system = await startSystem();
    const { server, gateway, clock } = system;
    // The first load, seen from outside: 8 s.
    await clock.advance(6500);
    server.isLoading = false;
    await until('it to be seen ready', async () => {
      await clock.advance(500);
      return (await stateOf(gateway)) === 'ready';
    });
    server.isLoading = true;
    const answer = gateway.chat({ stream: true });
    await until('the request to be refused', () => server.posts === 1);
    await until('the refusal to be known', async () => (await stateOf(gateway)) === 'loading');
    await goOn(system, 4000);
    server.isLoading = false;
    await goOn(system, 1500);
    const { comments } = await readStream(await answer);
    expect(comments[1]).toMatch(/^: loading m, 4 s of about \d+ s, 1 waiting$/);
    expect(server.posts).toBe(2);
  });

  test('ends with its deadline', async () => {
    const system = await startSystem({ litellm_settings: { timeout: 5 } });
    const answer = system.gateway.chat();
    await goOn(system, 5500);
    expect((await answer).status).toBe(504);
    expect(await (await answer).text()).toContain('is still loading');
    expect(system.server.posts).toBe(0);
  });

  test('is answered while the gateway ends, which lets it finish', async () => {
    const system = await startSystem();
    const { server, gateway } = system;
    const answer = gateway.chat();
    await goOn(system, 1000);
    const stopped = gateway.running.stop();
    await goOn(system, 1000);
    server.isLoading = false;
    await goOn(system, 1500);
    expect((await answer).status).toBe(200);
    await stopped;
  });

  test('is given up with its client', async () => {
    const system = await startSystem();
    const { server, gateway, clock } = system;
    const leave = new AbortController();
    const answer = gateway.chat({ stream: true }, { signal: leave.signal }).catch(() => 'left');
    await goOn(system, 1000);
    leave.abort();
    expect(await answer).toBe('left');
    await goOn(system, 1000);
    server.isLoading = false;
    await clock.advance(10_000);
    expect(server.posts).toBe(0);
  });

  test.each([
    // A peer that is there serves sooner, by its place or by what is predicted.
    ['weighted_round_robin', { llama: 0.9, near: 0.1 }, undefined, 'near/m'],
    ['soonest', { llama: 0.9, near: 0.1 }, undefined, 'near/m'],
    // What stands behind it is no peer: the name that was asked for is what its user wants.
    [undefined, undefined, 'n', 'llama/m'],
  ] as const)('%s %j, fallback %s: %s answers', async (strategy, weights, fallback, route) => {
    const near = await startFakeUpstream(['m', 'n']);
    closers.push(near.close);
    const system = await startSystem(
      {},
      {
        providers: { near: { type: 'openai_compatible', base_url: near.url, models: [fallback ?? 'm'] } },
        mappings:
          weights === undefined
            ? { exact_matches: { m: { provider: 'llama', fallback } } }
            : {
                load_balancing: {
                  m: {
                    strategy,
                    providers: Object.entries(weights).map(([provider, weight]) => ({ provider, weight })),
                  },
                },
              },
      },
    );
    const answer = system.gateway.chat();
    if (route === 'llama/m') {
      await goOn(system, 2000);
      system.server.isLoading = false;
      await goOn(system, 1500);
    }
    expect((await answer).headers.get('x-signalbox-route')).toBe(route);
    expect(system.server.posts).toBe(route === 'llama/m' ? 1 : 0);
  });

  test('that never ends: its fallback answers after the limit on first words, not at the deadline', async () => {
    const near = await startFakeUpstream(['n']);
    closers.push(near.close);
    const system = await startSystem(
      { litellm_settings: { stream_timeout: 12 } },
      {
        providers: { near: { type: 'openai_compatible', base_url: near.url, models: ['n'] } },
        mappings: { exact_matches: { m: { provider: 'llama', fallback: 'n' } } },
      },
    );
    const answer = system.gateway.chat();
    await goOn(system, 10_000);
    expect(near.requests.length).toBe(0);
    await goOn(system, 4000);
    expect((await answer).headers.get('x-signalbox-route')).toBe('near/n');
    expect(system.server.posts).toBe(0);
    const line = await system.gateway.logged('fallback');
    expect(JSON.stringify(line)).toContain('upstream_loading');
  });

  test('for longer than its limit is waited for all the same where nothing stands behind it', async () => {
    const system = await startSystem({ litellm_settings: { stream_timeout: 3 } });
    const answer = system.gateway.chat();
    await goOn(system, 6000);
    system.server.isLoading = false;
    await goOn(system, 1500);
    expect((await answer).headers.get('x-signalbox-route')).toBe('llama/m');
    expect(system.server.posts).toBe(1);
  });

  test('is asked again after a while where no probe tells of it', async () => {
    const system = await startSystem({}, {}, false);
    const { server, gateway } = system;
    const answer = gateway.chat();
    await until('it to be refused', () => server.posts === 1);
    server.isLoading = false;
    await goOn(system, 2500);
    expect((await answer).status).toBe(200);
    expect([server.posts, server.probes]).toEqual([2, 0]);
  });

  test('is counted among those who wait, and no more when it is over', async () => {
    const system = await startSystem();
    const seen = async (): Promise<unknown> => {
      const { providers } = await system.gateway.running.report(milliseconds(0));
      return providers[0]?.deployments[0]?.queue;
    };
    const answers = [system.gateway.chat(), system.gateway.chat()];
    await until('two to wait', async () => ((await seen()) as { waiting: number }).waiting === 2);
    await goOn(system, 3000);
    expect(await seen()).toMatchObject({ waiting: 2, loadingMs: expect.any(Number) });
    system.server.isLoading = false;
    await goOn(system, 1500);
    expect((await Promise.all(answers)).map((one) => one.status)).toEqual([200, 200]);
    expect(await seen()).toMatchObject({ waiting: 0, loadingMs: null });
  });
});
