import type { Findings } from './findings.ts';
import { blockVersion, carriedSources, type GeneratedBlock, isBlock, settingsSections } from './generated-block.ts';
import { valueAt } from './litellm/section.ts';
import { tellMadeParts } from './lost-edits.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import type { SourceKind } from './source-file.ts';

/**
 * The sources that a generated file carries, each with its places in that file; undefined for
 * every other LiteLLM file. Settings are taken from LiteLLM's sections, as they stand there now.
 */
export function sourcesInside(file: ParsedFile, findings: Findings): ReadonlyMap<SourceKind, ParsedFile> | undefined {
  const block = readBlock(file, findings);
  if (block === undefined) return undefined;
  tellMadeParts(file, block, { findings });
  const files = new Map<SourceKind, ParsedFile>();
  for (const kind of carriedSources) {
    if (Object.hasOwn(block.sources, kind))
      files.set(kind, within(file, ['signalbox', 'sources', kind], block.sources[kind]));
  }
  const settings = settingsInside(file, block);
  if (Object.keys(settings).length > 0) files.set('settings', within(file, [], settings));
  return files;
}

function readBlock(file: ParsedFile, findings: Findings): GeneratedBlock | undefined {
  const block = valueAt(file.value, ['signalbox']);
  if (block === undefined) return undefined;
  if (isBlock(block)) return block;
  findings.add('wrong-type', { file, path: ['signalbox'] }, '"signalbox" is no block that this version wrote', {
    wanted: `version: ${blockVersion}, as signalbox generate writes it`,
    fix: 'Make the file again with: signalbox generate',
  });
  return undefined;
}

/** The settings as the sources had them: what was added to LiteLLM's sections is taken out again. */
function settingsInside(file: ParsedFile, block: GeneratedBlock): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const section of settingsSections) {
    const value = valueAt(file.value, [section]);
    if (value !== undefined) settings[section] = value;
  }
  const router = settings['router_settings'];
  if (typeof router !== 'object' || router === null) return settings;
  const own: Record<string, unknown> = { ...router };
  for (const [key, { declared }] of Object.entries(block.router_settings)) {
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
