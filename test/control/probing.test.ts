import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyReport } from '../../src/control/apply-report.ts';
import type { PooledGet } from '../../src/control/get-probe.ts';
import { createProber, type Prober } from '../../src/control/prober.ts';
import { createUpstreams, destroyUpstreams } from '../../src/control/upstreams.ts';
import type { Snapshot } from '../../src/gateway/snapshot.ts';
import { dialects, start } from '../../src/main.ts';
import { milliseconds, type ProviderId, providerId, seconds } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { ProbeAnswer } from '../../src/plan/probe.ts';
import type { Provider } from '../../src/plan/provider.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { planOf } from '../support/plan-of.ts';
import { runCommand } from '../support/terminal.ts';

/** How the one server under test answers: path → body, or why it does not. */
type Server = { answers: Readonly<Record<string, string>> | 'refuses' | 'silent' | 'throws'; readonly asked: string[] };

type Probing = {
  readonly clock: ManualClock;
  readonly server: Server;
  readonly prober: Prober;
  readonly snapshot: Snapshot;
  readonly id: ProviderId;
  /** Puts a plan into force in which the provider is declared anew. */
  redeclare(provider: Partial<Provider>): void;
  /** Times at which a probe came, in seconds. */
  readonly rounds: () => readonly number[];
  state(): string;
};

const up = {
  '/api/version': '{"version":"0.24.0"}',
  '/api/tags': '{"models":[{"name":"m:latest"}]}',
  '/api/ps': '{"models":[]}',
};

/** Where no probe is skipped and none comes early: the middle of every draw. */
const middle = (): number => 0.5;

/** What else the prober depends on. */
type Given = { readonly random?: () => number; readonly isKeyless?: () => boolean };

function probing(
  provider: Partial<Provider> = {},
  answers: Server['answers'] = up,
  { random = middle, isKeyless = () => false }: Given = {},
): Probing {
  const clock = createManualClock();
  const id = providerId('p');
  const planWith = (declared: Partial<Provider>): Plan =>
    planOf({ providers: { p: { dialect: 'ollama', ...declared } }, deployments: ['p/m'] });
  const server: Server = { answers, asked: [] };
  const times = new Set<number>();
  const get: PooledGet = (url, { timeoutMs }) => {
    const path = new URL(url).pathname;
    server.asked.push(path);
    times.add(clock.now() / 1000);
    const { answers: now } = server;
    if (now === 'throws') throw new Error('a fault of ours');
    if (now === 'silent')
      return new Promise((resolve) => {
        clock.after(timeoutMs, () => resolve({ kind: 'error', path, code: 'ETIMEDOUT', detail: 'no answer in time' }));
      });
    if (now === 'refuses')
      return Promise.resolve({ kind: 'error', path, code: 'ECONNREFUSED', detail: 'nothing listens there' });
    const body = now[path];
    return Promise.resolve({
      kind: 'answer',
      path,
      status: body === undefined ? 404 : body.startsWith('503') ? 503 : 200,
      body: body ?? '',
      contentType: 'application/json',
      location: undefined,
    });
  };
  const snapshotOf = (plan: Plan, previous?: Snapshot): Snapshot => ({
    generation: 1,
    plan,
    state: createRoutingState(plan, clock.now(), previous),
    upstreams: createUpstreams(plan, {}).byProvider,
    keys: [],
    cache: undefined,
  });
  let snapshot = snapshotOf(planWith(provider));
  const prober = createProber({
    current: () => snapshot,
    dialects,
    clock,
    random,
    get,
    isKeyless,
    onReading: () => {},
    onFault: () => {},
  });
  return {
    clock,
    server,
    prober,
    snapshot,
    id,
    redeclare(declared) {
      snapshot = snapshotOf(planWith(declared), snapshot);
      prober.start();
    },
    rounds: () => [...times],
    state: () => snapshot.state.health[0]?.kind ?? 'none',
  };
}

const probe = (settings: Partial<Provider['probe']> = {}): Partial<Provider> => ({
  probe: {
    enabled: true,
    path: undefined,
    intervalMs: seconds(60),
    timeoutMs: seconds(5),
    retries: 0,
    ...settings,
  },
});

