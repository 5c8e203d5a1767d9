import { chmod, rename, rm, stat, writeFile } from 'node:fs/promises';

/**
 * Puts a text in a file's place in one step, so that nobody sees half of it, and keeps who may read it.
 * Where it cannot be written, what is there stays, and nothing is left beside it.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const mode = await modeOf(path);
  try {
    // Keys may stand in it.
    await writeFile(fresh, text, { mode: 0o600 });
    await chmod(fresh, mode);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    throw error;
  }
}

/** Who may read and write a file; a new one is everybody's to read. */
export async function modeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? 0o644 : found.mode & 0o777;
}
