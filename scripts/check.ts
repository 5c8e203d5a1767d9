/** `npm run check`: types, format and lint, dead code, and who imports whom; one line each, and what is wrong. */
import { spawn } from 'node:child_process';

type Check = { readonly name: string; readonly command: readonly string[] };

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'format and lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  { name: 'imports', command: ['node', 'scripts/check-imports.ts'] },
];

const results = await Promise.all(checks.map(run));
let failed = 0;
for (const { name, code, output, seconds } of results) {
  process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'}  ${name} (${seconds.toFixed(1)} s)\n`);
  if (code === 0) continue;
  failed++;
  process.stdout.write(`${output.trim()}\n\n`);
}
process.exitCode = failed === 0 ? 0 : 1;

type Result = { readonly name: string; readonly code: number; readonly output: string; readonly seconds: number };

function run({ name, command }: Check): Promise<Result> {
  const [program = '', ...rest] = command;
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${program}`, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('error', (error) => resolve({ name, code: 1, output: error.message, seconds: 0 }));
    child.on('exit', (code) => resolve({ name, code: code ?? 1, output, seconds: (performance.now() - began) / 1000 }));
  });
}
