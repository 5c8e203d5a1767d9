/** `npm run reference`: writes the pages and schemas that are made from code; --check says which are stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from './reference/generated-files.ts';

const root = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');
let stale = 0;
for (const [path, text] of await generatedFiles()) {
  const file = join(root, path);
  if (isCheck) {
    if (readOrEmpty(file) === text) continue;
    stale++;
    process.stdout.write(`${path} is not what the code says: run npm run reference\n`);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
process.exitCode = stale === 0 ? 0 : 1;

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
