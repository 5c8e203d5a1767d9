import { createWriteStream, mkdirSync, renameSync, rmSync, statSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { type LogRecord, renderJsonLine } from './log-record.ts';
import { renderPrettyLine } from './pretty-line.ts';

/** Takes records and writes them a moment later; never throws and never waits. */
export type LogWriter = {
  write(record: LogRecord): void;
  /** Writes what is held and closes the file. */
  close(): Promise<void>;
};

/** Where lines go. */
export type LogTargets = {
  /** Standard output, as JSON or for people; absent: nothing there. */
  readonly output:
    | { readonly write: (text: string) => void; readonly style: 'json' | 'pretty'; readonly colour: boolean }
    | undefined;
  /** The log file; absent where standard output is the journal, which keeps its own. */
  readonly file: string | undefined;
};

/** Lines are gathered for this long, so that a busy second costs few writes. */
const batchMs = 100;
/** Held lines beyond which the oldest are dropped: a full disk must not fill the memory. */
const mostHeld = 50_000;
/** Size at which the file becomes `.1`, of which one is kept. */
const rotateBytes = 64 * 1024 * 1024;

/**
 * Creates a writer. A record becomes its text at once: a text is small, while the values behind a
 * record would outlive their request by a whole batch.
 */
export function createLogWriter({ output, file: path }: LogTargets): LogWriter {
  const file = path === undefined ? undefined : createLogFile(path);
  const needsJson = file !== undefined || output?.style === 'json';
  let lines: string[] = [];
  let pretty: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    const text = lines.join('');
    const shown = pretty.join('');
    lines = [];
    pretty = [];
    if (text !== '') file?.append(text);
    if (output?.style === 'json' && text !== '') output.write(text);
    if (shown !== '') output?.write(shown);
  };
  return {
    write(record) {
      if (needsJson) lines.push(`${renderJsonLine(record)}\n`);
      if (output?.style === 'pretty') pretty.push(`${renderPrettyLine(record, output.colour)}\n`);
      if (lines.length > mostHeld) lines.shift();
      if (pretty.length > mostHeld) pretty.shift();
      timer ??= setTimeout(flush, batchMs);
    },
    async close() {
      clearTimeout(timer);
      flush();
      await file?.close();
    },
  };
}

type LogFile = { append(lines: string): void; close(): Promise<void> };

/** A file that is opened at the first line, and given up quietly where it cannot be written: service goes on. */
function createLogFile(path: string): LogFile {
  let stream: WriteStream | undefined;
  let size = 0;
  let isBroken = false;
  const open = (): WriteStream | undefined => {
    try {
      mkdirSync(dirname(path), { recursive: true });
      size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    } catch {
      isBroken = true;
      return undefined;
    }
    const opened = createWriteStream(path, { flags: 'a', mode: 0o600 });
    opened.on('error', () => {
      isBroken = true;
      stream = undefined;
      // Space may come back: the next batch but many tries again.
      setTimeout(() => {
        isBroken = false;
      }, 30_000).unref();
    });
    return opened;
  };
  const rotate = (): void => {
    stream?.end();
    stream = undefined;
    try {
      rmSync(`${path}.1`, { force: true });
      renameSync(path, `${path}.1`);
    } catch {
      isBroken = true;
    }
  };
  return {
    append(lines) {
      if (isBroken) return;
      stream ??= open();
      stream?.write(lines);
      size += Buffer.byteLength(lines);
      if (size > rotateBytes) rotate();
    },
    close: () =>
      new Promise((resolve) => {
        if (stream === undefined) return resolve();
        stream.end(resolve);
      }),
  };
}
