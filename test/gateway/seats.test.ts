import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../src/plan/ids.ts';
import { closersAfterEach } from '../support/closers.ts';
import { type FakeUpstream, hang, hold, startFakeUpstream } from '../support/fake-upstream.ts';
import { readStream, startGateway, type TestGateway } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

const closers = closersAfterEach();

type Setup = {
  readonly upstream: FakeUpstream;
  readonly gateway: TestGateway;
  readonly clock: ManualClock;
  /** Lets the server answer the oldest request that it holds. */
  readonly answer: () => Promise<void>;
};

/** Models `m` and `n` of one server that answers when it is told, and `o` of another that may stand in. */
async function setup(parts: {
  readonly provider?: Record<string, unknown>;
  readonly models?: readonly unknown[];
  readonly mappings?: Record<string, unknown>;
  readonly server?: Record<string, unknown>;
  readonly settings?: Record<string, unknown>;
  readonly environment?: Record<string, string>;
}): Promise<Setup> {
  const upstream = await startFakeUpstream(['m', 'n']);
  const other = await startFakeUpstream(['o']);
  const { behaviour, release } = hold();
  upstream.script(behaviour);
  const clock = createManualClock();
  const gateway = await startGateway({
    clock,
    providers: {
      a: { type: 'openai_compatible', base_url: upstream.url, models: parts.models ?? ['m', 'n'], ...parts.provider },
      b: { type: 'openai_compatible', base_url: other.url, models: ['o'] },
    },
    ...(parts.mappings === undefined ? {} : { mappings: parts.mappings }),
    ...(parts.environment === undefined ? {} : { environment: parts.environment }),
    settings: { router_settings: { num_retries: 0 }, server_settings: parts.server ?? {}, ...parts.settings },
  });
  closers.push(upstream.close, other.close, gateway.close);
  return { upstream, gateway, clock, answer: release };
}

/** Lets the first request take so long, by which later waits are reckoned. */
async function answerFirst({ gateway, upstream, clock, answer }: Setup, tookMs: number): Promise<void> {
  const first = gateway.chat();
  await upstream.received(1);
  await clock.advance(tookMs);
  await answer();
  await first;
}

/** What status says of the queue of a model. */
async function queueOf(
  { gateway }: Setup,
  model: string,
): Promise<{ readonly inFlight: number; readonly waiting: number }> {
  const { providers } = await gateway.running.report(milliseconds(0));
  const found = providers.flatMap((one) => one.deployments).find((one) => one.model === model);
  return { inFlight: found?.inFlight ?? -1, waiting: found?.queue?.waiting ?? -1 };
}

const waiting = (setup: Setup, model: string, count: number): Promise<true> =>
  until(`${count} to wait for ${model}`, async () => (await queueOf(setup, model)).waiting === count);

const modelsAt = ({ upstream }: Setup): readonly unknown[] =>
  upstream.requests.map(({ body }) => (JSON.parse(body) as { model: unknown }).model);

