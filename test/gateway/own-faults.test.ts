import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { dialects } from '../../src/main.ts';
import { closersAfterEach } from '../support/closers.ts';
import { chat, delta, done, fault, finish, stream } from '../support/fake-upstream.ts';
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
