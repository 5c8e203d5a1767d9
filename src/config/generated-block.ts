import { createHash } from 'node:crypto';
import { canonical } from '../plan/canonical.ts';
import type { Findings, Place } from './findings.ts';
import { valueAt } from './litellm/section.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import type { SourceKind } from './source-file.ts';

/** Form of the block, so that a later version can tell what it reads. */
export const blockVersion = 1;

/** Sources that the generated file carries whole; settings stand in LiteLLM's own sections instead. */
export const carriedSources: readonly SourceKind[] = [
  'providers',
  'model-mappings',
  'ports',
  'health-checks',
  'llamacpp-models',
];

/** Sections that settings.yaml shares with LiteLLM, in the order in which they are written. */
export const settingsSections: readonly string[] = [
  'litellm_settings',
  'router_settings',
  'server_settings',
  'rate_limit_settings',
  'general_settings',
  'environment_variables',
];

/**
 * The `signalbox` block of litellm-unified.yaml, which LiteLLM passes over. It carries the sources,
 * and says which parts of the file were made from them, so that an edit of such a part is noticed.
 */
export type GeneratedBlock = {
  readonly version: number;
  /** Digest of `model_list`. */
  readonly model_list: string;
  /** Keys of router_settings that were added, with their digests and what the sources had there. */
  readonly router_settings: Readonly<Record<string, { readonly digest: string; readonly declared?: unknown }>>;
  /** Digests of the settings as they were generated, leaf by leaf: what differs was edited by hand. */
  readonly settings?: Readonly<Record<string, DigestTree>>;
  readonly sources: Readonly<Record<string, unknown>>;
};

/** Digests of a value's leaves, in the form of the value. */
export type DigestTree = string | { readonly [key: string]: DigestTree };

/** What a value comes to as text, short; what is not there, since somebody took it out, is unlike everything. */
export function digestOf(value: unknown): string {
  if (value === undefined) return 'none';
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

/**
 * The sources that a generated file carries, each with its places in that file; undefined for
 * every other LiteLLM file. Settings are taken from LiteLLM's sections, as they stand there now.
 */
export function sourcesInside(file: ParsedFile, findings: Findings): ReadonlyMap<SourceKind, ParsedFile> | undefined {
  const block = readBlock(file, findings);
  if (block === undefined) return undefined;
  if (digestOf(valueAt(file.value, ['model_list'])) !== block.model_list)
    edited({ file, path: ['model_list'] }, 'providers.yaml and model-mappings.yaml', findings);
  const files = new Map<SourceKind, ParsedFile>();
  for (const kind of carriedSources) {
    if (Object.hasOwn(block.sources, kind))
      files.set(kind, within(file, ['signalbox', 'sources', kind], block.sources[kind]));
  }
  const settings = settingsInside(file, block, findings);
  if (Object.keys(settings).length > 0) files.set('settings', within(file, [], settings));
  return files;
}

function readBlock(file: ParsedFile, findings: Findings): GeneratedBlock | undefined {
  const block = valueAt(file.value, ['signalbox']);
  if (block === undefined) return undefined;
  const isBlock = valueAt(block, ['version']) === blockVersion && typeof valueAt(block, ['sources']) === 'object';
  // The version and the sources are what a block is known by; the rest was written with them.
  if (isBlock) return block as GeneratedBlock;
  findings.add('wrong-type', { file, path: ['signalbox'] }, '"signalbox" is no block that this version wrote', {
    wanted: `version: ${blockVersion}, as signalbox generate writes it`,
    fix: 'Make the file again with: signalbox generate',
  });
  return undefined;
}

function edited(place: Place, source: string, findings: Findings): void {
  findings.add(
    'generated-file-edited',
    { ...place, part: 'key' },
    `"${place.path.at(-1)}" was changed by hand, but is made from ${source}`,
    {
      fix: `Change ${source}, and run: signalbox generate`,
    },
  );
}

/** The settings as the sources had them: what was added to LiteLLM's sections is taken out again. */
function settingsInside(file: ParsedFile, block: GeneratedBlock, findings: Findings): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const section of settingsSections) {
    const value = valueAt(file.value, [section]);
    if (value !== undefined) settings[section] = value;
  }
  const router = settings['router_settings'];
  if (typeof router !== 'object' || router === null) return settings;
  const own: Record<string, unknown> = { ...router };
  for (const [key, { digest, declared }] of Object.entries(block.router_settings)) {
    if (digestOf(own[key]) !== digest)
      edited({ file, path: ['router_settings', key] }, 'model-mappings.yaml', findings);
    delete own[key];
    if (declared !== undefined) own[key] = declared;
  }
  if (Object.keys(own).length === 0) delete settings['router_settings'];
  else settings['router_settings'] = own;
  return settings;
}

function within(file: ParsedFile, path: Path, value: unknown): ParsedFile {
  return { ...file, value, spanOf: (inner, part) => file.spanOf([...path, ...inner], part) };
}
