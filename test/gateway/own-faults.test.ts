import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { dialects } from '../../src/main.ts';
import { closersAfterEach } from '../support/closers.ts';
import { chat, delta, done, fault, finish, hang, stream } from '../support/fake-upstream.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { oneUpstream } from '../support/one-upstream.ts';

/* Faults of the gateway itself, put where nothing of Node's is known to throw: one request pays, and the process stays up. */

const closers = closersAfterEach();
const startOne = oneUpstream(closers);
afterEach(() => vi.restoreAllMocks());

const ours = new Error('a fault of ours');
const logged = { level: 'error', message: expect.stringContaining('a fault of ours') };

test('spine 7: an answer that cannot be written costs its own connection', async () => {
  const { gateway } = await startOne();
  const port = Number(new URL(gateway.url).port);
  const { end } = ServerResponse.prototype;
  let isArmed = true;
  vi.spyOn(ServerResponse.prototype, 'end').mockImplementation(function (
    this: ServerResponse,
    ...given: Parameters<typeof end>
  ) {
    if (!isArmed || this.req.socket.localPort !== port) return end.apply(this, given);
    isArmed = false;
    throw ours;
  });
  const answers = await Promise.allSettled([1, 2, 3].map(() => fetch(`${gateway.url}/v1/models`)));
  expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(await gateway.logged('internal_error')).toMatchObject(logged);
  expect((await gateway.chat()).status).toBe(200);
});

test('spine 7: a request that cannot be written to its upstream is 500, and counts against nobody', async () => {
  const { upstream, gateway } = await startOne({}, { settings: { router_settings: { allowed_fails: 0 } } });
  const port = Number(new URL(upstream.url).port);
  // Only on a kept connection the end of the turn is waited for.
  expect((await gateway.chat()).status).toBe(200);
  const { write } = Socket.prototype;
  let isArmed = true;
  vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...given: Parameters<typeof write>) {
    if (!isArmed || this.remotePort !== port) return write.apply(this, given);
    isArmed = false;
    throw ours;
  });
  const answer = await gateway.chat();
  expect([answer.status, await answer.json()]).toEqual([
    500,
    { error: expect.objectContaining({ code: 'internal_error' }) },
  ]);
  expect(await gateway.logged('internal_error')).toMatchObject({ ...logged, request_id: expect.any(String) });
  expect((await gateway.chat()).status).toBe(200);
});

test.each([
  ['an answer that is an error', 'readError', fault(500)],
  ['the beginning of a stream', 'createStreamReader', stream([delta({ content: 'one' }), finish(), done])],
] as const)('spine 7: a dialect that throws over %s costs one request', async (_what, method, answer) => {
  const { upstream, gateway } = await startOne({}, { settings: { router_settings: { allowed_fails: 0 } } });
  upstream.script(answer, chat('back again'));
  vi.spyOn(dialects.openai_compatible, method).mockImplementationOnce(() => {
    throw ours;
  });
  const answered = await gateway.chat({ stream: method === 'createStreamReader' });
  expect([answered.status, await answered.json()]).toEqual([
    500,
    { error: expect.objectContaining({ code: 'internal_error' }) },
  ]);
  expect(await gateway.logged('internal_error')).toMatchObject({ ...logged, request_id: expect.any(String) });
  expect((await gateway.chat()).status).toBe(200);
});

test('spine 7: a request whose failure cannot be told either costs its own connection, and holds no end up', async () => {
  const { gateway } = await startOne();
  const port = Number(new URL(gateway.url).port);
  const { writeHead } = ServerResponse.prototype;
  let throws = 2;
  vi.spyOn(ServerResponse.prototype, 'writeHead').mockImplementation(function (
    this: ServerResponse,
    ...given: Parameters<typeof writeHead>
  ) {
    if (throws === 0 || this.req.socket.localPort !== port) return writeHead.apply(this, given);
    throws--;
    throw ours;
  });
  await expect(fetch(`${gateway.url}/v1/models`)).rejects.toThrow('fetch failed');
  expect(await gateway.logged('internal_error')).toMatchObject(logged);
  expect((await gateway.chat()).status).toBe(200);
  await gateway.running.stop();
});

test('spine 7: a timer that throws costs what it was set for, and no other', async () => {
  const clock = createManualClock();
  const { upstream, gateway } = await startOne({}, { clock });
  let answerNow = (): void => {};
  upstream.script(async (answer, request) => {
    await new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    await chat('after all')(answer, request);
  });
  const port = Number(new URL(gateway.url).port);
  const answer = gateway.chat({ stream: true });
  await upstream.received(1);
  const { writeHead } = ServerResponse.prototype;
  let isArmed = true;
  vi.spyOn(ServerResponse.prototype, 'writeHead').mockImplementation(function (
    this: ServerResponse,
    ...given: Parameters<typeof writeHead>
  ) {
    if (!isArmed || this.req.socket.localPort !== port) return writeHead.apply(this, given);
    isArmed = false;
    throw ours;
  });
  // Comments would open the stream now.
  await clock.advance(15_000);
  expect(isArmed).toBe(false);
  answerNow();
  expect(await (await answer).text()).toContain('after');
  expect(await gateway.logged('internal_error')).toMatchObject(logged);
});

test('spine 7: who hears that a client left, and throws, keeps that from no other', async () => {
  const { upstream, gateway } = await startOne({ max_parallel_requests: 1 });
  upstream.script(hang, chat('next'));
  const leave = new AbortController();
  const left = gateway.chat({}, { signal: leave.signal }).catch(() => 'left');
  await upstream.received(1);
  const port = Number(new URL(upstream.url).port);
  const { destroy } = Socket.prototype;
  let isArmed = true;
  vi.spyOn(Socket.prototype, 'destroy').mockImplementation(function (this: Socket, ...given) {
    if (!isArmed || this.remotePort !== port) return destroy.apply(this, given);
    isArmed = false;
    throw ours;
  });
  leave.abort();
  expect(await left).toBe('left');
  expect((await gateway.chat()).status).toBe(200);
  expect(await gateway.logged('internal_error')).toMatchObject(logged);
});
