import type { Lowering } from './lowering.ts';
import type { ParsedFile } from './parsed-file.ts';
import type { SourceKind } from './source-file.ts';

/** Sections whose keys are names that other sections refer to. */
const namedSections = ['exact_matches', 'load_balancing', 'redundant_models', 'capabilities', 'model_aliases'] as const;

/**
 * Gathers every name as it stands in the files, whether its declaration is sound or not. Where one
 * of them turns out to be unknown, its own declaration has an error that was told already.
 */
export function noteBrokenNames(
  files: ReadonlyMap<SourceKind, ParsedFile>,
  { inventory }: Pick<Lowering, 'inventory'>,
): void {
  for (const [name, provider] of entriesOf(fieldOf(files.get('providers')?.value, 'providers'))) {
    const type = fieldOf(provider, 'type');
    // These are no error: they serve no models.
    if (type === 'tool_server' || type === 'web_ui') continue;
    inventory.broken.add(name);
    const models = fieldOf(provider, 'models');
    for (const model of Array.isArray(models) ? models : []) {
      const own: unknown = typeof model === 'string' ? model : fieldOf(model, 'name');
      if (typeof own === 'string') inventory.broken.add(own);
    }
  }
  const mappings = files.get('model-mappings')?.value;
  for (const section of namedSections) {
    for (const block of [mappings, fieldOf(mappings, 'routes')])
      for (const [name] of entriesOf(fieldOf(block, section))) inventory.broken.add(name);
  }
  const list = fieldOf(files.get('litellm')?.value, 'model_list');
  for (const entry of Array.isArray(list) ? list : []) {
    const name = fieldOf(entry, 'model_name');
    if (typeof name === 'string') inventory.broken.add(name);
  }
}

function fieldOf(map: unknown, key: string): unknown {
  return typeof map === 'object' && map !== null && Object.hasOwn(map, key)
    ? (map as Record<string, unknown>)[key]
    : undefined;
}

function entriesOf(map: unknown): readonly (readonly [string, unknown])[] {
  return typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.entries(map) : [];
}
