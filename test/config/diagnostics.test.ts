import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.ts';
import { diagnosticCatalogue } from '../../src/config/diagnostic-catalogue.ts';
import { renderDiagnostic } from '../../src/config/frame.ts';
import { readSources } from '../../src/config/read-sources.ts';
import type { SourceFile } from '../../src/config/source-file.ts';

const here = join(import.meta.dirname, 'corpus');
/** UPDATE_GOLDEN=1 writes the pictures anew; the difference is then read in git. */
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';

/** Codes that a start or a missing folder brings about, proven where those are tested. */
const ofStarts: ReadonlySet<string> = new Set([
  'no-sources',
  'host-narrowed',
  'state-elsewhere',
  'generated-file-edited',
]);

test('spine 2.3: every code of the catalogue has a configuration that brings it about', () => {
  const wanted = Object.keys(diagnosticCatalogue).filter((code) => !ofStarts.has(code));
  expect(readdirSync(here).sort()).toEqual(wanted.sort());
});

test.each(readdirSync(here))('spine 2.3: %s is found at its place, as the picture shows', async (code) => {
  const { findings, text } = await pictureOf(code);
  expect(findings.map((one) => one.code)).toContain(code);
  const golden = join(here, code, 'golden.txt');
  if (isUpdate) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});

/** All that is found in a folder, as people see it: nothing besides the cause is to be told. */
async function pictureOf(code: string) {
  const folder = join(here, code);
  const isFile = readdirSync(folder).includes('config.yaml');
  const read = await readSources(isFile ? join(folder, 'config.yaml') : folder);
  if (read.kind === 'missing') throw new Error(read.message);
  const files = read.files.map((file): SourceFile => ({ ...file, path: file.path.slice(folder.length + 1) }));
  const findings = compile(files, { environment: {}, lenient: false }).diagnostics;
  const textOf = (path: string | undefined) => files.find((file) => file.path === path)?.text;
  const pictures = findings.map((one) => renderDiagnostic(one, textOf(one.span?.file), { colour: false }));
  return { findings, text: `${pictures.join('\n\n')}\n` };
}
