import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SourceFile, SourceKind } from './source-file.ts';

/** The files of a configuration, or why there are none. */
export type ReadSources =
  | {
      readonly kind: 'sources';
      readonly files: readonly SourceFile[];
      /** Folder or file that they came from. */
      readonly target: string;
      readonly isFolder: boolean;
    }
  | { readonly kind: 'missing'; readonly message: string };

const kinds: Readonly<Record<string, SourceKind>> = {
  'providers.yaml': 'providers',
  'model-mappings.yaml': 'model-mappings',
  'settings.yaml': 'settings',
  'ports.yaml': 'ports',
  'health-checks.yaml': 'health-checks',
  'llamacpp-models.yaml': 'llamacpp-models',
  'dashboard-config.yaml': 'dashboard-config',
};

/** The generated file, which is made from the sources and so never one of them. */
export const generatedName: string = 'litellm-unified.yaml';

/** Reads the files of a folder, or one LiteLLM file. */
export async function readSources(target: string): Promise<ReadSources> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return { kind: 'missing', message: `There is no "${target}"` };
  if (!found.isDirectory())
    return {
      kind: 'sources',
      files: [{ kind: 'litellm', path: target, text: await readFile(target, 'utf8') }],
      target,
      isFolder: false,
    };
  const names = (await readdir(target)).filter((name) => /\.ya?ml$/.test(name)).sort();
  const files = await Promise.all(
    names
      .filter((name) => name !== generatedName)
      .map(async (name): Promise<SourceFile> => {
        const path = join(target, name);
        return { kind: kinds[name.replace(/\.yml$/, '.yaml')] ?? 'other', path, text: await readFile(path, 'utf8') };
      }),
  );
  if (files.some((file) => file.kind === 'providers')) return { kind: 'sources', files, target, isFolder: true };
  if (names.includes(generatedName)) {
    const path = join(target, generatedName);
    return {
      kind: 'sources',
      files: [{ kind: 'litellm', path, text: await readFile(path, 'utf8') }],
      target,
      isFolder: true,
    };
  }
  return { kind: 'missing', message: `"${target}" has no providers.yaml` };
}

/** Where a configuration is looked for when none is named: ./config, else a LiteLLM file here. */
export async function findConfig(folder: string): Promise<string | undefined> {
  for (const name of ['config', 'config.yaml', 'litellm_config.yaml', 'litellm-config.yaml']) {
    const path = join(folder, name);
    const read = await readSources(path).catch(() => undefined);
    if (read?.kind === 'sources') return path;
  }
  return undefined;
}

/** The folder beside which state and logs stand, with the name under which a single file keeps its own. */
export function homeOf(
  target: string,
  isFolder: boolean,
): { readonly folder: string; readonly name: string | undefined } {
  return isFolder ? { folder: dirname(target), name: undefined } : { folder: dirname(target), name: basename(target) };
}
