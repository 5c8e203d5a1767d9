import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProduct } from './support/product.ts';

const root = join(import.meta.dirname, '..');

describe('spine 1.1: the package, installed in an empty folder', () => {
  let folder = '';
  let installed = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-package-'));
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'pipe' });
    const packing = ['pack', '--silent', '--pack-destination', folder, join(root, 'dist/package')];
    const tarball = execFileSync('npm', packing, { encoding: 'utf8' }).trim();
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    const installing = ['install', '--no-audit', '--no-fund', '--silent', '--offline', join(folder, tarball)];
    execFileSync('npm', installing, { cwd: folder, stdio: 'pipe' });
    installed = join(folder, 'node_modules/signalbox');
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('brings nothing with it, and holds what it hands out', () => {
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['signalbox']);
    expect(readdirSync(installed).sort()).toEqual([
      'LICENSE',
      'README.md',
      'THIRD-PARTY.md',
      'bin',
      'dist',
      'examples',
      'package.json',
      'schemas',
    ]);
    // What package.json of this project holds.
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    for (const key of ['dependencies', 'optionalDependencies', 'devDependencies', 'scripts', 'private'])
      expect(manifest).not.toHaveProperty(key);
  });

  test('brings the client of Redis in a file of its own, which is loaded only where Redis is declared', async () => {
    const files = readdirSync(join(installed, 'dist')).sort();
    expect(files).toEqual(['ioredis.js', 'signalbox.js', 'types']);
    // A word that only the client has.
    const bundle = readFileSync(join(installed, 'dist/signalbox.js'), 'utf8');
    expect([bundle.includes('MaxRetriesPerRequestError'), bundle.includes('"./ioredis.js"')]).toEqual([false, true]);
    expect(readFileSync(join(installed, 'dist/ioredis.js'), 'utf8')).toContain('MaxRetriesPerRequestError');
    const { Redis } = (await import(join(installed, 'dist/ioredis.js'))) as { Redis: unknown };
    expect(Redis).toBeTypeOf('function');
  });

  test('npx signalbox up answers', async () => {
    const product = await startProduct({ entry: join(folder, 'node_modules/.bin/signalbox'), args: ['--no-discover'] });
    try {
      const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Hello' }] });
      const answer = await fetch(`${product.url}/v1/chat/completions`, { method: 'POST', body });
      expect(await answer.text()).toContain('Hello');
    } finally {
      expect(await product.stop()).toBe(0);
    }
  });

  test('6.3 its example runs', () => {
    const printed = execFileSync(join(installed, 'examples/kimi/test_kimi_routing.sh'), {
      env: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, HOME: folder },
      encoding: 'utf8',
    });
    expect(printed).toContain('All tests passed');
  });

  test('its commands find the schemas that they hand out', () => {
    const bin = join(folder, 'node_modules/.bin/signalbox');
    execFileSync(process.execPath, [bin, 'init', '--yes', '--no-discover'], { cwd: folder, stdio: 'pipe' });
    expect(readdirSync(join(folder, 'config/schemas'))).toContain('providers.schema.json');
    expect(readdirSync(join(folder, 'node_modules/signalbox/schemas/commands'))).toContain('status.schema.json');
  });

  test('a program can start a gateway by its types', () => {
    writeFileSync(
      join(folder, 'use.ts'),
      "import { start, StartRefused } from 'signalbox';\nexport const isRefused = (error: unknown): boolean => error instanceof StartRefused;\nconst running = await start({ environment: {}, folder: '.', log: { output: undefined, file: false } });\nexport const url: string = running.address.url;\n",
    );
    const words = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    const roots = ['--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck', 'use.ts'];
    execFileSync(join(root, 'node_modules/.bin/tsc'), [...words, ...roots], { cwd: folder, stdio: 'pipe' });
  }, 30_000);
});
