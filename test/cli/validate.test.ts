import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { runCommand } from '../support/terminal.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder with a configuration of these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-validate-'));
  folders.push(folder);
  mkdirSync(join(folder, 'config'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'config', name), text);
  return folder;
}

const providers = `providers:
  card: {type: vllm, models: [m]}
  den: {type: vllm, models: [big]}
`;
const referring = `exact_matches:
  a: {provider: den, fallback: vllm}
  b: {provider: den}
  c: {provider: den}
  d: {provider: den}
  e: {provider: den}
capabilities:
  deep: {providers: [card, den]}
`;

test('1.1 validate says what references came to, a line each, before its verdict', async () => {
  const folder = folderWith({ 'providers.yaml': providers, 'model-mappings.yaml': referring });
  const { code, out } = await runCommand(['validate'], { folder });
  expect(code).toBe(0);
  await expect(out).toMatchFileSnapshot(join(import.meta.dirname, 'goldens/validate/resolved.txt'));
});

test('1.1 validate --json lists them whole, with their places', async () => {
  const folder = folderWith({ 'providers.yaml': providers, 'model-mappings.yaml': referring });
  const { resolved } = JSON.parse((await runCommand(['validate', '--json'], { folder })).out);
  const den = { names: ['a', 'b', 'c', 'd', 'e'], means: ['den/big'], why: 'its only model' };
  expect(resolved).toContainEqual({
    reference: 'den',
    ...den,
    file: 'config/model-mappings.yaml',
    line: 2,
    column: 17,
  });
});

test.each([
  ['every reference names the thing itself', 'exact_matches: {m: {provider: card, fallback: big}}', 0],
  ['the config cannot run', 'exact_matches: {b: {provider: den}, m: {provider: crad}}', 1],
])('1.1 validate says nothing of references where %s', async (_where, mappings, expected) => {
  const folder = folderWith({ 'providers.yaml': providers, 'model-mappings.yaml': mappings });
  const { code, out } = await runCommand(['validate'], { folder });
  expect([code, out]).toEqual([expected, expect.not.stringContaining('resolved')]);
});
