import { readFileSync } from 'node:fs';

/** Version of this package, from its own manifest. */
export function productVersion(): string {
  // The manifest stands two folders up from here in a clone, and one up from the bundle when packed.
  for (const path of ['../package.json', '../../package.json']) {
    const manifest = readManifest(new URL(path, import.meta.url));
    if (manifest !== undefined) return manifest;
  }
  return 'unknown';
}

function readManifest(location: URL): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(location, 'utf8'));
    if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return undefined;
    return 'name' in manifest && manifest.name === 'signalbox' ? String(manifest.version) : undefined;
  } catch {
    return undefined;
  }
}
