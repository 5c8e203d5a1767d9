import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, start } from '../../src/main.ts';
import { type Ran, runCommand } from '../support/terminal.ts';

let folder = '';
let running: Running | undefined;
const signalbox = (...words: string[]): Promise<Ran> => runCommand(words, { folder });
const json = async (...words: string[]): Promise<Record<string, unknown>> => {
  const { out } = await signalbox(...words, '--json');
  // Every verb prints one JSON object with --json.
  return JSON.parse(out) as Record<string, unknown>;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('spine 4: before a gateway runs', () => {
  test.each(['validate', 'model list', 'provider list', 'config show', 'route explain x'])(
    'signalbox %s without a configuration says what to do',
    async (line) => {
      const ran = await signalbox(...line.split(' '));
      expect(ran.code).toBe(1);
      expect(ran.out + ran.err).toContain('signalbox init');
    },
  );

  test('init writes commented files that are valid, with their schemas (spine 2.5)', async () => {
    expect((await signalbox('init', '--yes', '--no-discover')).code).toBe(0);
    for (const name of ['providers', 'model-mappings', 'settings']) {
      const text = readFileSync(join(folder, 'config', `${name}.yaml`), 'utf8');
      expect(text).toMatch(new RegExp(`^# yaml-language-server: \\$schema=schemas/${name}.schema.json\n`));
      expect(JSON.parse(readFileSync(join(folder, 'config/schemas', `${name}.schema.json`), 'utf8'))).toHaveProperty(
        'properties',
      );
    }
    expect((await signalbox('validate')).code).toBe(0);
  });

  test('init changes nothing that exists', async () => {
    const before = readFileSync(join(folder, 'config/providers.yaml'), 'utf8');
    const ran = await signalbox('init', '--yes', '--no-discover');
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('exists')]);
    expect(readFileSync(join(folder, 'config/providers.yaml'), 'utf8')).toBe(before);
  });

  test('what is uncommented in the files that init writes is valid too', async () => {
    const other = mkdtempSync(join(tmpdir(), 'signalbox-init-'));
    await runCommand(['init', '--yes', '--no-discover'], { folder: other });
    const path = join(other, 'config/providers.yaml');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll(/^# {2}(?= *[\w-])/gm, '  ').replaceAll(/^#$/gm, ''));
    const ran = await runCommand(['validate', '--json'], {
      folder: other,
      environment: { OPENAI_API_KEY: 'sk-0123456789abcdef' },
    });
    expect(ran.code, ran.out).toBe(0);
    rmSync(other, { recursive: true, force: true });
  });

  test('status of a config that does not compile says so, and claims nothing of what it would serve', async () => {
    const other = mkdtempSync(join(tmpdir(), 'signalbox-broken-'));
    mkdirSync(join(other, 'config'));
    writeFileSync(join(other, 'config/providers.yaml'), 'providers:\n  echo: {type: ekho}\n');
    const ran = await runCommand(['status'], { folder: other });
    expect([ran.code, ran.out]).toEqual([
      1,
      'gateway  not running\nconfig   config (on disk it does not compile: signalbox validate)\nnames    unknown\nkey      unknown\n',
    ]);
    const report = JSON.parse((await runCommand(['status', '--json'], { folder: other })).out);
    expect(report).toMatchObject({ config: { disk: null }, names: null, key: { needed: null } });
    rmSync(other, { recursive: true, force: true });
  });

  test('status says that nothing runs, explain that all is assumed ready', async () => {
    const status = await signalbox('status');
    expect([status.code, status.out]).toEqual([1, expect.stringContaining('not running')]);
    expect(await json('status')).toMatchObject({ running: false, config: { running: null } });
    const explain = await signalbox('route', 'explain', 'echo');
    expect([explain.code, explain.err]).toEqual([0, expect.stringContaining('assumed ready')]);
    expect(await json('route', 'explain', 'echo')).toMatchObject({ order: ['echo/echo'], assumedReady: true });
  });

  test('generate, and its check', async () => {
    expect((await signalbox('generate', '--check')).code).toBe(2);
    expect((await signalbox('generate')).code).toBe(0);
    expect((await signalbox('generate', '--check')).code).toBe(0);
    expect(await json('generate')).toMatchObject({ changed: false });
  });

  test('validate tells a typing error at its line (A6)', async () => {
    const path = join(folder, 'config/settings.yaml');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, before.replace('port: 4000', 'prt: 4000'));
    const { diagnostics } = (await json('validate')) as { diagnostics: Record<string, unknown>[] };
    expect(diagnostics).toMatchObject([
      { code: 'unknown-key', severity: 'error', file: 'config/settings.yaml', line: 5, nearest: 'port' },
    ]);
    expect((await signalbox('validate')).code).toBe(1);
    writeFileSync(path, before);
  });

  test('config show names the line that decides, or the default', async () => {
    const { settings } = (await json('config', 'show', 'router_settings.num_retries')) as { settings: unknown[] };
    expect(settings).toEqual([
      {
        key: 'router_settings.num_retries',
        value: 2,
        unit: 'attempts',
        source: expect.stringMatching(/^config\/settings.yaml:\d+$/),
      },
    ]);
    expect((await signalbox('config', 'show', 'server_settings.prt')).err).toContain('server_settings.port');
  });

  test('config show names what people wrote for one another', async () => {
    const path = join(folder, 'config/ports.yaml');
    writeFileSync(path, 'web_ui:\n  port: 8080\n  description: for the family\n');
    expect(await json('config', 'show', 'web_ui')).toEqual({
      settings: [],
      notes: [{ key: 'web_ui.description', value: 'for the family', source: 'config/ports.yaml:3' }],
    });
    expect((await signalbox('config', 'show', 'notes')).out).toContain('for the family');
    expect((await signalbox('config', 'show', 'web_u')).err).toContain('web_ui.description');
    rmSync(path);
  });

  test('key generate makes a strong key', async () => {
    const { key } = (await json('key', 'generate')) as { key: string };
    expect(key).toMatch(/^sk-[0-9a-f]{32}$/);
  });

  test.each(['bash', 'zsh', 'fish'])('completion for %s knows the verbs', async (shell) => {
    const { code, out } = await signalbox('completion', shell);
    expect(code).toBe(0);
    for (const word of ['status', 'provider', 'explain']) expect(out).toContain(word);
  });
});

