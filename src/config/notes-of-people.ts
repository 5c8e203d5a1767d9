import type { Json } from '../plan/json.ts';
import { documentedKeys, stepsOf } from './documented-keys.ts';
import { fileSchemas } from './file-schemas.ts';
import { quietFindings } from './findings.ts';
import { withoutSecrets } from './interpolate.ts';
import { valueAt } from './litellm/section.ts';
import { parseYaml } from './parse-yaml.ts';
import type { Path } from './parsed-file.ts';
import { pathsTo } from './paths-to.ts';
import type { SourceFile } from './source-file.ts';

/** What a person wrote for others: no request differs because of it. */
export type NoteOfPeople = {
  /** As the file writes it, for example `providers.ollama.notes`. */
  readonly key: string;
  readonly value: Json;
  readonly file: string;
  readonly line: number;
};

/** Everything in the files that people wrote for one another, with its place. */
export function notesOfPeople(sources: readonly SourceFile[]): readonly NoteOfPeople[] {
  return sources.flatMap((source) => {
    const { kind } = source;
    if (kind === 'litellm' || kind === 'generated' || kind === 'included' || kind === 'other') return [];
    const parsed = parseYaml(source, quietFindings);
    const keys = documentedKeys(fileSchemas[kind]()).filter(({ meta }) => meta.forPeople === true);
    const found = keys.flatMap(({ path }) => {
      const steps = stepsOf(path);
      // Sections of the mappings may stand one level further in.
      return [...pathsTo(parsed.value, steps), ...pathsTo(parsed.value, ['routes', ...steps])];
    });
    return unique(found).map((path) => ({
      key: path.join('.'),
      value: readNote(parsed.value, path),
      file: source.path,
      line: parsed.spanOf(path, 'key').line,
    }));
  });
}

function unique(paths: readonly Path[]): readonly Path[] {
  return [...new Map(paths.map((path) => [path.join('.'), path])).values()];
}

/** A value of a YAML file, which is JSON but for its dates; secrets that a person put into it stay behind. */
function readNote(value: unknown, path: Path): Json {
  const found = path.reduce((inner, step) => valueAt(inner, [step]), withoutSecrets(value));
  return found instanceof Date ? found.toISOString().slice(0, 10) : (found as Json);
}
