import { createLineBatch, type SendBytes } from './line-batch.ts';
import { createLogFile } from './log-file.ts';
import { type LogRecord, renderJsonLine } from './log-record.ts';
import { renderPrettyLine } from './pretty-line.ts';

/** Takes records and writes them a moment later; never throws and never waits. */
export type LogWriter = {
  write(record: LogRecord): void;
  /** Writes what is held and closes the file. */
  close(): Promise<void>;
};

/** Standard output, as JSON or for people. */
export type LogOutput = { readonly write: SendBytes; readonly style: 'json' | 'pretty'; readonly colour: boolean };

/** Where lines go. */
export type LogTargets = {
  /** Absent: nothing there. */
  readonly output: LogOutput | undefined;
  /** The log file; absent where standard output is the journal, which keeps its own. */
  readonly file: string | undefined;
};

/** Lines are gathered for this long, so that a busy second costs few writes. */
const batchMs = 100;

/** Creates a writer. A record becomes its bytes at once: the values behind it would outlive their request. */
export function createLogWriter({ output, file: path }: LogTargets): LogWriter {
  const file = path === undefined ? undefined : createLogFile(path);
  const styles = [
    { render: renderJsonLine, sinks: [file?.append, output?.style === 'json' ? output.write : undefined] },
    {
      render: (record: LogRecord) => renderPrettyLine(record, output?.colour === true),
      sinks: [output?.style === 'pretty' ? output.write : undefined],
    },
  ].flatMap(({ render, sinks }) => {
    const [first, second] = sinks.filter((sink) => sink !== undefined);
    if (first === undefined) return [];
    return [{ render, dropped: 0, batch: createLineBatch(second === undefined ? first : toBoth(first, second)) }];
  });
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    for (const { batch } of styles) batch.flush();
  };
  return {
    write(record) {
      for (const style of styles) {
        if (style.dropped > 0 && style.batch.add(`${style.render(droppedLines(record, style.dropped))}\n`))
          style.dropped = 0;
        if (!style.batch.add(`${style.render(record)}\n`)) style.dropped++;
      }
      timer ??= setTimeout(flush, batchMs);
    },
    async close() {
      clearTimeout(timer);
      flush();
      await file?.close();
    },
  };
}

function toBoth(first: SendBytes, second: SendBytes): SendBytes {
  return (bytes, done) => {
    let left = 2;
    const one = (): void => {
      left--;
      if (left === 0) done();
    };
    first(bytes, one);
    second(bytes, one);
  };
}

function droppedLines({ timestamp }: LogRecord, lines: number): LogRecord {
  const message = `${lines} lines are missing before this one, since what takes them was too slow`;
  return { timestamp, level: 'warn', event: 'log_lines_dropped', lines, message };
}