describe('6: while a gateway runs without a configuration', () => {
  let bare = '';
  let gateway: Running | undefined;
  beforeAll(async () => {
    bare = mkdtempSync(join(tmpdir(), 'signalbox-bare-'));
    const log = { output: undefined, file: false };
    gateway = await start({ folder: bare, port: 0, environment: {}, discover: false, log });
  });
  afterAll(async () => {
    await gateway?.stop();
    rmSync(bare, { recursive: true, force: true });
  });

  test('6.1 explain tells the nearest name', async () => {
    const ran = await runCommand(['route', 'explain', 'ecoh'], { folder: bare });
    expect([ran.code, ran.err]).toEqual([1, 'Did you mean "echo"?\n']);
  });

  test.each([
    ['model list', /echo/],
    ['strategy show echo', /echo/],
    ['config show server_settings.port', /4000/],
    ['provider probe echo', /echo/],
    ['bench echo --requests 1', /echo/],
    ['route advise', /No pool of several members/],
    ['connect aider', /echo/],
  ])('6.2 signalbox %s knows what it found', async (line, told) => {
    const ran = await runCommand(line.split(' '), { folder: bare });
    expect(ran.out + ran.err).toMatch(told);
    expect(ran.out + ran.err).not.toContain('no ./config');
  });

  test.each(['validate', 'strategy set echo direct'])(
    '6.2 signalbox %s is about files, of which there are none',
    async (line) => {
      const ran = await runCommand(line.split(' '), { folder: bare });
      expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('no ./config')]);
    },
  );
});

