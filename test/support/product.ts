import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StartReport } from '../../src/contract/start-report.ts';

/** The product's own entry, as a person runs it. */
export const entry: string = fileURLToPath(new URL('../../bin/signalbox.js', import.meta.url));

/** The product running as a process of its own, with a folder of its own. */
export type Product = {
  readonly url: string;
  readonly report: StartReport;
  readonly folder: string;
  readonly process: ChildProcess;
  /** Everything it printed so far, on both streams. */
  readonly printed: () => string;
  /** Lines of its log file so far. */
  readonly log: () => readonly Record<string, unknown>[];
  /** Ends it with SIGTERM; the exit code. */
  stop(): Promise<number | null>;
};

export type ProductOptions = {
  /** Files by their path in the folder, such as `config/providers.yaml`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A folder that exists and stays, in place of one of its own. */
  readonly folder?: string;
  /** Another entry than the one of this project: a packed one. */
  readonly entry?: string;
  /** How many files and connections it may have open. */
  readonly descriptors?: number;
};

/** Starts `signalbox up` on a free port, and waits until it says that it serves. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'signalbox-product-'));
  for (const [path, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const words = [options.entry ?? entry, 'up', '--port', '0', '--json', ...(options.args ?? [])];
  const limited = ['-c', `ulimit -n ${options.descriptors}; exec "$0" "$@"`, process.execPath, ...words];
  const [program, list] = options.descriptors === undefined ? [process.execPath, words] : ['sh', limited];
  const child = spawn(program, list, {
    cwd: folder,
    env: { ...bareEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const keep = (chunk: Buffer): void => {
    printed += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const report = await firstReport(child, () => printed);
  return {
    url: report.address,
    report,
    folder,
    process: child,
    printed: () => printed,
    log: () => logLines(join(folder, 'logs', 'signalbox.jsonl')),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}

/** This machine's variables without the keys and settings that a person may have set. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const own = /^(LITELLM|SIGNALBOX|OPENAI|ANTHROPIC|OLLAMA|JOURNAL_STREAM|INVOCATION_ID)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

/** The first line of standard output is the report. */
async function firstReport(child: ChildProcess, printed: () => string): Promise<StartReport> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`The gateway ended before it served:\n${printed()}`);
  });
  for (;;) {
    const line = printed()
      .split('\n')
      .slice(0, -1)
      .find((one) => one.startsWith('{"address"'));
    // What the product prints with --json is a report, by its contract.
    if (line !== undefined) return JSON.parse(line) as StartReport;
    await Promise.race([ended, once(child.stdout ?? child, 'data')]);
  }
}

function logLines(file: string): readonly Record<string, unknown>[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
