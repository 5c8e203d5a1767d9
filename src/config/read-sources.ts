import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isCollection, parseDocument } from 'yaml';
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

/** The generated file, which is made from the sources: beside them, only what was edited in it counts. */
export const generatedName: string = 'litellm-unified.yaml';

/** Tests of the routes, which declare none. */
export const routeTestsName: string = 'route-tests.yaml';

/** Reads the files of a folder, or one LiteLLM file. */
export async function readSources(target: string): Promise<ReadSources> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return { kind: 'missing', message: `There is no "${target}"` };
  if (!found.isDirectory()) return readLitellm(target, { target, isFolder: false });
  const names = (await readdir(target)).filter((name) => /\.ya?ml$/.test(name)).sort();
  const files = await Promise.all(
    names
      .filter((name) => name !== generatedName && name !== routeTestsName)
      .map(async (name): Promise<SourceFile> => {
        const path = join(target, name);
        return { kind: kinds[name.replace(/\.yml$/, '.yaml')] ?? 'other', path, ...(await textOf(path)) };
      }),
  );
  if (files.some((file) => file.kind === 'providers')) {
    const path = join(target, generatedName);
    if (names.includes(generatedName)) files.push({ kind: 'generated', path, ...(await textOf(path)) });
    return { kind: 'sources', files, target, isFolder: true };
  }
  if (names.includes(generatedName)) return readLitellm(join(target, generatedName), { target, isFolder: true });
  return { kind: 'missing', message: `"${target}" has no providers.yaml` };
}

/** A LiteLLM file, and the files that it includes from beside it. */
async function readLitellm(
  path: string,
  where: { readonly target: string; readonly isFolder: boolean },
): Promise<ReadSources> {
  const own = await textOf(path);
  const files: SourceFile[] = [{ kind: 'litellm', path, ...own }];
  for (const name of includedNames(own.text)) {
    const beside = join(dirname(path), name);
    files.push({ kind: 'included', path: beside, ...(await textOf(beside)) });
  }
  return { kind: 'sources', files, ...where };
}

/** The text of a file; one that cannot be read is no text, which compiling tells at its place. */
async function textOf(path: string): Promise<Pick<SourceFile, 'text' | 'fault'>> {
  try {
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    // Errors of the file system carry a code.
    return { text: '', fault: faults[(error as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be read' };
  }
}

const faults: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
};

/** The names under `include`, one or a list of them; none where the file cannot be read, which compiling tells. */
function includedNames(text: string): readonly string[] {
  const include: unknown = parseDocument(text, { uniqueKeys: false }).get('include');
  const names: unknown = isCollection(include) ? include.toJSON() : include;
  return (Array.isArray(names) ? names : [names]).filter((one) => typeof one === 'string');
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