describe('4.1: seats of every level', () => {
  test.each([
    ['a model', { models: [{ name: 'm', max_parallel_requests: 1 }, 'n'] }],
    ['a provider', { provider: { max_parallel_requests: 1 } }],
    ['default_max_parallel_requests', { settings: { router_settings: { default_max_parallel_requests: 1 } } }],
  ])('%s: one more waits until a seat is free', async (_, parts: Parameters<typeof setup>[0]) => {
    const all = await setup(parts);
    const first = all.gateway.chat();
    await all.upstream.received(1);
    const second = all.gateway.chat();
    await waiting(all, 'm', 1);
    expect(all.upstream.requests.length).toBe(1);
    await all.answer();
    expect((await first).status).toBe(200);
    await all.answer();
    expect((await second).status).toBe(200);
    expect(await queueOf(all, 'm')).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('an exclusive group serves one model at a time, and what waits for the same together', async () => {
    const all = await setup({ provider: { exclusive_group: 'card' } });
    const answers = [all.gateway.chat({ model: 'm' })];
    await all.upstream.received(1);
    answers.push(all.gateway.chat({ model: 'n' }));
    await waiting(all, 'n', 1);
    answers.push(all.gateway.chat({ model: 'm' }));
    await all.upstream.received(2);
    expect(modelsAt(all)).toEqual(['m', 'm']);
    await all.answer();
    await all.answer();
    await all.answer();
    expect((await Promise.all(answers)).map((one) => one.status)).toEqual([200, 200, 200]);
    expect(modelsAt(all)).toEqual(['m', 'm', 'n']);
  });

  test.each([
    ['x-priority', {}, { 'x-priority': 'batch' }],
    ['metadata', { metadata: { priority: 'batch' } }, {}],
  ])('interactive before batch, by %s', async (_, fields, headers: Record<string, string>) => {
    const all = await setup({ provider: { max_parallel_requests: 1 } });
    const answers = [all.gateway.chat()];
    await all.upstream.received(1);
    answers.push(all.gateway.chat({ model: 'n', ...fields }, { headers }));
    await waiting(all, 'n', 1);
    answers.push(all.gateway.chat());
    await waiting(all, 'm', 1);
    for (const _one of answers) await all.answer();
    await Promise.all(answers);
    expect(modelsAt(all)).toEqual(['m', 'm', 'n']);
  });
});

test('4.1: interactive before batch, by the key’s own priority', async () => {
  const keys = [
    { name: 'night', key: 'os.environ/NIGHT', priority: 'batch' },
    { name: 'desk', key: 'os.environ/DESK' },
  ];
  const all = await setup({
    provider: { max_parallel_requests: 1 },
    server: { keys },
    settings: { general_settings: { master_key: 'os.environ/MASTER' } },
    environment: { MASTER: 'sk-master-of-the-test', NIGHT: 'sk-night-of-the-test', DESK: 'sk-desk-of-the-test' },
  });
  const ask = (model: string, key: string): Promise<Response> =>
    all.gateway.chat({ model }, { headers: { authorization: `Bearer sk-${key}-of-the-test` } });
  const answers = [ask('m', 'desk')];
  await all.upstream.received(1);
  answers.push(ask('n', 'night'));
  await waiting(all, 'n', 1);
  answers.push(ask('m', 'desk'));
  await waiting(all, 'm', 1);
  for (const _one of answers) await all.answer();
  await Promise.all(answers);
  expect(modelsAt(all)).toEqual(['m', 'm', 'n']);
});

describe('4.1: how waiting ends', () => {
  test('a client that leaves frees its place', async () => {
    const all = await setup({ provider: { max_parallel_requests: 1 } });
    const first = all.gateway.chat();
    await all.upstream.received(1);
    const leaving = new AbortController();
    const left = all.gateway.chat({}, { signal: leaving.signal }).catch(() => 'left');
    await waiting(all, 'm', 1);
    leaving.abort();
    await waiting(all, 'm', 0);
    await all.answer();
    expect(await left).toBe('left');
    expect((await first).status).toBe(200);
    expect(all.upstream.requests.length).toBe(1);
  });

  test('refused at once where the queue is full, with a computed Retry-After', async () => {
    const all = await setup({ provider: { max_parallel_requests: 1 }, server: { max_queue_length: 1 } });
    await answerFirst(all, 8000);
    const first = all.gateway.chat();
    await all.upstream.received(2);
    const second = all.gateway.chat();
    await waiting(all, 'm', 1);
    const refused = await all.gateway.chat();
    // Half an answer of 8 s is left of the running one, and one waits before.
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '12']);
    expect(await refused.json()).toMatchObject({
      error: { code: 'overloaded', message: expect.stringMatching(/are taken and 1 wait, .*: no more may wait$/) },
    });
    await all.answer();
    await all.answer();
    await Promise.all([first, second]);
  });

  test('refused at once where it cannot be in time, and its fallback answers instead where there is one', async () => {
    const all = await setup({
      provider: { max_parallel_requests: 1 },
      server: { max_queue_wait: 3 },
      mappings: { exact_matches: { m: { provider: 'a', fallback: 'o' } } },
    });
    await answerFirst(all, 8000);
    const running = all.gateway.chat();
    await all.upstream.received(2);
    expect((await all.gateway.chat({ model: 'n' })).status).toBe(503);
    expect((await all.gateway.chat()).headers.get('x-signalbox-route')).toBe('b/o');
    await all.answer();
    expect((await running).status).toBe(200);
  });

  test('a wait that was foreseen as shorter ends at its bound', async () => {
    const all = await setup({ provider: { max_parallel_requests: 1 }, server: { max_queue_wait: 3 } });
    const running = all.gateway.chat();
    await all.upstream.received(1);
    const late = all.gateway.chat();
    await waiting(all, 'm', 1);
    await all.clock.advance(3000);
    expect((await late).status).toBe(503);
    await all.answer();
    expect((await running).status).toBe(200);
  });

  test('the deadline ends it as what it is', async () => {
    const all = await setup({
      provider: { max_parallel_requests: 1 },
      settings: { litellm_settings: { request_timeout: 5 } },
    });
    const running = all.gateway.chat();
    await all.upstream.received(1);
    await all.clock.advance(2000);
    const late = all.gateway.chat();
    await waiting(all, 'm', 1);
    await all.clock.advance(5000);
    expect((await late).status).toBe(504);
    await running;
  });

  test('a stop sends those who wait away and lets what runs finish', async () => {
    const all = await setup({ provider: { max_parallel_requests: 1 } });
    const running = all.gateway.chat();
    await all.upstream.received(1);
    const waits = all.gateway.chat();
    await waiting(all, 'm', 1);
    const stopped = all.gateway.running.stop();
    expect((await waits).status).toBe(503);
    await all.answer();
    expect((await running).status).toBe(200);
    await stopped;
  });
});

