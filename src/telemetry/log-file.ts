import {
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  type WriteStream,
} from 'node:fs';
import { dirname } from 'node:path';
import type { SendBytes } from './line-batch.ts';

/** A file that grows by what is appended, and turns over at its largest size. */
export type LogFile = { readonly append: SendBytes; close(): Promise<void> };

/** Size at which the file becomes `.1`, of which one is kept. */
const rotateBytes = 64 * 1024 * 1024;
/** Space may come back: a file that could not be written is tried again after so long. */
const retryMs = 30_000;

/**
 * Creates a log file that is opened at the first line, made anew where somebody took it away, and
 * given up quietly where it cannot be written: service goes on.
 */
export function createLogFile(path: string, largest: number = rotateBytes): LogFile {
  let stream: WriteStream | undefined;
  let size = 0;
  let inode = 0;
  let isBroken = false;
  const giveUp = (): void => {
    isBroken = true;
    stream = undefined;
    setTimeout(() => {
      isBroken = false;
    }, retryMs).unref();
  };
  const open = (): WriteStream | undefined => {
    try {
      mkdirSync(dirname(path), { recursive: true });
      size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      const fd = openSync(path, 'a+', 0o600);
      inode = fstatSync(fd).ino;
      const opened = createWriteStream(path, { fd });
      opened.on('error', giveUp);
      if (isTorn(fd, size)) opened.write('\n');
      return opened;
    } catch {
      giveUp();
      return undefined;
    }
  };
  const leave = (): void => {
    stream?.end();
    stream = undefined;
  };
  const rotate = (): void => {
    leave();
    try {
      rmSync(`${path}.1`, { force: true });
      renameSync(path, `${path}.1`);
    } catch {
      giveUp();
    }
  };
  return {
    append(bytes, done) {
      // What is written to a file without a name is lost with the process. Lines come in batches, so this is not asked for each.
      if (stream !== undefined && inodeAt(path) !== inode) leave();
      if (!isBroken) stream ??= open();
      if (stream === undefined) return done();
      stream.write(bytes, done);
      size += bytes.length;
      if (size > largest) rotate();
    },
    close: () =>
      new Promise((resolve) => {
        if (stream === undefined) return resolve();
        stream.end(resolve);
      }),
  };
}

/** Which file stands at a path; undefined where none does, or nothing can be seen there. */
function inodeAt(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

/** Whether a process was killed, or a disk was full, amid the last line: the next one would be lost with it. */
function isTorn(fd: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
}
