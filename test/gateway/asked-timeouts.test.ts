import { describe, expect, test } from 'vitest';
import { closersAfterEach } from '../support/closers.ts';
import { delta, type FakeUpstream, hang, openStream, startFakeUpstream } from '../support/fake-upstream.ts';
import { readStream, startGateway, type TestGateway } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { oneUpstream } from '../support/one-upstream.ts';

const closers = closersAfterEach();
const startOne = oneUpstream(closers);

type Setup = {
  readonly slow: FakeUpstream;
  readonly other: FakeUpstream;
  readonly gateway: TestGateway;
  readonly clock: ManualClock;
};

/** `m` of a server that never answers, then of one that does; a single failure would set a member aside. */
async function setup(): Promise<Setup> {
  const [slow, other] = [await startFakeUpstream(['m']), await startFakeUpstream(['m'])];
  slow.script(hang);
  const clock = createManualClock();
  const gateway = await startGateway({
    clock,
    providers: {
      slow: { type: 'openai_compatible', base_url: slow.url, models: ['m'] },
      other: { type: 'openai_compatible', base_url: other.url, models: ['m'] },
    },
    mappings: { load_balancing: { m: { strategy: 'direct', providers: ['slow', 'other'] } } },
    settings: {
      router_settings: { num_retries: 1, allowed_fails: 0, timeout: 100, stream_timeout: 50 },
      server_settings: { stream_heartbeat_after: 0 },
    },
  });
  closers.push(slow.close, other.close, gateway.close);
  return { slow, other, gateway, clock };
}

type Said = { readonly fields?: Record<string, unknown>; readonly headers?: Record<string, string> };

describe('spine 3.5: a request’s own timeout bounds each of its attempts, as LiteLLM has it', () => {
  test.each<[what: string, said: Said, seconds: number]>([
    ['timeout', { fields: { timeout: 5 } }, 5],
    ['timeout of a stream', { fields: { timeout: 5, stream: true } }, 5],
    ['a part of a second', { fields: { timeout: 0.5 } }, 0.5],
    ['request_timeout, its other name', { fields: { request_timeout: 5 } }, 5],
    ['stream_timeout of a stream', { fields: { stream_timeout: 3, timeout: 20, stream: true } }, 3],
    ['stream_timeout of what is no stream', { fields: { stream_timeout: 3, timeout: 20 } }, 20],
    ['as text', { fields: { timeout: '5.5' } }, 5.5],
    ['the header', { headers: { 'x-litellm-timeout': '5' } }, 5],
    ['the header before the field', { headers: { 'x-litellm-timeout': '5' }, fields: { timeout: 90 } }, 5],
    ['the header of streams', { headers: { 'x-litellm-stream-timeout': '3' }, fields: { stream: true } }, 3],
    ['nothing said', {}, 100],
    ['nothing said of a stream', { fields: { stream: true } }, 50],
    ['null', { fields: { timeout: null, stream_timeout: null } }, 100],
  ])('%s', async (_what, { fields = {}, headers = {} }, seconds) => {
    const { slow, other, gateway, clock } = await setup();
    const asked = gateway.chat(fields, { headers });
    await slow.received(1);
    await clock.advance(seconds * 1000 - 50);
    expect(other.requests).toHaveLength(0);
    await clock.advance(100);
    const answer = await asked;
    expect([answer.status, answer.headers.get('x-signalbox-route')]).toEqual([200, 'other/m']);
    await answer.arrayBuffer();
    // A strict server would refuse a field that it does not know.
    for (const { body } of [...slow.requests, ...other.requests]) expect(body).not.toContain('timeout');
  });

  test.each<[what: string, fields: Record<string, unknown>, isSetAside: boolean]>([
    ['how little time a client gives counts against no server', { timeout: 5 }, false],
    ['nor how little it gives for the first word', { stream: true, stream_timeout: 5 }, false],
    ['what was too long by the plan as well does', { timeout: 100 }, true],
  ])('%s', async (_what, fields, isSetAside) => {
    const { slow, gateway, clock } = await setup();
    const asked = gateway.chat(fields);
    await slow.received(1);
    await clock.advance(100_100);
    await (await asked).arrayBuffer();
    const again = gateway.chat({ timeout: 1 });
    if (!isSetAside) await slow.received(2);
    await clock.advance(1100);
    await (await again).arrayBuffer();
    expect(slow.requests).toHaveLength(isSetAside ? 1 : 2);
  });

  test.each([
    ['in place of the attempt’s own limit', { timeout: 5 }, {}, 20, 'upstream_timeout_total'],
    ['never past the request’s deadline', { timeout: 5 }, { request_timeout: 10 }, 10, 'deadline_exceeded'],
  ])('it stands %s', async (_what, router, litellm, seconds, code) => {
    const clock = createManualClock();
    const settings = { router_settings: router, litellm_settings: litellm };
    const { upstream, gateway } = await startOne({}, { clock, settings });
    upstream.script(hang);
    let isOver = false;
    const asked = gateway.chat({ timeout: 20 }).finally(() => {
      isOver = true;
    });
    await upstream.received(1);
    await clock.advance(seconds * 1000 - 50);
    expect(isOver).toBe(false);
    await clock.advance(100);
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([504, expect.stringContaining(`"code":"${code}"`)]);
  });

  test('where nobody else answers, the client is told that the limit was its own', async () => {
    const clock = createManualClock();
    const { upstream, gateway } = await startOne({}, { clock });
    upstream.script(hang);
    const asked = gateway.chat({ timeout: 5 });
    await upstream.received(1);
    await clock.advance(5100);
    const answer = await asked;
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({
      error: { code: 'upstream_timeout_asked', message: expect.stringContaining('the request itself') },
    });
  });

  test('a stream that has begun ends in band when its time is over', async () => {
    const clock = createManualClock();
    const { upstream, gateway } = await startOne({}, { clock });
    upstream.script(openStream([delta({ content: 'Once' })]));
    const answer = await gateway.chat({ stream: true, timeout: 5, stream_timeout: 2 });
    await clock.advance(5100);
    const { events } = await readStream(answer);
    expect(events.at(-1)).toContain('upstream_timeout_asked');
  });
});