describe('3.2 when a provider is asked', () => {
  test.each<
    readonly [
      what: string,
      provider: Partial<Provider>,
      answers: Server['answers'],
      until: number,
      at: readonly number[],
    ]
  >([
    ['every minute', probe(), up, 200, [0, 60, 120, 180]],
    ['at its own interval', probe({ intervalMs: seconds(15) }), up, 50, [0, 15, 30, 45]],
    ['every ten seconds while it is down', probe(), 'refuses', 35, [0, 10, 20, 30]],
    ['never less often while it is down', probe({ intervalMs: seconds(4) }), 'refuses', 10, [0, 4, 8]],
    ['again at once, as often as it says', probe({ retries: 2, timeoutMs: seconds(1) }), 'silent', 5, [0, 1, 2]],
    ['with its own timeout', probe({ timeoutMs: seconds(2) }), 'silent', 13, [0, 12]],
    ['never, where it says so', probe({ enabled: false }), up, 500, []],
    ['never, while it is disabled', { ...probe(), status: 'disabled' }, up, 500, []],
  ])('%s', async (_, provider, answers, until, at) => {
    const { clock, prober, rounds } = probing(provider, answers);
    prober.start();
    // The first round begins at once; the clock may go on when it is over.
    await clock.advance(0);
    await clock.advance(until * 1000);
    prober.stop();
    expect(rounds()).toEqual(at);
  });
});

test.each([
  [0, [0, 54, 108]],
  [1, [0, 66]],
])('3.2 probes that began together do not stay together: by a draw of %d they come at %j', async (draw, at) => {
  const { clock, prober, rounds } = probing(probe(), up, { random: () => draw });
  prober.start();
  await clock.advance(0);
  await clock.advance(130_000);
  prober.stop();
  expect(rounds()).toEqual(at);
});

test('3.2 a provider whose key is not set is not asked', async () => {
  const { clock, prober, id, rounds } = probing(probe(), up, { isKeyless: () => true });
  prober.start();
  await clock.advance(200_000);
  await prober.listing(id);
  expect(rounds()).toEqual([]);
});

test('3.2 a probe that the gateway’s end cuts says nothing of the provider', async () => {
  const { clock, prober, id, state } = probing({}, 'silent');
  const before = state();
  prober.start();
  await clock.advance(1000);
  prober.stop();
  await clock.advance(10_000);
  expect([state(), prober.reading(id)]).toEqual([before, undefined]);
});

describe('3.2 a machine that comes back', () => {
  test('is in service within one probe', async () => {
    const { clock, prober, server, state } = probing({}, 'silent');
    prober.start();
    await clock.advance(5000);
    expect(state()).toBe('down');
    await clock.advance(600_000);
    expect(state()).toBe('down');
    server.answers = up;
    await clock.advance(10_000 + 5000);
    expect(state()).toBe('ready');
    prober.stop();
  });

  test('that a request found closed is looked at within a second', async () => {
    const { clock, prober, snapshot, id, rounds } = probing();
    prober.start();
    await clock.advance(5000);
    snapshot.state.health[0] = {
      kind: 'cooling',
      since: clock.now(),
      until: milliseconds(10_000),
      why: 'refused',
      round: 0,
    };
    prober.soon(id);
    await clock.advance(1000);
    expect([rounds().at(-1), snapshot.state.health[0].kind]).toEqual([6, 'ready']);
    prober.stop();
  });
});

describe('3.2 what a provider is asked again for', () => {
  test('comes however often requests meet its closed door', async () => {
    const { clock, prober, id, rounds } = probing();
    prober.start();
    await clock.advance(100);
    for (let asked = 0; asked < 10; asked++) {
      prober.soon(id);
      await clock.advance(400);
    }
    // A second after the first word of it, and so on; none puts the next look off.
    expect(rounds()).toEqual([0, 1.1, 2.3, 3.5]);
    prober.stop();
  });

  test('comes after one that threw, and those who waited for that one go on', async () => {
    const { clock, prober, server, id, rounds, state } = probing({}, 'throws');
    prober.start();
    let waited = 0;
    for (const waits of [prober.listing(id), prober.residency([id], seconds(1)), prober.look(id), prober.probeAll()])
      void waits.then(() => waited++);
    await clock.advance(0);
    await clock.advance(1000);
    expect(waited).toBe(4);
    server.answers = up;
    await clock.advance(10_000);
    expect([rounds(), state()]).toEqual([[0, 0.5, 10], 'ready']);
    prober.stop();
  });

  test('is asked for soon also while a look is under way, which may have begun too early', async () => {
    const { clock, prober, server, id, rounds } = probing(probe({ intervalMs: seconds(60) }), 'silent');
    prober.start();
    await clock.advance(4000);
    prober.soon(id);
    server.answers = up;
    await clock.advance(2500);
    expect(rounds()).toEqual([0, 6]);
    prober.stop();
  });

  test('another address is asked at once, whatever the one before still owes', async () => {
    const { clock, prober, server, rounds, state, redeclare } = probing(
      { ...probe(), baseUrl: 'http://old' },
      'silent',
    );
    prober.start();
    await clock.advance(1000);
    server.answers = up;
    redeclare({ ...probe({ intervalMs: seconds(20) }), baseUrl: 'http://new' });
    await clock.advance(0);
    // By then the old address has not answered in time, which says nothing of the new one.
    await clock.advance(5000);
    expect(state()).toBe('ready');
    await clock.advance(25_000);
    expect([rounds(), state()]).toEqual([[0, 1, 21], 'ready']);
    prober.stop();
  });
});

