import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Behaviour,
  chat,
  delta,
  done,
  type FakeUpstream,
  fault,
  finish,
  openStream,
  startFakeUpstream,
} from '../support/fake-upstream.ts';
import { readStream, startGateway, type TestGateway } from '../support/gateway.ts';
import { startProduct } from '../support/product.ts';
import { until } from '../support/until.ts';

const canary = 'sk-canary-0123456789abcdef';

describe('spine 3.10: one line a request', () => {
  let upstream: FakeUpstream;
  let gateway: TestGateway;
  beforeAll(async () => {
    upstream = await startFakeUpstream(['m', 'n']);
    gateway = await startGateway({
      providers: {
        first: { type: 'openai_compatible', base_url: upstream.url, models: ['m'], api_key: 'os.environ/CANARY' },
        second: { type: 'openai_compatible', base_url: upstream.url, models: ['n'] },
      },
      mappings: { exact_matches: { m: { provider: 'first', fallback: 'n' } } },
      settings: { router_settings: { num_retries: 0 } },
      environment: { CANARY: canary },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  test('its first provider is the one that answered; attempts say "deployment"', async () => {
    upstream.script(fault(500, `no ${canary}`), fault(500), chat('ok'));
    await gateway.chat();
    const line = await gateway.logged('request_routed');
    expect(line).toMatchObject({
      level: expect.any(String),
      component: 'routing',
      request_id: expect.any(String),
      model: 'm',
      status_code: expect.any(Number),
      latency_ms: expect.any(Number),
      attempts: expect.any(Array),
    });
    const text =
      gateway
        .logText()
        .split('\n')
        .find((one) => one.includes('request_routed')) ?? '';
    // One space after each colon, and no second "provider" in the line.
    expect(text).toMatch(/^\{"timestamp": "[^"]+", "level": "/);
    expect(text.match(/"provider": /g)?.length ?? 0).toBeLessThanOrEqual(1);
    for (const attempt of line['attempts'] as Record<string, unknown>[]) {
      expect(attempt).toHaveProperty('deployment');
      expect(attempt).not.toHaveProperty('provider');
    }
  });

  test('what went wrong has lines of its own, each with the request', async () => {
    for (const event of ['upstream_error', 'fallback']) {
      const line = await gateway.logged(event);
      expect(line['request_id'], event).toEqual(expect.any(String));
      expect(line['component'], event).toBe('routing');
    }
  });

  test('no secret is in any line, though the upstream printed it', () => {
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${canary}`);
    expect(gateway.logText()).not.toContain(canary);
  });

  test.each([400, 500])('no line holds the prompt, though the upstream repeats it: %i', async (status) => {
    const secret = `my secret ${status}`;
    const body = { error: { message: `bad: ${secret}`, type: 'odd_type', code: 'odd_code' } };
    const refuse: Behaviour = (answer) => {
      answer.writeHead(status, { 'content-type': 'application/json' });
      answer.end(JSON.stringify(body));
    };
    upstream.script(refuse, refuse);
    const answer = await gateway.chat({ messages: [{ role: 'user', content: secret }], disable_fallbacks: true });
    // The client may read what its own request was refused for.
    expect((await answer.text()).includes(secret)).toBe(status === 400);
    const lines = (): readonly Record<string, unknown>[] =>
      gateway.log().filter((one) => one['upstream_status'] === status && one['upstream_code'] === 'odd_code');
    await until('the lines', () => lines().length >= 2);
    expect(lines()).toMatchObject([
      {
        event: 'upstream_error',
        upstream_type: 'odd_type',
        message: expect.stringMatching(/^first failed: The provider/),
      },
      { event: 'request_routed', upstream_type: 'odd_type', message: expect.stringMatching(/^The provider/) },
    ]);
    expect(gateway.logText()).not.toContain(secret);
  });

  test('no line holds what a refused body had in a field', async () => {
    await gateway.chat({ messages: 'my secret text' });
    await until('the line', () => gateway.log().some((one) => one['error'] === 'wrong_type'));
    expect(gateway.logText()).not.toContain('my secret text');
  });

  test('the runbook’s awk counts providers (C3b)', async () => {
    upstream.script(chat('ok'));
    for (let count = 0; count < 3; count++) await gateway.chat({ model: 'n' });
    await until(
      'three lines',
      () =>
        gateway.log().filter((line) => line['provider'] === 'second' && line['event'] === 'request_routed').length >= 3,
    );
    const file = join(process.env['TMPDIR'] ?? '/tmp', `signalbox-log-${process.pid}.jsonl`);
    writeFileSync(file, gateway.logText());
    const awk = `grep request_routed ${file} | awk -F'"provider": "' '{print $2}' | cut -d'"' -f1 | sort | uniq -c`;
    expect(execFileSync('sh', ['-c', awk], { encoding: 'utf8' })).toMatch(/\d second/);
  });
});

describe('spine 3.10: SIGTERM', () => {
  test('running streams finish, no new connection is taken, the exit code is 0', async () => {
    const upstream = await startFakeUpstream(['m']);
    let finishStream = (): void => {};
    upstream.script(async (answer, request) => {
      await openStream([delta({ content: 'Hel' })])(answer, request);
      finishStream = () => answer.end(delta({ content: 'lo' }) + finish() + done);
    });
    const product = await startProduct({
      files: {
        'config/providers.yaml': JSON.stringify({
          providers: { u: { type: 'openai_compatible', base_url: upstream.url, models: ['m'] } },
        }),
      },
    });
    const answer = await fetch(`${product.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
    });
    const exited = new Promise<number | null>((resolve) => product.process.once('exit', resolve));
    product.process.kill('SIGTERM');
    await until('the listener to close', () =>
      fetch(`${product.url}/health`).then(
        () => false,
        () => true,
      ),
    );
    finishStream();
    const { events } = await readStream(answer);
    expect(events.at(-1)).toBe('[DONE]');
    expect(await exited).toBe(0);
    const lines = product.log();
    expect(lines.find((line) => line['event'] === 'request_routed')).toMatchObject({ state: 'completed' });
    await product.stop();
    await upstream.close();
  });
});
