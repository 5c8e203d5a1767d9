import { relative, resolve } from 'node:path';
import { compile } from '../config/compile.ts';
import type { Diagnostic, Span } from '../config/diagnostic.ts';
import { findConfig, homeOf, readSources } from '../config/read-sources.ts';
import type { SourceFile } from '../config/source-file.ts';
import type { ConfigOrigin } from '../contract/start-report.ts';
import type { Plan } from '../plan/plan.ts';
import type { Environment } from '../plan/secret.ts';
import { type Candidate, discover } from './discover.ts';
import { discoveredSources } from './discovered-sources.ts';
import type { Probing } from './server-family.ts';

/** Which configuration is wanted. */
export type LoadOptions = {
  /** Folder or file; absent: looked for in `folder`. */
  readonly config: string | undefined;
  readonly folder: string;
  readonly environment: Environment;
  readonly lenient: boolean;
  /** Addresses to look at where there is no configuration. */
  readonly candidates: readonly Candidate[];
  readonly probing: Probing;
};

/** A configuration that compiled. */
export type LoadedPlan = {
  readonly kind: 'loaded';
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** What secret references are read from. */
  readonly environment: Environment;
  readonly places: { readonly host: Span | undefined; readonly port: Span | undefined };
  readonly origin: ConfigOrigin;
  /** Where state and logs of this configuration stand. */
  readonly home: { readonly folder: string; readonly name: string | undefined };
  /** What was found, as files would say it; undefined where files do. */
  readonly discoveredSources: readonly SourceFile[] | undefined;
  /** Hash of what the sources say now; undefined where they do not compile. */
  readonly diskHash: () => Promise<string | undefined>;
};

export type LoadResult =
  | LoadedPlan
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[]; readonly sources: readonly SourceFile[] }
  | { readonly kind: 'missing'; readonly message: string };

/** Loads the configuration that was named or is found here; without one, what runs on this machine. */
export async function loadPlan(options: LoadOptions): Promise<LoadResult> {
  const { config, folder } = options;
  const target = config === undefined ? await findConfig(folder) : resolve(folder, config);
  return target === undefined ? loadDiscovered(options) : loadConfig(target, options);
}

async function loadConfig(target: string, options: LoadOptions): Promise<LoadResult> {
  const read = await readSources(target);
  if (read.kind === 'missing') return read;
  const sources = shown(read.files, options.folder);
  const compiled = compile(sources, options);
  if (compiled.value === undefined) return { kind: 'invalid', diagnostics: compiled.diagnostics, sources };
  return {
    kind: 'loaded',
    plan: compiled.value,
    diagnostics: compiled.diagnostics,
    environment: compiled.environment,
    places: compiled.places,
    origin: { kind: read.isFolder ? 'folder' : 'file', path: target },
    home: homeOf(target, read.isFolder),
    discoveredSources: undefined,
    diskHash: async () => {
      const now = await readSources(target).catch(() => undefined);
      if (now?.kind !== 'sources') return undefined;
      return compile(shown(now.files, options.folder), options).value?.hash;
    },
  };
}

async function loadDiscovered(options: LoadOptions): Promise<LoadResult> {
  const servers = await discover(options.candidates, options.probing);
  const sources = discoveredSources(servers, 'discovered');
  const compiled = compile(sources, options);
  const { value: plan } = compiled;
  if (plan === undefined) return { kind: 'invalid', diagnostics: compiled.diagnostics, sources };
  return {
    kind: 'loaded',
    plan,
    diagnostics: compiled.diagnostics,
    environment: compiled.environment,
    places: compiled.places,
    origin: servers.length === 0 ? { kind: 'echo', looked: options.candidates.length > 0 } : { kind: 'discovered' },
    home: { folder: options.folder, name: undefined },
    discoveredSources: sources,
    diskHash: () => Promise.resolve(plan.hash),
  };
}

/** Files by their paths as people know them. */
export function shown(files: readonly SourceFile[], folder: string): readonly SourceFile[] {
  return files.map((file) => ({ ...file, path: shownPath(file.path, folder) }));
}

/** A path as people know it: from the folder that they are in, where it lies below that. */
export function shownPath(path: string, folder: string): string {
  const fromHere = relative(folder, path);
  return fromHere.startsWith('..') ? path : fromHere;
}
