import { describe, expect, test } from 'vitest';
import { startBlackHole } from '../support/black-hole.ts';
import { closersAfterAll } from '../support/closers.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const closers = closersAfterAll();

/** A gateway before a machine that is off, and one that stands in for it. */
async function startBeside(healthCheck: object): Promise<TestGateway> {
  const [off, near] = await Promise.all([startBlackHole(), startFakeUpstream(['n'])]);
  const gateway = await startGateway({
    providers: {
      off: { type: 'openai_compatible', base_url: off.url, models: ['m'], health_check: healthCheck },
      near: { type: 'openai_compatible', base_url: near.url, models: ['n'] },
    },
    mappings: { exact_matches: { m: { provider: 'off', fallback: 'n' } }, routing_rules: { default_provider: 'off' } },
  });
  closers.push(off.close, near.close, gateway.close);
  return gateway;
}

async function timed<Value>(work: Promise<Value>): Promise<{ readonly value: Value; readonly ms: number }> {
  const start = performance.now();
  const value = await work;
  return { value, ms: performance.now() - start };
}

/** A connection may take 5 s. */
const connectMs = 5000;
/** What a busy machine may add. */
const slackMs = 2000;

// They wait for connections that never come, so they do it beside one another.
describe.concurrent('3.2 a host that is off', () => {
  // Without probes what a request met must be enough; with them it is known before.
  test.each([
    ['not probed', { enabled: false }],
    ['probed', { timeout_seconds: 5 }],
  ])('costs its first request the connect time-out once, and others nothing: %s', async (_, healthCheck) => {
    const gateway = await startBeside(healthCheck);
    const list = await timed(fetch(`${gateway.url}/v1/models`).then((answer) => answer.json()));
    expect(list.ms).toBeLessThan(1000);
    expect((list.value as { data: unknown[] }).data).toHaveLength(2);

    const first = await timed(gateway.chat({ model: 'm' }));
    expect([first.value.status, first.value.headers.get('x-signalbox-route')]).toEqual([200, 'near/n']);
    expect(first.ms).toBeLessThan(connectMs + slackMs);
    const { attempts } = await gateway.logged('request_routed');
    expect(attempts).toMatchObject([{ deployment: 'off/m' }, { deployment: 'near/n' }]);

    const second = await timed(gateway.chat({ model: 'm' }));
    expect([second.value.status, second.value.headers.get('x-signalbox-route')]).toEqual([200, 'near/n']);
    expect(second.ms).toBeLessThan(1000);
    const again = await timed(fetch(`${gateway.url}/v1/models`));
    expect(again.ms).toBeLessThan(1000);
  });

  test('keeps nobody waiting for its list for longer than a probe may take, and only once', async () => {
    const gateway = await startBeside({ timeout_seconds: 1, retry_attempts: 3 });
    const first = await timed(gateway.chat({ model: 'nobody-knows' }));
    expect([first.value.status, first.ms < 1000 + slackMs]).toEqual([404, true]);
    const second = await timed(gateway.chat({ model: 'nobody-knows' }));
    expect([second.value.status, second.ms < 500]).toEqual([404, true]);
  });
});
