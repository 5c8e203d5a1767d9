import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ClientContent, ClientFile } from './clients.ts';
import { modeOf, replaceFile } from './replace-file.ts';
import { editClientFile } from './write-client-file.ts';

/** What became of a client's file. */
export type InstalledClient =
  | {
      readonly kind: 'written';
      readonly path: string;
      readonly changed: boolean;
      /** Where the file as it was before the first change is kept; undefined where there was none. */
      readonly before: string | undefined;
    }
  | { readonly kind: 'refused'; readonly path: string; readonly reason: string };

/** Puts settings into the file that a client reads, and keeps that file as it was before the first time. */
export async function installClient(
  file: ClientFile,
  content: ClientContent,
  folders: { readonly home: string; readonly project: string },
): Promise<InstalledClient> {
  const named = join(file.place === 'home' ? folders.home : folders.project, file.path);
  // Where settings are kept elsewhere and linked to, what is linked to changes and the link stays.
  const path = await realpath(named).catch(() => named);
  const before = await readFile(path, 'utf8').catch(() => undefined);
  const edited = editClientFile(file.format, before, content);
  if (edited.kind === 'refused') return { ...edited, path };
  const kept = `${path}.before-signalbox`;
  if (edited.changed) {
    await mkdir(dirname(path), { recursive: true });
    if (before !== undefined) await keepFirst(kept, before, await modeOf(path));
    await replaceFile(path, edited.text);
  }
  const isKept = await stat(kept).then(
    () => true,
    () => false,
  );
  return { kind: 'written', path, changed: edited.changed, before: isKept ? kept : undefined };
}

/** A second change finds the first one in the file; what the person had before it is what matters. */
async function keepFirst(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
