import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from './processes.ts';
import type { Figure } from './report.ts';
import { temporaryFolder } from './temporary-folder.ts';

const runs = 7;

/** Installs the built package, and times it from its start to its first answer, beside `node -e 0`. */
export async function coldStart(root: string, runtime: string): Promise<Figure> {
  const folder = temporaryFolder('cold');
  const packing = ['pack', '--silent', '--pack-destination', folder, join(root, 'dist/package')];
  const packed = execFileSync('npm', packing).toString().trim().split('\n').at(-1);
  execFileSync('npm', [
    'install',
    '--silent',
    '--no-audit',
    '--no-fund',
    '--prefix',
    folder,
    join(folder, packed ?? ''),
  ]);
  const program = join(folder, 'node_modules/signalbox/bin/signalbox.js');
  const bare: number[] = [];
  const product: number[] = [];
  for (let run = 0; run < runs; run++) {
    bare.push(await time(() => once(spawn(runtime, ['-e', '0']), 'exit')));
    product.push(await firstAnswer(runtime, program, folder));
  }
  return {
    name: 'cold start to the first answer',
    unit: 'ms',
    nginx: undefined,
    gateway: median(product),
    against: { name: 'node -e 0', value: median(bare) },
    target: 16,
  };
}

async function firstAnswer(runtime: string, program: string, folder: string): Promise<number> {
  const port = await freePort();
  const started = performance.now();
  const child = spawn(runtime, [program, 'up', '--no-discover', '--port', String(port)], {
    cwd: folder,
    stdio: 'ignore',
  });
  while (child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/models`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) break;
  }
  const took = performance.now() - started;
  if (child.exitCode !== null) throw new Error('The package ended before it answered');
  child.kill('SIGTERM');
  await once(child, 'exit');
  return took;
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
