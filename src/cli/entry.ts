import { exitCode } from './command.ts';
import { run } from './main.ts';
import { createTerminal } from './terminal.ts';

/** Runs the command line in a process and sets its exit code. */
export async function main(process: NodeJS.Process): Promise<void> {
  const terminal = createTerminal(process, () => {
    process.exitCode = exitCode.failed;
  });
  try {
    const code = await run(process.argv.slice(2), terminal);
    // What could not be printed has said so already.
    process.exitCode ||= code;
  } catch (error) {
    // A fault of ours: what happened is told, and how to see more.
    terminal.err(`Signalbox failed: ${error instanceof Error ? error.message : String(error)}`);
    if (process.env['SIGNALBOX_DEBUG'] !== undefined && error instanceof Error) terminal.err(error.stack ?? '');
    else terminal.err('Set SIGNALBOX_DEBUG=1 to see where');
    process.exitCode = exitCode.failed;
  }
}
