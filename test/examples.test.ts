import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../src/cli/commands.ts';
import { entry } from './support/product.ts';
import { runCommand } from './support/terminal.ts';

const run = promisify(execFile);
const example = join(import.meta.dirname, '../examples/kimi');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-example-'));
  cpSync(example, folder, { recursive: true });
  const words = `#!/bin/sh\nexec "${process.execPath}" "${entry}" "$@"\n`;
  writeFileSync(join(folder, 'signalbox'), words, { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the script prints and how it ends, typed as a person does. */
async function script(environment: Readonly<Record<string, string>> = {}): Promise<{ code: number; out: string }> {
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    SIGNALBOX: join(folder, 'signalbox'),
    ...environment,
  };
  return run(join(folder, 'test_kimi_routing.sh'), { env, timeout: 60_000 }).then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    // What execFile rejects with.
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, out: stdout }),
  );
}

describe('6.3 examples/kimi/test_kimi_routing.sh', () => {
  test('K1 K2 K3 K4 all tests pass without a key, by a simulated cloud, which is said', async () => {
    const { code, out } = await script();
    expect(code, out).toBe(0);
    expect(out).toContain('a simulated cloud answers');
    expect(out).toMatch(/^Test 1: Direct request to kimi-k2:1t-cloud\nA simulated answer of kimi-k2:1t-cloud$/m);
    expect(out).toMatch(/^Test 2: Reasoning capability request \(load balanced\)\nA simulated answer of /m);
    expect(out).toMatch(/^ +2 ollama_cloud\/deepseek-v3.1:671b-cloud\n +2 ollama_cloud\/kimi-k2:1t-cloud$/m);
    expect(out).toContain('answered by ollama_cloud/gpt-oss:120b-cloud');
    expect(out.match(/PASSED/g)).toHaveLength(4);
  }, 60_000);

  test('K2 with direct, Test 2 sees one member and the script fails', async () => {
    const path = join(folder, 'config/model-mappings.yaml');
    const before = readFileSync(path, 'utf8');
    const set = ['strategy', 'set', 'reasoning', 'direct', '--config', 'config'];
    expect((await runCommand(set, { folder })).code).toBe(0);
    try {
      const { code, out } = await script();
      expect(code, out).toBe(1);
      expect(out).toContain('wanted 4 answers from 2 members, found 4 from 1');
      expect(out).toContain('expected  load_balance');
      expect(out).toContain('2 FAILED');
    } finally {
      writeFileSync(path, before);
    }
  }, 60_000);

  test('K3 a gateway that is not there, or a cloud that refuses the key, is a failure', async () => {
    const nobody = await script({ SIGNALBOX_URL: 'http://127.0.0.1:1' });
    expect([nobody.code, nobody.out]).toEqual([1, expect.stringContaining('found 000 from nobody')]);
    expect(nobody.out).toContain('signalbox provider probe ollama_cloud');
    const refused = await script({ OLLAMA_API_KEY: 'sk-made-up', OLLAMA_CLOUD_URL: 'http://127.0.0.1:1' });
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('SKIPPED: a real cloud')]);
    expect(refused.out).not.toContain('sk-made-up');
  }, 60_000);

  test('K6 provider probe takes a provider by its name, with its key', async () => {
    const cloud = execFile(process.execPath, [join(folder, 'simulated-cloud.mjs')]);
    const url = await new Promise<string>((resolve) => {
      cloud.stdout?.once('data', (text: string) => resolve(text.trim()));
    });
    const probe = ['provider', 'probe', 'ollama_cloud', '--config', 'config'];
    const environment = { OLLAMA_CLOUD_URL: url };
    const taken = await runCommand(probe, { folder, environment: { ...environment, OLLAMA_API_KEY: 'simulated' } });
    expect([taken.code, taken.out], taken.err).toEqual([0, expect.stringContaining('the given one is taken')]);
    expect(taken.out).toContain('kimi-k2:1t-cloud');
    const wrong = await runCommand(probe, { folder, environment: { ...environment, OLLAMA_API_KEY: 'other' } });
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringContaining('refuses the key (status 401)')]);
    const none = await runCommand(probe, { folder, environment });
    expect([none.code, none.out]).toEqual([1, expect.stringContaining('wants a key (status 401)')]);
    cloud.kill();
  });

  test('K7 route explain says where kimi goes and what stands behind it', async () => {
    const words = ['route', 'explain', 'kimi-k2:1t-cloud', '--config', 'config'];
    const { code, out } = await runCommand(words, { folder });
    expect(code).toBe(0);
    for (const one of ['exact_matches', 'kimi-k2:1t-cloud', 'gpt-oss:120b-cloud', 'gpt-oss:20b-cloud'])
      expect(out).toContain(one);
  });

  test('every command that its README names exists', () => {
    const text = readFileSync(join(example, 'README.md'), 'utf8');
    const typed = [...text.matchAll(/^signalbox ([a-z]+(?: [a-z]+)?)/gm)].map(([, words = '']) => words);
    expect(typed.length).toBeGreaterThan(3);
    const known = commands.map(({ words }) => words.join(' '));
    for (const words of typed)
      expect(
        known.some((one) => words === one || words.startsWith(`${one} `)),
        words,
      ).toBe(true);
  });
});
