import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { start } from '../../src/main.ts';
import { runCommand } from '../support/terminal.ts';

/* What becomes of a person's edit of the generated file, when its sources stand beside it. */

const folder = mkdtempSync(join(tmpdir(), 'signalbox-generate-'));
const unified = join(folder, 'config/litellm-unified.yaml');
const signalbox = (line: string) => runCommand(line.split(' '), { folder });
const read = (): string => readFileSync(unified, 'utf8');
let written = '';
let edited = '';

beforeEach(async () => {
  mkdirSync(join(folder, 'config'), { recursive: true });
  writeFileSync(join(folder, 'config/providers.yaml'), 'providers: {here: {type: echo, models: [one, two]}}\n');
  writeFileSync(join(folder, 'config/settings.yaml'), 'server_settings: {port: 0}\n');
  await signalbox('generate --force');
  written = read();
  edited = written.replace('openai/two', 'openai/three');
  expect(edited).not.toBe(written);
  writeFileSync(unified, edited);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('C1 generate writes nothing over a deployment that was edited there, and names it', async () => {
  const ran = await signalbox('generate');
  expect([ran.code, ran.out, read()]).toEqual([1, '', edited]);
  await expect(ran.err).toMatchFileSnapshot(join(import.meta.dirname, 'goldens/generate/edited.txt'));
});

test('C1 generate --force writes the file, and names what is lost', async () => {
  const ran = await signalbox('generate --force');
  expect([ran.code, ran.out, read()]).toEqual([0, 'config/litellm-unified.yaml is written\n', written]);
  expect(ran.err).toContain('warning[generated-file-edited]');
  expect(ran.err).toContain('"two" changed');
  expect(await signalbox('generate')).toEqual({ code: 0, out: 'config/litellm-unified.yaml is up to date\n', err: '' });
});

test('C1 generate --check says what would be lost, and that the file is another', async () => {
  const said = await signalbox('generate --check');
  expect([said.code, said.out, said.err]).toEqual([
    2,
    'config/litellm-unified.yaml is not what the sources give: run signalbox generate --force\n',
    expect.stringContaining('"two" changed'),
  ]);
  const ran = await signalbox('generate --check --json');
  expect([ran.code, read()]).toEqual([2, edited]);
  expect(JSON.parse(ran.out)).toMatchObject({
    changed: true,
    written: false,
    lost: [{ code: 'generated-file-edited', file: 'config/litellm-unified.yaml', line: 15 }],
  });
});

test('C1 a file that is as it was written is replaced when its sources have changed', async () => {
  writeFileSync(unified, written);
  writeFileSync(join(folder, 'config/providers.yaml'), 'providers: {here: {type: echo, models: [one]}}\n');
  expect(await signalbox('generate')).toEqual({ code: 0, out: 'config/litellm-unified.yaml is written\n', err: '' });
  expect(read()).not.toContain('two');
});

test('C1 validate finds the edit at its line, and a start is refused', async () => {
  const { code, out } = await signalbox('validate');
  expect([code, out]).toEqual([1, expect.stringContaining('at config/litellm-unified.yaml:15:')]);
  await expect(
    start({ folder, port: 0, environment: {}, log: { output: undefined, file: false } }),
  ).rejects.toMatchObject({ kind: 'config' });
});
