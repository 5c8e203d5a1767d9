import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Running, start } from '../../src/main.ts';
import { chat, type FakeUpstream, type Held, hold, startFakeUpstream } from '../support/fake-upstream.ts';
import { type Ran, runCommand } from '../support/terminal.ts';
import { until } from '../support/until.ts';

/* Two providers of one name, `shared`; `m` and `n` are served by one of them alone. */

let folder = '';
let running: Running;
let home: FakeUpstream;
let den: FakeUpstream;
let log = '';
/** Answers of home, which are held back. */
let held: Held;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-drain-'));
  [home, den] = [await startFakeUpstream(['m', 'shared']), await startFakeUpstream(['n', 'shared'])];
  [log, held] = ['', hold(chat('from home'))];
  home.script(held.behaviour);
  den.script(chat('from the den'));
  const provider = (url: string, models: readonly string[], more = {}): unknown => ({
    ...{ type: 'openai_compatible', base_url: url, models },
    ...more,
  });
  const providers = {
    home: provider(home.url, ['m', 'shared'], { max_parallel_requests: 1 }),
    den: provider(den.url, ['n', 'shared']),
    off: provider('http://127.0.0.1:1', ['x'], { status: 'disabled' }),
  };
  const load_balancing = {
    shared: { strategy: 'priority', providers: [{ provider: 'home' }, { provider: 'den' }] },
  };
  mkdirSync(join(folder, 'config'));
  writeFileSync(join(folder, 'config/providers.yaml'), JSON.stringify({ providers }));
  const exact_matches = { spare: { provider: 'home', backend_model: 'm', fallback: 'n' } };
  writeFileSync(join(folder, 'config/model-mappings.yaml'), JSON.stringify({ load_balancing, exact_matches }));
  const write = (bytes: Uint8Array, done: () => void): void => {
    log += Buffer.from(bytes).toString();
    done();
  };
  running = await start({
    ...{ folder, port: 0, discover: false, environment: {} },
    log: { output: { write, style: 'json', colour: false }, file: false },
  });
  await running.report(10_000 as Parameters<Running['report']>[0]);
});
afterEach(async () => {
  held.releaseAll();
  await running.cut();
  await Promise.all([home.close(), den.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const signalbox = (line: string): Promise<Ran> => runCommand(line.split(' '), { folder, columns: 200 });

type Asked = { readonly status: number; readonly text: string; readonly degraded: string | null };

async function ask(model: string): Promise<Asked> {
  const answer = await fetch(`${running.address.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  const degraded = answer.headers.get('x-signalbox-degraded');
  return { status: answer.status, text: await answer.text(), degraded };
}

test('4.3.1 a drained provider gets no new request, what runs there finishes, and every view says so', async () => {
  const first = ask('shared');
  await home.received(1);
  const drained = await signalbox('provider drain home');
  expect(drained).toMatchObject({ code: 0, out: 'home gets no new request: 1 request still there\n' });
  expect(await ask('shared')).toMatchObject({ status: 200, text: expect.stringContaining('from the den') });
  expect(home.requests).toHaveLength(1);

  for (const line of ['status', 'provider list', 'provider show home'])
    expect((await signalbox(line)).out, line).toMatch(/draining: one request still runs there/);
  expect((await signalbox('route explain shared')).out).toContain('its provider "home" is draining');
  const record = await until('the record', async () => {
    const { out, code } = await signalbox('why');
    return code === 0 && out;
  });
  expect(record).toContain('its provider "home" is draining');
  const models = (await (await fetch(`${running.address.url}/v1/models`)).json()) as {
    readonly data: readonly { readonly id: string; readonly state: string }[];
  };
  expect(models.data.find(({ id }) => id === 'm')).toMatchObject({ state: 'draining' });
  expect(models.data.find(({ id }) => id === 'shared')).toMatchObject({ state: 'ready' });

  await held.release();
  expect(await first).toMatchObject({ status: 200, text: expect.stringContaining('from home') });
  await until('the line of the end', () => log.includes('"event": "provider_drained"'));
  expect((await signalbox('provider show home')).out).toContain('draining: nothing runs there any more');
});

test('4.3.1 what only draining providers have is refused as such, and returns with --undo', async () => {
  await signalbox('provider drain home');
  const refused = await ask('m');
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.text)).toMatchObject({
    error: {
      code: 'no_deployment_ready',
      message: expect.stringContaining('Cannot route to "m": home: its provider "home" is draining'),
    },
  });
  expect(await signalbox('provider drain home --undo')).toMatchObject({ code: 0, out: 'home takes requests: ready\n' });
  const asked = ask('m');
  await held.release();
  expect(await asked).toMatchObject({ status: 200 });
  await until('its lines', () => /"provider_draining"[\s\S]*"provider_drained"[\s\S]*"provider_returned"/.test(log));
});

test('4.3.1 who stands in for a draining provider says that it drains', async () => {
  await signalbox('provider drain home');
  expect(await ask('spare')).toMatchObject({ status: 200, degraded: 'draining; from=spare; to=n' });
});

test('4.3.1 a request that waits for a seat of a provider goes on elsewhere when that is drained', async () => {
  const first = ask('shared');
  await home.received(1);
  const second = ask('shared');
  await until('the second to wait', async () => (await signalbox('status')).out.includes('1 waiting'));
  await signalbox('provider drain home');
  expect(await second).toMatchObject({ status: 200, text: expect.stringContaining('from the den') });
  await held.release();
  expect(await first).toMatchObject({ text: expect.stringContaining('from home') });
  expect(home.requests).toHaveLength(1);
});

test('4.3.1 provider drain --wait ends when nothing runs there any more, or fails in its time', async () => {
  const first = ask('m');
  await home.received(1);
  const late = await signalbox('provider drain home --wait --timeout 0');
  expect(late).toMatchObject({ code: 1, out: 'home gets no new request: 1 request still there\n' });
  const waiting = signalbox('provider drain home --wait');
  await held.release();
  expect(await waiting).toMatchObject({ code: 0, out: 'home gets no new request: nothing runs there any more\n' });
  await first;
});

test('4.3.1 a gateway that ends while --wait runs is told as such, with what to do', async () => {
  const first = ask('m').catch(() => undefined);
  await home.received(1);
  const waiting = signalbox('provider drain home --wait');
  await until('the draining', () => log.includes('"event": "provider_draining"'));
  await running.cut();
  const { code, err } = await waiting;
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/^No gateway runs with this configuration.*\n {2}fix: Start it/),
  ]);
  await first;
});

test.each([
  ['provider drain hom', 1, 'Did you mean "home"?'],
  ['provider drain off', 1, 'off gets no request as it is: it is disabled, or has no models'],
  ['provider drain home --undo --wait', 64, '--wait goes without --undo'],
  ['provider drain home --timeout 3', 64, '--timeout with --wait'],
])('4.3.1 %s', async (line, code, says) => {
  const ran = await signalbox(line);
  expect(ran.code).toBe(code);
  expect(ran.err).toContain(says);
});

test('4.3.1 a server that is gone when its provider returns is told as it was seen', async () => {
  await signalbox('provider drain home');
  await home.close();
  expect((await signalbox('provider drain home --undo')).out).toMatch(/^home takes requests: down: /);
});
