import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceFile } from './replace-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-replace-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('6.2: a file keeps who may read it', async () => {
  const path = join(folder, 'a.yaml');
  writeFileSync(path, 'before');
  chmodSync(path, 0o640);
  await replaceFile(path, 'after');
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['after', 0o640]);
  expect(readdirSync(folder)).toEqual(['a.yaml']);
});

test('6.2: what cannot be put in its place is not left beside it', async () => {
  mkdirSync(join(folder, 'a.yaml'));
  await expect(replaceFile(join(folder, 'a.yaml'), 'after')).rejects.toMatchObject({ syscall: 'rename' });
  expect(readdirSync(folder)).toEqual(['a.yaml']);
});
