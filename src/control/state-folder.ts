import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Where a system keeps what must outlive a process: state folder, logs, and its admin socket. */
export type SystemFolders = {
  readonly state: string;
  readonly logs: string;
  readonly socket: string;
  readonly token: string;
  /** Set where the usual place cannot be written and another was taken. */
  readonly note: string | undefined;
};

/** The configuration that folders belong to: `folder` is where they stand, `name` sets a single file apart from others beside it. */
export type SystemHome = { readonly folder: string; readonly name: string | undefined };

/**
 * Finds the folders of a system; makes nothing. The same configuration always means the same
 * folders, so that every command finds the gateway that runs it.
 */
export function findSystemFolders(home: SystemHome, stateDir: string | undefined): SystemFolders {
  const folder = resolve(home.folder);
  const usual =
    stateDir === undefined
      ? join(folder, '.signalbox', ...(home.name === undefined ? [] : [home.name]))
      : resolve(stateDir);
  const isWritable = canWrite(usual);
  const own = isWritable ? usual : join(userStateFolder(), idOf(usual));
  const logs = isWritable && stateDir === undefined ? join(folder, 'logs') : join(own, 'logs');
  return {
    state: own,
    logs,
    socket: socketPath(own),
    token: join(own, 'admin.token'),
    note: isWritable ? undefined : `${dirname(usual)} cannot be written, so state is kept in ${own}`,
  };
}

/** Makes the state folder, for its owner alone, and says where its socket stands if that is elsewhere. */
export function prepareStateFolder(folders: SystemFolders): void {
  mkdirSync(folders.state, { recursive: true, mode: 0o700 });
  mkdirSync(dirname(folders.socket), { recursive: true, mode: 0o700 });
  if (dirname(folders.socket) !== folders.state)
    writeFileSync(join(folders.state, 'admin.socket.path'), `${folders.socket}\n`, { mode: 0o600 });
}

/** Reads a system's admin token; undefined where none was made. */
export function readToken(folders: SystemFolders): string | undefined {
  return existsSync(folders.token) ? readFileSync(folders.token, 'utf8').trim() : undefined;
}

/** The longest path that a Unix socket may have: 108 bytes with its end on Linux, 104 on macOS. */
const longestSocketPath = 100;

function socketPath(state: string): string {
  const usual = join(state, 'admin.sock');
  return Buffer.byteLength(usual) <= longestSocketPath ? usual : join(userRunFolder(), `${idOf(state)}.sock`);
}

function userRunFolder(): string {
  return process.env['XDG_RUNTIME_DIR'] === undefined
    ? join(tmpdir(), `signalbox-${userInfo().uid}`)
    : join(process.env['XDG_RUNTIME_DIR'], 'signalbox');
}

function userStateFolder(): string {
  return process.env['XDG_STATE_HOME'] === undefined
    ? join(homedir(), '.local', 'state', 'signalbox')
    : join(process.env['XDG_STATE_HOME'], 'signalbox');
}

function idOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}

/** Whether a folder could be made or written: the nearest one that exists decides. */
function canWrite(path: string): boolean {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
