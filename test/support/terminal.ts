import { Readable } from 'node:stream';
import { run } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** What one command printed, and how it ended. */
export type Ran = { readonly code: number; readonly out: string; readonly err: string };

export type RunOptions = {
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly columns?: number;
};

/** Runs a command line as a script does: nobody watches, and nobody can be asked. */
export async function runCommand(
  words: readonly string[],
  { folder, environment = {}, input = '', columns = 100 }: RunOptions,
): Promise<Ran> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out(line) {
      out += `${line}\n`;
    },
    write(text, done) {
      out += typeof text === 'string' ? text : Buffer.from(text).toString();
      done?.();
    },
    err(line) {
      err += `${line}\n`;
    },
    progress: () => {},
    watched: false,
    colour: false,
    interactive: false,
    columns,
    environment,
    folder,
    input: Readable.from([input]),
    onSignal: () => {},
  };
  const code = await run(words, terminal);
  return { code, out, err };
}