describe('spine 4: while a gateway runs', () => {
  beforeAll(async () => {
    running = await start({ folder, port: 0, environment: {}, log: { output: undefined, file: true } });
  });
  afterAll(async () => {
    await running?.stop();
  });

  test('status asks it', async () => {
    const status = await json('status');
    expect(status).toMatchObject({ running: true, address: running?.address.url, names: 1, key: { needed: false } });
    const { config } = status as { config: Record<string, string> };
    expect(config['disk']).toBe(config['running']);
    expect((await signalbox('status')).out).toContain('as on disk');
  });

  test('ask streams an answer and says how it came about', async () => {
    const ran = await signalbox('ask', 'echo', 'Good morning');
    expect(ran.out).toContain('Good morning');
    expect(ran.err).toMatch(/echo\/echo · first token \d+ ms · 2 tokens/);
    expect(ran.code).toBe(0);
    expect((await signalbox('ask', 'ekho', 'Hi')).err).toContain('Did you mean "echo"');
  });

  test('ask takes the question from a pipe', async () => {
    const ran = await runCommand(['ask', 'echo'], { folder, input: 'from a pipe' });
    expect(ran.out).toContain('from a pipe');
  });

  test('why explains the last request, and one by its id', async () => {
    await signalbox('ask', 'echo', 'Why');
    const ran = await signalbox('why');
    expect(ran.out.trimEnd().split('\n')).toHaveLength(6);
    const last = await json('why');
    expect(last).toMatchObject({ asked: 'echo', answeredBy: 'echo/echo', state: 'completed' });
    expect(await json('why', String(last['id']))).toEqual(last);
    expect(await json('why', String(last['id']).slice(0, 8))).toEqual(last);
    expect((await signalbox('why', 'nobody')).code).toBe(1);
  });

  test('explain asks it for states', async () => {
    expect(await json('route', 'explain', 'echo')).toMatchObject({ assumedReady: false });
    const down = await signalbox('route', 'explain', 'echo', '--assume', 'echo=down');
    expect(down.out).toMatch(/down/);
    expect((await signalbox('route', 'explain', 'echo', '--assume', 'echo=asleep')).code).toBe(64);
    expect((await signalbox('route', 'explain', 'echo', '--header', 'x-capability')).code).toBe(64);
  });

  test('providers and models with their states', async () => {
    expect(await json('provider', 'list')).toMatchObject({
      running: true,
      providers: [{ name: 'echo', state: 'ready' }],
    });
    expect(await json('provider', 'show', 'echo')).toMatchObject({
      name: 'echo',
      deployments: [{ model: 'echo', inFlight: 0 }],
    });
    expect((await signalbox('provider', 'show', 'eco')).err).toContain('echo');
    expect(await json('model', 'list')).toMatchObject({
      names: [{ name: 'echo', state: 'ready', members: [{ provider: 'echo' }] }],
    });
  });

  test('connect knows its address', async () => {
    const ran = await signalbox('connect', 'aider');
    expect(ran.out).toContain(`${running?.address.url}/v1`);
  });

  test('doctor finds it well', async () => {
    const report = await json('doctor');
    expect(report).toMatchObject({ ok: true });
    const { checks } = report as { checks: { id: string; state: string; found: string; fix: string | null }[] };
    // On another port than the configuration's, which is none of its own.
    expect(checks.find(({ id }) => id === 'port')?.found).toContain('the gateway of this configuration serves it');
    for (const check of checks) expect(check.state === 'failed' ? check.fix : 'a fix', check.id).toBeTruthy();
  });

  test('a second one of the same configuration is refused', async () => {
    await expect(
      start({ folder, port: 0, environment: {}, log: { output: undefined, file: false } }),
    ).rejects.toMatchObject({ kind: 'running' });
  });

  test('status --check tells when the files say something else', async () => {
    const path = join(folder, 'config/settings.yaml');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, before.replace('num_retries: 2', 'num_retries: 4'));
    expect((await signalbox('status', '--check')).code).toBe(2);
    writeFileSync(path, before);
    expect((await signalbox('status', '--check')).code).toBe(0);
  });
});
