import type { Readable } from 'node:stream';
import { printable } from '../plan/printable.ts';
import type { Environment } from '../plan/secret.ts';

/** What a verb may see and do of the terminal and process it runs in; tests hand in their own. */
export type Terminal = {
  /** Prints a line to standard output: what was asked for. */
  out(line: string): void;
  /** Prints to standard output without a line end, streamed answers and logs; calls back once it is out. */
  write(text: string | Uint8Array, done?: () => void): void;
  /** Prints a line to standard error: how it goes, and what went wrong. */
  err(line: string): void;
  /** Shows what is under way on one line that the next replaces; nothing where nobody watches. */
  progress(text: string | undefined): void;
  /** Whether a person watches standard output. */
  readonly watched: boolean;
  readonly colour: boolean;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Width of the terminal; without end where standard output is none. */
  readonly columns: number;
  readonly environment: Environment;
  readonly folder: string;
  readonly input: Readable;
  /** Calls back at every SIGTERM and SIGINT, which then no longer end the process by themselves. */
  onSignal(listener: () => void): void;
};

/** Creates the terminal of this process, and tells where something that was asked for cannot be printed. */
export function createTerminal(process: NodeJS.Process, onUnprinted: () => void): Terminal {
  const { stdout, stderr, env } = process;
  // Who writes is told by a callback; a gateway goes on serving when nobody takes its log any more.
  for (const output of [stdout, stderr]) output.on('error', () => {});
  const showsProgress = stderr.isTTY === true;
  let shown = false;
  const clear = (): void => {
    if (shown) stderr.write('\r\u001b[K');
    shown = false;
  };
  let isLost = false;
  const lost = (error: NodeJS.ErrnoException | null | undefined): void => {
    if (!error || isLost) return;
    isLost = true;
    // A reader that has seen enough, such as head, is no fault.
    if (error.code === 'EPIPE') return;
    onUnprinted();
    stderr.write(`Not everything is printed, since standard output cannot be written: ${error.message}\n`);
  };
  return {
    out(line) {
      clear();
      stdout.write(`${printable(line)}\n`, lost);
    },
    write(text, done) {
      clear();
      stdout.write(text, done ?? lost);
    },
    err(line) {
      clear();
      stderr.write(`${printable(line)}\n`);
    },
    progress(text) {
      clear();
      if (!showsProgress || text === undefined) return;
      stderr.write(text.slice(0, (stderr.columns ?? 80) - 1));
      shown = true;
    },
    watched: stdout.isTTY === true,
    colour: wantsColour(env, stdout.isTTY === true),
    interactive: stdout.isTTY === true && process.stdin.isTTY === true && env['CI'] === undefined,
    columns: stdout.columns ?? Number.POSITIVE_INFINITY,
    environment: env,
    folder: process.cwd(),
    input: process.stdin,
    onSignal(listener) {
      process.on('SIGTERM', listener);
      process.on('SIGINT', listener);
    },
  };
}

/** https://no-color.org and FORCE_COLOR, as other tools read them. */
function wantsColour(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  return isTerminal && env['TERM'] !== 'dumb';
}
