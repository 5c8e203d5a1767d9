import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type AdminRecord,
  type SystemFolders,
  type SystemHome,
  systemFolders,
  userFolders,
} from '../contract/system-folders.ts';
import type { Environment } from '../plan/secret.ts';

/** The folders that a gateway uses, with a sentence where they are not the usual ones. */
export type ChosenFolders = SystemFolders & { readonly note: string | undefined };

/** Chooses the folders of a system; makes nothing. */
export function chooseFolders(
  home: SystemHome,
  stateFolder: string | undefined,
  environment: Environment,
): ChosenFolders {
  const user = userFolders(environment, { home: homedir(), temporary: tmpdir(), userId: userInfo().uid });
  const [usual, ...others] = systemFolders(home, stateFolder, user);
  if (canWrite(usual.state)) return { ...usual, note: undefined };
  const other = others.find((one) => canWrite(one.state)) ?? usual;
  return {
    ...other,
    note: `Nothing can be written to ${dirname(usual.state)}, so state and logs are kept in ${other.state}`,
  };
}

/** Whether a folder could be made or written: the nearest one that exists decides. */
function canWrite(path: string): boolean {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    return lstatSync(existing).isDirectory() || existing === path;
  } catch {
    return false;
  }
}

/** Makes the state folder and the socket's, for their owner alone. */
export function makeFolders(folders: SystemFolders): void {
  if (!existsSync(folders.state)) {
    mkdirSync(folders.state, { recursive: true, mode: 0o700 });
    // What stands here belongs to this machine; it is in nobody's repository.
    writeFileSync(join(folders.state, '.gitignore'), '*\n');
  }
  const run = dirname(folders.socket);
  if (run === folders.state) return;
  mkdirSync(run, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(run);
  // A folder under /tmp could have been put there by somebody else, who would then hold the socket.
  if (uid !== userInfo().uid || (mode & 0o022) !== 0)
    throw new Error(`The folder ${run} belongs to somebody else, or others may write to it`);
}

/** Leaves word of the running gateway. */
export function writeRecord(folders: SystemFolders, record: AdminRecord): void {
  // A command may read it at any moment.
  const fresh = `${folders.record}.new`;
  writeFileSync(fresh, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, folders.record);
}

/** Takes the word back. */
export function removeRecord(folders: SystemFolders): void {
  rmSync(folders.record, { force: true });
  rmSync(folders.socket, { force: true });
}
