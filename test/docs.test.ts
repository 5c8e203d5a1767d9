import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { conditionVariables } from '../src/config/condition-parser.ts';
import { diagnosticCatalogue } from '../src/config/diagnostic-catalogue.ts';
import { findEndpoint, knownPaths } from '../src/gateway/endpoints.ts';
import { startFakeUpstream } from './support/fake-upstream.ts';
import { entry, type Product, startProduct } from './support/product.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** A block of a page: what language it is in, what its fence says besides, and its lines. */
type Block = { readonly language: string; readonly notes: string; readonly text: string };

function blocksOf(page: string): readonly Block[] {
  const found = page.matchAll(/^```(\w+)[ ]?([^\n]*)\n([\s\S]*?)^```$/gm);
  return [...found].map(([, language = '', notes = '', text = '']) => ({ language, notes, text }));
}

const written = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
const guides = ['tutorial', 'how-to', 'explanation', 'decisions'].flatMap((door) =>
  readdirSync(join(root, 'docs', door)).map((name) => `docs/${door}/${name}`),
);
const references = readdirSync(join(root, 'docs/reference')).map((name) => `docs/reference/${name}`);
const pages = [...written, ...guides, ...references];

/** Names that a page can be linked to by: its headings, as GitHub makes anchors of them. */
function anchorsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(pages)('spine 1.4: the links of %s lead somewhere', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [, target = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
    const path = target === '' ? join(root, page) : join(dirname(join(root, page)), target);
    expect(existsSync(path), target).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(readFileSync(path, 'utf8')), `${target}#${anchor}`).toContain(anchor);
  }
});

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => join(root, 'src', path));

test('spine 1.4: every page that messages and comments point to is there', () => {
  const named = sources.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/docs\/[\w/-]+\.md/g)].map(([page]) => page),
  );
  expect(named.length).toBeGreaterThan(3);
  expect([...new Set(named)].filter((page) => !existsSync(join(root, page)))).toEqual([]);
});

test('spine 1.4: every diagnostic has its place in the page that it points to', () => {
  const diagnostics = anchorsOf(readFileSync(join(root, 'docs/reference/diagnostics.md'), 'utf8'));
  expect(Object.keys(diagnosticCatalogue).filter((code) => !diagnostics.includes(code))).toEqual([]);
});

test('spine 3.1: docs/reference/http.md has every path that the gateway answers, and no other', () => {
  const text = readFileSync(join(root, 'docs/reference/http.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (`\/[^|]*) \| (GET|POST) \|/gm)];
  const told = rows.flatMap(([, cell = '', method = '']) =>
    [...cell.matchAll(/`(\/[^`]+)`/g)].map(([, path = '']) => ({ method, path })),
  );
  for (const { method, path } of told)
    for (const one of [path, path.replace(/^\/v1/, '')])
      expect(findEndpoint(method, one.replace('{id}', 'a/b:c')).kind, one).not.toBe('refused');
  const paths = told.map(({ path }) => (path.startsWith('/v1') ? path : `/v1${path}`));
  expect([...knownPaths].sort()).toEqual(paths.filter((path) => !path.includes('{id}')).sort());
});

test('spine 3.8: docs/reference/http.md has every header that the gateway reads or sends', () => {
  const text = readFileSync(join(root, 'docs/reference/http.md'), 'utf8');
  const files = sources.filter((path) => path.includes('/src/gateway/') && !path.endsWith('.test.ts'));
  const named = files.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/'(x-[a-z-]+)'/g)].map(([, name = '']) => name),
  );
  // It keeps proxies from holding a stream up, and tells clients nothing.
  const headers = [...new Set(named)].filter((name) => name !== 'x-accel-buffering');
  expect(headers.length).toBeGreaterThan(15);
  expect(headers.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test('spine 2.1: docs/reference/conditions.md has every variable, and no other', () => {
  const [, variables = ''] = readFileSync(join(root, 'docs/reference/conditions.md'), 'utf8').split('## Variables');
  const cells = [...variables.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = '']) => [
    ...cell.matchAll(/`([^`]+)`/g),
  ]);
  const told = cells.map(([, name = '']) => name).filter((name) => !/[A-Z]/.test(name));
  expect(told.sort()).toEqual([...conditionVariables].sort());
});

test.each(pages)('spine 1.4: files that %s names in code exist', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [, path = ''] of text.matchAll(/`((?:src|test|docs|bench|scripts)\/[\w./-]+\.\w+)`/g)) {
    // A name in capitals stands for one that is still to be chosen.
    if (/[A-Z]{3}/.test(path)) continue;
    expect(() => readFileSync(join(root, path)), path).not.toThrow();
  }
});

const typed = [...written, ...guides].filter((page) =>
  blocksOf(readFileSync(join(root, page), 'utf8')).some((block) => block.language === 'sh'),
);

describe.each(typed)('spine 1.4: docs are typed through: %s', (page) => {
  test('every command of the page works, in its order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-docs-'));
    const upstream = await startFakeUpstream(['model-name']);
    const typist = createTypist(folder, upstream.url);
    try {
      for (const { language, notes, text } of blocksOf(readFileSync(join(root, page), 'utf8'))) {
        if (notes.startsWith('skip=')) continue;
        const file = /^file=(\S+)/.exec(notes)?.[1];
        if (file !== undefined) typist.write(file, text);
        if (language === 'yaml') expect(() => parse(text) as unknown).not.toThrow();
        if (language !== 'sh') continue;
        for (const command of text.replaceAll('\\\n', ' ').split('\n'))
          if (command.trim() !== '') await typist.type(command);
      }
    } finally {
      await typist.close();
      await upstream.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

/** Types a page's commands in a folder; what the page starts serves on a free port, and what it asks is found there. */
function createTypist(folder: string, upstream: string) {
  const binary = join(folder, 'bin/signalbox');
  mkdirSync(dirname(binary));
  writeFileSync(binary, `#!/bin/sh\nexec "${process.execPath}" "${entry}" "$@"\n`, { mode: 0o755 });
  const environment = {
    PATH: `${dirname(binary)}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    SIGNALBOX_UPSTREAM: upstream,
  };
  let serving: Product | undefined;
  // Model servers of the pages are the fake one; the gateway of the pages is the one that runs.
  const here = (text: string): string =>
    text
      .replaceAll(/http:\/\/127\.0\.0\.1:(11434|8000)/g, upstream)
      .replaceAll('http://127.0.0.1:4000', serving?.url ?? 'http://127.0.0.1:4000');
  const stop = async (): Promise<void> => {
    await serving?.stop();
    serving = undefined;
  };
  const serve = async (args: readonly string[]): Promise<void> => {
    await stop();
    serving = await startProduct({ folder, args, environment });
  };
  return {
    write(file: string, text: string): void {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), here(text));
    },
    async type(command: string): Promise<void> {
      if (command.startsWith('#')) return command.endsWith('Ctrl-C') ? stop() : undefined;
      if (command === 'npm install && npm start') return serve(['--no-discover']);
      // This very run is the other one.
      if (command === 'npm install && npm test') return undefined;
      if (command.startsWith('signalbox up')) return serve(command.split(' ').slice(2));
      await expect(run('sh', ['-c', here(command)], { cwd: folder, env: environment }), command).resolves.toBeDefined();
    },
    close: stop,
  };
}
