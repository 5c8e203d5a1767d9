import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { rooms } from '../../import-rules.mjs';

const execute = promisify(execFile);

type Cruised = {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: { readonly violations: readonly { readonly rule: { readonly name: string } }[] };
};

async function cruise(...paths: string[]): Promise<Cruised> {
  const { stdout } = await execute(
    'node_modules/.bin/depcruise',
    ['--config', 'import-rules.mjs', '--output-type', 'json', ...paths],
    { maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: { stdout: string }) => error);
  const cruised: Cruised = JSON.parse(stdout);
  return cruised;
}

test('spine 1.3: the import check sees every file of src', async () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join('src', path));
  const { modules } = await cruise('src');
  const seen = new Set(modules.map((module) => module.source));
  expect(files.filter((file) => !seen.has(file))).toEqual([]);
});

const planted: string[] = [];
afterAll(() => {
  for (const path of planted) rmSync(path, { recursive: true, force: true });
});

/** Every room is made to import one that it may not; the rule of that room must say so. */
const forbidden = Object.entries(rooms as Record<string, { readonly may: readonly string[] }>).flatMap(
  ([room, { may }]) => {
    const other = Object.keys(rooms).find((name) => name !== room && name !== 'main' && !may.includes(name));
    return other === undefined || room === 'main' ? [] : [[room, other] as const];
  },
);

test('spine 1.3: a planted forbidden import of every room is found', async () => {
  const missed: string[] = [];
  for (const [room, other] of forbidden) {
    const folder = mkdtempSync(join('src', room, 'planted-'));
    planted.push(folder);
    const target = mkdtempSync(join('src', other, 'planted-'));
    planted.push(target);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(target, 'target.ts'), 'export const value = 1;\n');
    writeFileSync(
      join(folder, 'planted.ts'),
      `import { value } from '../../${other}/${target.split('/').at(-1)}/target.ts';\nexport const used = value;\n`,
    );
  }
  const { summary } = await cruise('src');
  const names = new Set(summary.violations.map((violation) => violation.rule.name));
  for (const [room] of forbidden) if (!names.has(`${room}-imports`)) missed.push(room);
  expect(missed).toEqual([]);
});
