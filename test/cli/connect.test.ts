import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clients, servedWires } from '../../src/ops/clients.ts';
import { type Ran, runCommand } from '../support/terminal.ts';

const key = 'sk-a-key-that-must-not-be-shown';
let folder = '';
const home = (path: string): string => join(folder, 'home', path);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-connect-'));
  put('config/providers.yaml', 'providers:\n  e: {type: echo, models: [fast, slow]}\n');
  put('config/settings.yaml', 'general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text, { mode });
}

const connect = (...words: string[]): Promise<Ran> =>
  runCommand(['connect', ...words], { folder, environment: { HOME: join(folder, 'home'), LITELLM_MASTER_KEY: key } });

test.each(clients.map((client) => client.id))('spine 4: connect %s prints what it wants, and no key', async (id) => {
  const ran = await connect(id, '--model', 'fast');
  expect(ran.code).toBe(0);
  const text = (ran.out + ran.err).replaceAll('127.0.0.1:4000', 'GATEWAY');
  expect(text).not.toContain(key);
  await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'goldens/connect', `${id}.txt`));
});

/** Files as people have them, with something of their own in each. */
const own: Readonly<Record<string, { readonly path: string; readonly text: string; readonly kept: string }>> = {
  continue: {
    path: '.continue/config.yaml',
    text: '# mine\nname: Work\nmodels:\n  - name: Other\n    provider: ollama\n',
    kept: '# mine\nname: Work\n',
  },
  aider: { path: '../.aider.conf.yml', text: '# mine\ndark-mode: true\n', kept: '# mine\ndark-mode: true\n' },
  opencode: {
    path: '.config/opencode/opencode.json',
    text: '{"theme": "mine", "provider": {"other": {}}}',
    kept: '"theme": "mine"',
  },
  codex: {
    path: '.codex/config.toml',
    text: '# mine\napproval_policy = "on-request"\n',
    kept: 'approval_policy = "on-request"',
  },
  'claude-code': {
    path: '.claude/settings.json',
    text: '{"theme": "mine", "env": {"OTHER": "1"}}',
    kept: '"OTHER": "1"',
  },
};
const written = clients.filter((client) => client.file !== undefined);

test('spine 4: connect --write is proven for every client that it writes for', () => {
  expect(Object.keys(own).sort()).toEqual(written.map((client) => client.id).sort());
});

test.each(Object.entries(own))(
  'spine 4: connect %s --write keeps the rest, keeps the file before, and is the same twice',
  async (id, { path, text, kept }) => {
    put(join('home', path), text, 0o600);
    const isServed = servedWires.has(clients.find((one) => one.id === id)?.speaks ?? 'chat');
    const write = [id, '--write', ...(isServed ? [] : ['--force'])];
    const first = await connect(...write);
    expect([first.code, first.err]).toEqual([0, isServed ? '' : expect.stringContaining('does not serve yet')]);
    const now = readFileSync(home(path), 'utf8');
    expect(now).toContain(kept);
    expect(now).toContain('http://127.0.0.1:4000');
    expect(first.out + now).not.toContain(key);
    expect(readFileSync(home(`${path}.before-signalbox`), 'utf8')).toBe(text);
    expect(statSync(home(path)).mode & 0o777).toBe(0o600);
    expect((await connect(...write)).out).toContain('has these settings already');
    // Another model changes the file again; what is kept is the file before the first time.
    await connect(...write, '--model', 'slow');
    expect(readFileSync(home(`${path}.before-signalbox`), 'utf8')).toBe(text);
  },
);

test('spine 4: connect --write leaves a file alone that it cannot read', async () => {
  for (const [id, path, text] of [
    ['opencode', '.config/opencode/opencode.json', '{ // a comment\n}'],
    ['continue', '.continue/config.yaml', 'models: [unclosed\n'],
  ] as const) {
    put(join('home', path), text);
    const ran = await connect(id, '--write');
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('is left as it is')]);
    expect(readFileSync(home(path), 'utf8')).toBe(text);
    expect(existsSync(home(`${path}.before-signalbox`))).toBe(false);
  }
});

test('spine 4: connect --write changes what a link leads to, and keeps the link', async () => {
  put('dotfiles/continue.yaml', 'name: Work\n');
  mkdirSync(home('.continue'), { recursive: true });
  symlinkSync(join(folder, 'dotfiles/continue.yaml'), home('.continue/config.yaml'));
  expect((await connect('continue', '--write')).code).toBe(0);
  expect(lstatSync(home('.continue/config.yaml')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'dotfiles/continue.yaml'), 'utf8')).toContain('Signalbox fast');
});

test.each(['codex', 'claude-code'])(
  'spine 4: connect %s --write wants --force until its wire is served',
  async (id) => {
    const ran = await connect(id, '--write');
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('does not serve yet')]);
    expect(existsSync(join(folder, 'home'))).toBe(false);
  },
);

test('spine 4: connect names the nearest client and the nearest model', async () => {
  const ran = await connect('aidr');
  expect([ran.code, ran.err]).toEqual([64, expect.stringContaining('did you mean "aider"?')]);
  expect((await connect('aider', '--model', 'fats')).err).toContain('did you mean "fast"?');
});
