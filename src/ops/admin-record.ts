import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { findConfig, homeOf } from '../config/read-sources.ts';
import { type AdminRecord, type SystemFolders, systemFolders, userFolders } from '../contract/system-folders.ts';
import type { Environment } from '../plan/secret.ts';

/** Which system a command is about: the same words as `up` takes. */
export type SystemTarget = {
  readonly config: string | undefined;
  readonly stateFolder: string | undefined;
  /** The current folder. */
  readonly folder: string;
  readonly environment: Environment;
};

/** The word that a running gateway of this system has left, and where it was looked for. */
export async function findAdminRecord(
  target: SystemTarget,
): Promise<{ readonly record: AdminRecord | undefined; readonly looked: readonly string[] }> {
  const places = await foldersOfTarget(target);
  const records = places.flatMap((place) => readAdminRecord(place) ?? []);
  return { record: records[0], looked: places.map((place) => place.state) };
}

/** Where a gateway of this system may keep its state, the usual place first. */
export async function foldersOfTarget(target: SystemTarget): Promise<readonly SystemFolders[]> {
  const home = await homeOfTarget(target);
  const user = userFolders(target.environment, { home: homedir(), temporary: tmpdir(), userId: userInfo().uid });
  return systemFolders(home, target.stateFolder, user);
}

async function homeOfTarget({ config, folder }: SystemTarget): Promise<Parameters<typeof systemFolders>[0]> {
  const here = resolve(folder);
  const path = config === undefined ? await findConfig(here) : resolve(here, config);
  if (path === undefined) return { folder: here, name: undefined };
  const found = await stat(path).catch(() => undefined);
  return homeOf(path, found?.isDirectory() ?? !/\.ya?ml$/.test(path));
}

/** Reads what a gateway has left in its state folder. */
export function readAdminRecord(folders: Pick<SystemFolders, 'record'>): AdminRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(folders.record, 'utf8'));
    const isRecord =
      typeof value === 'object' && value !== null && 'socket' in value && 'token' in value && 'pid' in value;
    // Written whole by a gateway of this product; what matters for the connection is checked.
    return isRecord ? (value as AdminRecord) : undefined;
  } catch {
    return undefined;
  }
}