describe('4.1: a wait can be seen', () => {
  test('in the comments of a stream, in the record and in the log', async () => {
    const all = await setup({ provider: { max_parallel_requests: 1 }, server: { stream_heartbeat_after: 2 } });
    await answerFirst(all, 8000);
    const running = all.gateway.chat();
    await all.upstream.received(2);
    const waits = all.gateway.chat({ stream: true });
    await waiting(all, 'm', 1);
    await all.clock.advance(2000);
    const answer = await waits;
    await all.answer();
    await running;
    await all.answer();
    const { comments } = await readStream(answer);
    expect(comments[0]).toBe(': waiting for a seat at a/m, 1 of 1, about 4 s');
    const id = answer.headers.get('x-request-id') ?? '';
    const line = await until('its line', () => all.gateway.log().find((one) => one['request_id'] === id));
    expect(line['queue_ms']).toBe(2000);
  });
});

test.each([
  ['o', 200, 'b/o'],
  // Where nothing else serves, the probe may have been wrong: waiting costs nobody anything.
  [undefined, undefined, undefined],
])('4.1: who waits at a server that is gone goes on to the fallback %s', async (fallback, status, route) => {
  let isGone = false;
  const upstream = await startFakeUpstream(['m'], {
    gets: { '/healthz': () => (isGone ? new Promise(() => {}) : {}) },
  });
  const other = await startFakeUpstream(['o']);
  upstream.script(hang);
  const clock = createManualClock();
  const gateway = await startGateway({
    clock,
    providers: {
      a: {
        ...{ type: 'openai_compatible', base_url: upstream.url, models: ['m'], max_parallel_requests: 1 },
        health_check: { endpoint: '/healthz', timeout_seconds: 0.1 },
      },
      b: { type: 'openai_compatible', base_url: other.url, models: ['o'] },
    },
    mappings: { exact_matches: { m: { provider: 'a', ...(fallback === undefined ? {} : { fallback }) } } },
    settings: { router_settings: { num_retries: 0 } },
  });
  closers.push(upstream.close, other.close, gateway.close);
  const all = { upstream, gateway, clock, answer: () => Promise.resolve() };
  void gateway.chat().catch(() => {});
  await upstream.received(1);
  let answered: Response | undefined;
  void gateway.chat().then(
    (answer) => {
      answered = answer;
    },
    () => {},
  );
  await waiting(all, 'm', 1);
  isGone = true;
  const stateOf = async (): Promise<unknown> =>
    (await gateway.running.report(milliseconds(0))).providers.find((one) => one.name === 'a')?.state;
  await until('it to be seen gone', async () => {
    await clock.advance(1000);
    return (await stateOf()) === 'down';
  });
  await clock.advance(1100);
  if (fallback !== undefined) await until('the second to be answered', () => answered);
  expect([answered?.status, answered?.headers.get('x-signalbox-route')]).toEqual([status, route]);
});
