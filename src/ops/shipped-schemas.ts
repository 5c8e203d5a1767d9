import { readdirSync, readFileSync } from 'node:fs';

/** The JSON Schemas that come with this package, by file name. */
export function shippedSchemas(): ReadonlyMap<string, string> {
  // They stand beside the source in a clone, and beside the bundle when packed.
  for (const path of ['../schemas/', '../../schemas/']) {
    const folder = new URL(path, import.meta.url);
    const names = listed(folder);
    if (names.length > 0) return new Map(names.map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));
  }
  return new Map();
}

function listed(folder: URL): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.schema.json'));
  } catch {
    return [];
  }
}
