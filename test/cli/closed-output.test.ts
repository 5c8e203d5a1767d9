import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { entry } from '../support/product.ts';
import { runCommand } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-output-'));
  folders.push(folder);
  return folder;
}

test('spine 4: a reader that leaves early, such as head, is no fault', async () => {
  const child = spawn(process.execPath, [entry, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const told = errorsOf(child);
  const [code] = await once(child, 'close');
  expect([code, told()]).toEqual([0, '']);
});

const full = '/dev/full';

describe.skipIf(!existsSync(full))('spine 4: where standard output goes to a disk that is full', () => {
  test.each([[['--help']], [['validate', '--json']]])('%j says so in one line and fails', async (words) => {
    const child = spawn(process.execPath, [entry, ...words], {
      cwd: makeFolder(),
      stdio: ['ignore', openSync(full, 'w'), 'pipe'],
    });
    const told = errorsOf(child);
    const [code] = await once(child, 'close');
    expect([code, told()]).toEqual([
      1,
      expect.stringMatching(/^Not everything is printed, since standard output cannot be written: ENOSPC.*\n$/),
    ]);
  });

  test('the gateway goes on serving without its log', async () => {
    const child = spawn(process.execPath, [entry, 'up', '--port', '0', '--no-discover'], {
      cwd: makeFolder(),
      stdio: ['ignore', openSync(full, 'w'), 'pipe'],
    });
    const told = errorsOf(child);
    const url = await until('it serves', () => /serves (http\S+)/.exec(told())?.[1]);
    const ask = async (): Promise<number> => {
      const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Hello' }] });
      return (await fetch(`${url}/chat/completions`, { method: 'POST', body })).status;
    };
    // Lines are written behind the answers: a gateway that fell over one would not answer all of these.
    for (let count = 0; count < 20; count++) expect(await ask()).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});

test('spine 4: what cannot be written leaves everything as it was, and says what to do', async () => {
  const folder = makeFolder();
  const config = join(folder, 'config');
  mkdirSync(config);
  writeFileSync(join(config, 'providers.yaml'), 'providers:\n  a: { type: echo, models: [m] }\n');
  // A folder stands where the file is made, which stops even one who may write everywhere.
  mkdirSync(join(config, 'litellm-unified.yaml.new'));
  const before = readdirSync(config);
  const asked = { folder };
  const { code, err } = await runCommand(['generate'], asked);
  expect([code, err]).toEqual([1, expect.stringMatching(/^The system refuses it: EISDIR.*\n {2}fix: Move the folder/)]);
  const json = JSON.parse((await runCommand(['generate', '--json'], asked)).out);
  expect(json).toMatchObject({ error: { kind: 'refused', message: expect.stringContaining('EISDIR') } });
  expect(readdirSync(config)).toEqual(before);
});

function errorsOf({ stderr }: ChildProcess): () => string {
  let told = '';
  stderr?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  return () => told;
}