describe('3.2 a server without a list of models', () => {
  test.each<[what: string, path: string | undefined, kind: string]>([
    ['is asked: its list is not known', undefined, 'ready'],
    ['is down where a path was declared that it lacks', '/healthz', 'down'],
  ])('%s', async (_what, path, kind) => {
    const { clock, prober, snapshot, id, state } = probing({ dialect: 'openai_compatible', ...probe({ path }) }, {});
    prober.start();
    await clock.advance(1000);
    expect([state(), snapshot.state.listed.get(id)]).toEqual([kind, undefined]);
    expect(prober.reading(id)?.report.detail).toContain('404');
    prober.stop();
  });

  test('its answers reach the client, and status says what is odd', async () => {
    const upstream = await startFakeUpstream(['m'], { lists: false });
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-probing-'));
    const providers = { bare: { type: 'openai_compatible', base_url: upstream.url, models: ['m'] } };
    mkdirSync(join(folder, 'config'));
    writeFileSync(join(folder, 'config/providers.yaml'), JSON.stringify({ providers }));
    const running = await start({
      ...{ folder, port: 0, discover: false, environment: {} },
      log: { output: { write: (_, done) => done(), style: 'json', colour: false }, file: false },
    });
    await running.report(milliseconds(10_000));
    expect((await runCommand(['status'], { folder, columns: 200 })).out).toMatch(/bare .*ready.*no list of models/);
    const asked = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
    const url = `${running.address.url}/v1/chat/completions`;
    expect((await fetch(url, { method: 'POST', body: JSON.stringify(asked) })).status).toBe(200);
    await running.cut();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('3.3 what requests wait for', () => {
  test('is asked once for all of them, and for no longer than they may wait', async () => {
    const { clock, prober, server, id } = probing({}, 'silent');
    let done = 0;
    for (let count = 0; count < 20; count++)
      void prober.residency([id], milliseconds(100)).then(() => {
        done++;
      });
    await clock.advance(99);
    expect(done).toBe(0);
    await clock.advance(1);
    expect([done, server.asked.length]).toEqual([20, 3]);
  });

  test('a list waits for one try, whatever retries are declared', async () => {
    const { clock, prober, id, snapshot } = probing(probe({ retries: 3, timeoutMs: seconds(2) }), 'silent');
    let isDone = false;
    void prober.listing(id).then(() => {
      isDone = true;
    });
    await clock.advance(2000);
    expect([isDone, snapshot.state.listed.get(id)?.size]).toEqual([true, 0]);
  });

  test.each([
    [true, 500],
    [false, 2000],
  ])('a look at a model that loads comes soon, one for all; probed: %s', async (enabled, ms) => {
    const { clock, prober, server, id } = probing(probe({ enabled }));
    let done = 0;
    for (let count = 0; count < 20; count++)
      void prober.look(id).then(() => {
        done++;
      });
    await clock.advance(ms - 1);
    expect(done).toBe(0);
    await clock.advance(1);
    expect([done, server.asked.length]).toEqual([20, enabled ? 3 : 0]);
  });
});

describe('3.3 what probes tell of a model', () => {
  const ps = (entry: object): Readonly<Record<string, string>> => ({
    ...up,
    '/api/ps': JSON.stringify({ models: [{ name: 'm:latest', ...entry }] }),
  });

  test('is in the routing state, and what it took to load is learned', async () => {
    const { clock, prober, server, snapshot } = probing(probe({ intervalMs: seconds(1) }));
    const seen = (): unknown => snapshot.state.observations[0]?.residency;
    prober.start();
    await clock.advance(0);
    expect(seen()).toEqual({ kind: 'unloaded', at: 0 });
    server.answers = ps({ size: 478, context_length: 4096, expires_at: '2026-11-24T00:05:00Z' });
    await clock.advance(1000);
    expect(seen()).toMatchObject({
      kind: 'loaded',
      at: 1000,
      engine: { memoryBytes: 478, expiresAt: '2026-11-24T00:05:00Z', foreign: 0 },
    });
    expect(snapshot.state.observations[0]?.effectiveContext).toBe(4096);
    server.answers = 'refuses';
    await clock.advance(1000);
    expect(seen()).toBeUndefined();
    prober.stop();
  });

  test('a load that was watched teaches how long it takes', async () => {
    const loading = { '/health': '503 loading', '/props': '503', '/slots': '503', '/v1/models': '503' };
    const { clock, prober, server, snapshot } = probing({ dialect: 'llama_cpp' }, loading);
    prober.start();
    await clock.advance(0);
    expect(snapshot.state.health[0]).toEqual({ kind: 'loading', since: 0, readyAt: undefined });
    await clock.advance(7000);
    server.answers = {
      '/health': '{"status":"ok"}',
      '/props': '{"default_generation_settings":{"n_ctx":2048},"total_slots":4}',
      '/slots': '[{"is_processing":true},{"is_processing":true},{"is_processing":false},{"is_processing":false}]',
      '/v1/models': '{"data":[{"id":"m","object":"model"}]}',
    };
    snapshot.state.inFlight[0] = 1;
    await clock.advance(1000);
    expect(snapshot.state.health[0]).toEqual({ kind: 'ready' });
    expect(snapshot.state.observations[0]).toMatchObject({
      effectiveContext: 2048,
      residency: { kind: 'loaded', engine: { seats: 4, busySeats: 2, foreign: 1 } },
      speeds: { loadMs: 8000 },
    });
    server.answers = loading;
    await clock.advance(60_000);
    // Seen at 68 s, and reckoned to be there after what the last load took.
    expect(snapshot.state.health[0]).toMatchObject({ kind: 'loading', readyAt: 76_000 });
    prober.stop();
  });

  test.each([
    ['{"total_slots":4}', '[{}]', 4],
    ['{}', '[{},{}]', 2],
    ['{"total_slots":0}', '[{}]', undefined],
    ['{}', '[]', undefined],
  ])('seats, by %s and %s: %s, and never none, for which requests would wait in vain', (props, slots, seats) => {
    const answer = (path: string, body: string): ProbeAnswer => ({ path, status: 200, body });
    const list = '{"data":[{"id":"m","object":"model"}]}';
    const { resident } = dialects.llama_cpp.readProbe([
      answer('/health', '{"status":"ok"}'),
      answer('/props', props),
      answer('/slots', slots),
      answer('/v1/models', list),
    ]);
    expect(resident?.map((one) => one.seats)).toEqual([seats]);
  });

  test('a model that its router loads teaches the same', async () => {
    const { snapshot, id } = probing({ dialect: 'llama_cpp' });
    const provider = snapshot.plan.providers.get(id);
    if (provider === undefined) throw new Error('the plan has the provider');
    const list = (value: string): string =>
      JSON.stringify({
        data: [
          { id: 'm', status: { value } },
          { id: 'n', status: { value: 'unloaded' } },
        ],
      });
    const read = (value: string, at: number): unknown => {
      const answers = [
        { path: '/health', status: 200, body: '{"status":"ok"}' },
        { path: '/props', status: 200, body: '{"role":"router"}' },
        { path: '/v1/models', status: 200, body: list(value) },
      ];
      applyReport(snapshot, provider, dialects.llama_cpp.readProbe(answers), milliseconds(at));
      return snapshot.state.observations[0]?.residency;
    };
    expect(read('unloaded', 0)).toEqual({ kind: 'unloaded', at: 0 });
    expect(read('loading', 1000)).toEqual({ kind: 'loading', at: 1000, since: 1000 });
    expect(read('loading', 3000)).toEqual({ kind: 'loading', at: 3000, since: 1000 });
    expect(read('loaded', 5000)).toMatchObject({ kind: 'loaded', at: 5000 });
    expect(snapshot.state.observations[0]?.speeds.loadMs).toBe(4000);
    expect(read('sleeping', 6000)).toEqual({ kind: 'unloaded', at: 6000 });
    destroyUpstreams(snapshot.upstreams);
  });
});
