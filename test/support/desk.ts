import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { entry, type Product, startProduct } from './product.ts';

const run = promisify(execFile);

/** A folder in which a person works: files, a shell that has `signalbox`, and the gateway of this folder. */
export type Desk = {
  readonly folder: string;
  put(path: string, text: string): void;
  read(path: string): string;
  /** Types a line in bash, as a person who is logged in; what it prints. Runbooks say port 4000, which stands for that of this run. */
  type(line: string): Promise<string>;
  /** Types a line that prints JSON. */
  json<Shape>(line: string): Promise<Shape>;
  /** Starts the gateway, or starts it again, with the keys that the person's shell exports. */
  restart(...args: readonly string[]): Promise<Product>;
  serving(): Product | undefined;
  clear(): Promise<void>;
};

/** A desk with an empty folder. */
export function createDesk(): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-desk-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/signalbox'), `#!/bin/sh\nexec "${process.execPath}" "${entry}" "$@"\n`, {
    mode: 0o755,
  });
  let serving: Product | undefined;

  const type = async (line: string): Promise<string> => {
    const here = line.replaceAll('http://localhost:4000', (serving?.url ?? '').replace('127.0.0.1', 'localhost'));
    const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: folder };
    return (await run('bash', ['-c', here], { cwd: folder, env })).stdout;
  };

  /** Keys that the person's shell exports when it starts. */
  const exported = async (): Promise<Record<string, string>> => {
    const printed = await type('touch ~/.bashrc; . ~/.bashrc; env');
    const keys = [...printed.matchAll(/^(\w+_KEY)=(.+)$/gm)];
    return Object.fromEntries(keys.map(([, name = '', value = '']) => [name, value]));
  };

  return {
    folder,
    type,
    // The shape of what a command prints is its contract.
    json: async <Shape>(line: string) => JSON.parse(await type(line)) as Shape,
    put(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    async restart(...args) {
      await serving?.stop();
      serving = await startProduct({ folder, environment: await exported(), args });
      return serving;
    },
    serving: () => serving,
    async clear() {
      await serving?.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
