import { stringify } from 'yaml';
import { changed, type Files, type Row } from '../../scripts/reference/declared-rows.ts';
import { type CompiledPlan, compile } from '../../src/config/compile.ts';
import { stepsOf } from '../../src/config/documented-keys.ts';
import { pathsTo } from '../../src/config/paths-to.ts';
import type { SourceFile, SourceKind } from '../../src/config/source-file.ts';

/** Variables that the tables' configurations speak of. */
export type Variables = Readonly<Record<string, string>>;

/** Where providers are that nobody asks; a started gateway has fakes there. */
export const nowhere: Variables = {
  A: 'http://127.0.0.1:4101',
  B: 'http://127.0.0.1:4102',
  TLS: 'https://127.0.0.1:4103',
  CA: '/nowhere/ca.pem',
  REDIS: '4104',
  THEIR_REDIS: 'redis://127.0.0.1:4104',
  FOLDER: '/nowhere',
  FREE_PORT: '4105',
  DEAD: 'http://127.0.0.1:1',
  SOME_KEY: 'sk-some-0123456789abcdef',
  OTHER_KEY: 'sk-other-0123456789abcdef',
};

/** The configuration of a row without its key, or with what stands in its place. */
export function withoutKey({ file, key, files, instead }: Row): Files {
  const places = pathsTo(files, [file, ...stepsOf(key)]);
  if (places.length === 0) throw new Error(`The row's configuration does not hold ${file}: ${key}`);
  return places.reduce((rest, path) => changed(rest, path, instead), files);
}

/** The files as a configuration folder holds them. */
export function sourcesOf(files: Files): readonly SourceFile[] {
  return Object.entries(files).map(([name, value]) => ({
    kind: name === 'config.yaml' ? 'litellm' : (name.slice(0, -'.yaml'.length) as SourceKind),
    path: name,
    text: stringify(value),
  }));
}

/** Compiles the files; an error in them is no observation but a mistake in the table. */
export function compileFiles(files: Files, environment: Variables): CompiledPlan {
  const compiled = compile(sourcesOf(files), { environment, lenient: false });
  const errors = compiled.diagnostics.filter((one) => one.severity === 'error');
  if (errors.length > 0)
    throw new Error(errors.map(({ message, span }) => `${span?.file}:${span?.line}: ${message}`).join('\n'));
  return compiled;
}
