import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Environment } from '../plan/secret.ts';
import type { ConfigOrigin } from './start-report.ts';

/** Where a system keeps what must outlive a process, and where it is asked questions. */
export type SystemFolders = {
  readonly state: string;
  readonly logs: string;
  /** File with the lines of the log. */
  readonly log: string;
  readonly socket: string;
  /** File with the {@link AdminRecord} of the gateway that runs. */
  readonly record: string;
  /** File with the decisions of the last requests, a line each; what was before them stands in the same with `.1`. */
  readonly decisions: string;
};

/** The configuration that folders belong to: `folder` is where they stand, `name` sets a single file apart from others beside it. */
export type SystemHome = { readonly folder: string; readonly name: string | undefined };

/** Folders of the person who runs the command. */
export type UserFolders = { readonly state: string; readonly run: string };

/** What a running gateway leaves in its state folder, so that commands find it; readable by its owner alone. */
export type AdminRecord = {
  readonly socket: string;
  readonly token: string;
  readonly pid: number;
  readonly address: string | null;
  readonly config: ConfigOrigin;
  /** ISO time. */
  readonly startedAt: string;
};

/**
 * The places of a system, the usual one first: beside its configuration; the person's own, for a
 * configuration that stands where nothing can be written; and one that a restart of the machine may
 * empty. The same configuration always means the same places, so that every command finds the
 * gateway that runs it.
 */
export function systemFolders(
  home: SystemHome,
  stateFolder: string | undefined,
  user: UserFolders,
): readonly [usual: SystemFolders, ...others: SystemFolders[]] {
  const named = home.name === undefined ? [] : [home.name];
  const state =
    stateFolder === undefined ? join(home.folder, '.signalbox', ...named) : resolve(home.folder, stateFolder);
  const logs = stateFolder === undefined ? join(home.folder, 'logs', ...named) : join(state, 'logs');
  const others = [join(user.state, idOf(state)), join(user.run, idOf(state))];
  return [foldersAt(state, logs, user), ...others.map((place) => foldersAt(place, join(place, 'logs'), user))];
}

function foldersAt(state: string, logs: string, user: UserFolders): SystemFolders {
  return {
    state,
    logs,
    log: join(logs, 'signalbox.jsonl'),
    socket: socketAt(state, user),
    record: join(state, 'admin.json'),
    decisions: join(state, 'decisions.jsonl'),
  };
}

/** The longest path that a Unix socket may have: 107 bytes on Linux, 103 on macOS. */
const longestSocketPath = 103;

function socketAt(state: string, user: UserFolders): string {
  const usual = join(state, 'admin.sock');
  return Buffer.byteLength(usual) <= longestSocketPath ? usual : join(user.run, `${idOf(state)}.sock`);
}

function idOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16);
}

/** The person's folders by the rules of https://specifications.freedesktop.org/basedir-spec. */
export function userFolders(
  environment: Environment,
  system: { readonly home: string; readonly temporary: string; readonly userId: number },
): UserFolders {
  const state = environment['XDG_STATE_HOME'] || join(system.home, '.local', 'state');
  const run = environment['XDG_RUNTIME_DIR'];
  return {
    state: join(state, 'signalbox'),
    run: run ? join(run, 'signalbox') : join(system.temporary, `signalbox-${system.userId}`),
  };
}
