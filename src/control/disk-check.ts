import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../gateway/clock.ts';
import { milliseconds } from '../plan/ids.ts';
import type { RequestLog } from '../telemetry/request-log.ts';

/** A folder that what is kept is written to, what that is, and the files in it that grow. */
export type KeptPlace = { readonly what: string; readonly folder: string; readonly files: readonly string[] };

/** What cannot be written, since when on the wall clock, and why. */
export type DiskProblem = Pick<KeptPlace, 'what' | 'folder'> & { readonly since: number; readonly why: string };

/** Whether what is kept can be written: a full disk fails no request, so that somebody has to say it. */
export type DiskCheck = {
  /** Something is to be written: looks within half a minute, and from then on until all is well. */
  soon(): void;
  problems(): readonly DiskProblem[];
  close(): Promise<void>;
};

/** What a check is made of. */
export type DiskCheckParts = {
  readonly places: readonly KeptPlace[];
  readonly clock: Pick<Clock, 'after' | 'wall'>;
  readonly log: Pick<RequestLog, 'event'>;
};

const delayMs = milliseconds(30_000);

/** Checks by writing a small file: free bytes say nothing of quotas, of rights or of a disk that went read-only. */
export function createDiskCheck({ places, clock, log }: DiskCheckParts): DiskCheck {
  const problems = new Map<string, DiskProblem>();
  let timer: Timer | undefined;
  let checking: Promise<void> = Promise.resolve();
  const check = async ({ what, folder, files }: KeptPlace): Promise<void> => {
    const before = problems.get(folder);
    const why = (await whyNotWritten(folder)) ?? (await whyNotAppended(folder, files));
    if (why === undefined) {
      problems.delete(folder);
      if (before !== undefined)
        log.event('info', 'disk_writable', { message: `${what} can be written to ${folder} again` });
      return;
    }
    problems.set(folder, { what, folder, since: before?.since ?? clock.wall(), why });
    if (before === undefined)
      log.event('error', 'disk_unwritable', { message: `${what} cannot be written to ${folder}: ${why}` });
  };
  const checkAll = async (): Promise<void> => {
    await Promise.all(places.map(check));
    timer = undefined;
    if (problems.size > 0) soon();
  };
  const soon = (): void => {
    timer ??= clock.after(delayMs, () => {
      checking = checkAll();
    });
  };
  return {
    soon,
    problems: () => [...problems.values()],
    async close() {
      await checking;
      timer?.stop();
    },
  };
}

const content = 'Written and removed by Signalbox, to see whether this disk can be written.\n';

async function whyNotWritten(folder: string): Promise<string | undefined> {
  const path = join(folder, '.write-check');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, content);
    await rm(path);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** A file may be somebody else's in a folder that is ours, as after a start by root. */
async function whyNotAppended(folder: string, files: readonly string[]): Promise<string | undefined> {
  for (const name of files) {
    try {
      // As a log is opened, but that nothing is made.
      await (await open(join(folder, name), 'r+')).close();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return `${name}: ${reasonOf(error)}`;
    }
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  return reasons[codeOf(error) ?? ''] ?? String(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left (ENOSPC)',
  EDQUOT: 'the quota is used up (EDQUOT)',
  EROFS: 'the disk may only be read (EROFS)',
  EACCES: 'it may not be written (EACCES)',
  EPERM: 'it may not be written (EPERM)',
  ENOTDIR: 'a file stands in its place (ENOTDIR)',
  EISDIR: 'a folder stands in its place (EISDIR)',
  EEXIST: 'a file stands in its place (EEXIST)',
};
