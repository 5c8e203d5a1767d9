import { readFile, realpath, rm } from 'node:fs/promises';
import { type CompiledPlan, type CompileOptions, compile } from '../config/compile.ts';
import type { SourceFile } from '../config/source-file.ts';
import { replaceFile } from './replace-file.ts';

/** One file of a configuration with its text before and after; an empty text before: it is not there yet. */
export type SourceChange = {
  /** Where it is on disk. */
  readonly path: string;
  readonly source: SourceFile;
  readonly after: string;
};

/** What became of a change; a configuration that does not compile with it is left as it was. */
export type ChangedSource =
  | { readonly kind: 'changed'; readonly compiled: CompiledPlan }
  | { readonly kind: 'broken'; readonly compiled: CompiledPlan; readonly sources: readonly SourceFile[] }
  | { readonly kind: 'moved' };

/**
 * Changes one file of a configuration: compiled with the change before anything is written, put in place in
 * one step, and taken back where what then stands on disk is something else than what was compiled.
 */
export async function changeSource(
  { path: named, source, after }: SourceChange,
  sources: readonly SourceFile[],
  options: CompileOptions,
): Promise<ChangedSource> {
  const changed = [...sources.filter((one) => one.path !== source.path), { ...source, text: after }];
  const compiled = compile(changed, options);
  if (compiled.value === undefined) return { kind: 'broken', compiled, sources: changed };
  // Where the file is linked to, what is linked to changes and the link stays.
  const path = await realpath(named).catch(() => named);
  if ((await textAt(path)) !== source.text) return { kind: 'moved' };
  await replaceFile(path, after);
  if ((await textAt(path)) === after) return { kind: 'changed', compiled };
  await (source.text === '' ? rm(path, { force: true }) : replaceFile(path, source.text));
  return { kind: 'moved' };
}

async function textAt(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}
