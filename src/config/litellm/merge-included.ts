import type { ParsedFile, Path } from '../parsed-file.ts';

/**
 * A LiteLLM file with the files that it includes: lists are put behind one another, other keys of
 * an included file take the place of the file's own. Places stay those of the file they stand in.
 */
export function mergeIncluded(file: ParsedFile, included: readonly ParsedFile[]): ParsedFile {
  return included.reduce(mergeTwo, file);
}

type Owner = { readonly file: ParsedFile; readonly path: Path };

function mergeTwo(file: ParsedFile, other: ParsedFile): ParsedFile {
  if (!isMap(file.value) || !isMap(other.value)) return file;
  const own = file.value;
  const further = other.value;
  const value: Record<string, unknown> = { ...own };
  for (const [key, inner] of Object.entries(further)) {
    const before = own[key];
    value[key] = Array.isArray(before) && Array.isArray(inner) ? [...before, ...inner] : inner;
  }
  const ownerOf = (path: Path): Owner => {
    const [key, index] = path;
    if (typeof key !== 'string' || !Object.hasOwn(further, key)) return { file, path };
    const before = own[key];
    if (!Array.isArray(before) || !Array.isArray(further[key])) return { file: other, path };
    return typeof index === 'number' && index >= before.length
      ? { file: other, path: [key, index - before.length, ...path.slice(2)] }
      : { file, path };
  };
  return {
    ...file,
    value,
    spanOf(path, part) {
      const owner = ownerOf(path);
      return owner.file.spanOf(owner.path, part);
    },
  };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
