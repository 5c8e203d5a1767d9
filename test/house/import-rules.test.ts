import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import rules, { rooms } from '../../import-rules.mjs';

const root = join(import.meta.dirname, '../..');
let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'signalbox-imports-'));
  for (const path of ['src', 'tsconfig.json', 'package.json'])
    cpSync(join(root, path), join(copy, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true }));

/** The import check of `npm run check`, on the copy. */
function check(): { readonly code: number | null; readonly printed: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check-imports.ts', copy], {
    cwd: root,
    encoding: 'utf8',
  });
  return { code: status, printed: stdout + stderr };
}

/** A file that breaks a rule: what it imports, and files that have to stand there for it. */
type Plant = { readonly at: string; readonly imports: string; readonly beside?: Readonly<Record<string, string>> };

const target = 'export const value = 1;\n';

/** Every room is made to import one that it may not; main may import every room but the command line. */
const directions = Object.entries(rooms).map(([room, { may }]): readonly [rule: string, plant: Plant] => {
  if (room === 'main')
    return [
      'main-imports',
      { at: 'src/main.ts', imports: './cli/planted-main.ts', beside: { 'src/cli/planted-main.ts': target } },
    ];
  const other = Object.keys(rooms).find((name) => name !== room && name !== 'main' && !may.includes(name));
  const name = `planted-${room}.ts`;
  return [
    `${room}-imports`,
    { at: `src/${room}/${name}`, imports: `../${other}/${name}`, beside: { [`src/${other}/${name}`]: target } },
  ];
});

const others: Readonly<Record<string, Plant>> = {
  'no-cycles': {
    at: 'src/wire/planted-cycle.ts',
    imports: './planted-other.ts',
    beside: { 'src/wire/planted-other.ts': "import { value } from './planted-cycle.ts';\nexport { value };\n" },
  },
  'pure-rooms': { at: 'src/routing/planted-effect.ts', imports: 'node:fs' },
  'gateway-knows-interfaces': { at: 'src/gateway/planted-dialect.ts', imports: '../providers/echo.ts' },
  'stores-are-opened-in-one-place': { at: 'src/control/planted-store.ts', imports: '../stores/memory-store.ts' },
  'gateway-reads-no-yaml': { at: 'src/gateway/planted-yaml.ts', imports: 'yaml' },
  'tests-stay-out': { at: 'src/plan/planted-test.ts', imports: './nearest.test.ts' },
};

const plants = [...directions, ...Object.entries(others)];

test('spine 1.3: the import check passes what is there, having seen all of it', () => {
  expect(check()).toEqual({ code: 0, printed: '' });
});

describe('spine 1.3: with imports planted against every rule, and a file that nobody sees', () => {
  let checked: ReturnType<typeof check>;
  beforeAll(() => {
    for (const [, { at, imports, beside = {} }] of plants) {
      for (const [path, text] of Object.entries(beside)) writeFileSync(join(copy, path), text);
      const flag = at === 'src/main.ts' ? 'a' : 'w';
      writeFileSync(join(copy, at), `import * as target from '${imports}';\nexport const value = target;\n`, { flag });
    }
    mkdirSync(join(copy, 'src/plan/node_modules'));
    writeFileSync(join(copy, 'src/plan/node_modules/hidden.ts'), target);
    checked = check();
  });

  test('the check fails', () => expect(checked.code).toBe(1));

  test.each(plants)('%s is found', (rule, { at }) => {
    expect(checked.printed).toContain(`${rule}: ${at} → `);
  });

  test('the file that it does not see is told', () => {
    expect(checked.printed).toContain('unseen: src/plan/node_modules/hidden.ts was not looked at');
  });
});

test('spine 1.3: every rule has its planted import', () => {
  // The form of dependency-cruiser's own configuration.
  const { forbidden } = rules as { readonly forbidden: readonly { readonly name: string }[] };
  expect(plants.map(([rule]) => rule).sort()).toEqual(forbidden.map(({ name }) => name).sort());
});
