import type { Clock, Timer } from '../gateway/clock.ts';
import { milliseconds } from '../plan/ids.ts';
import type { LogFile } from '../telemetry/log-file.ts';
import type { DecisionStore } from './decision-store.ts';

/** The decisions of the last requests on disk, for after a restart and for commands. */
export type DecisionFile = {
  /** Writes within a few seconds, off the way of requests. */
  soon(): void;
  /** Writes what is not written yet; settles when it is out. */
  write(): Promise<void>;
  close(): Promise<void>;
};

const delayMs = milliseconds(3000);

/**
 * Writes a store's decisions into a file. What a busy moment adds beyond the store's size is never
 * written: the file has at most what memory had.
 */
export function createDecisionFile(parts: {
  readonly store: Pick<DecisionStore, 'takeLines'>;
  readonly file: LogFile;
  readonly clock: Pick<Clock, 'after'>;
}): DecisionFile {
  const { store, file, clock } = parts;
  let timer: Timer | undefined;
  let written = Promise.resolve();
  const writeRest = async (): Promise<void> => {
    // One piece after the other: a copy of all of them would be as large as the store.
    for (const lines of store.takeLines()) await new Promise<void>((done) => file.append(lines, () => done()));
  };
  // Only one at a time goes over what is not written.
  const write = (): Promise<void> => {
    written = written.then(writeRest);
    return written;
  };
  return {
    soon() {
      timer ??= clock.after(delayMs, () => {
        timer = undefined;
        void write();
      });
    },
    write,
    async close() {
      timer?.stop();
      await write();
      await file.close();
    },
  };
}
