#!/usr/bin/env node
// Any Node can parse this file: it finds a Node that is new enough and hands over to it.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const floor = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src', 'cli', 'entry.ts');

if (Number(process.versions.node.split('.')[0]) >= floor) {
  createRequire(import.meta.url)('node:module').enableCompileCache?.();
  const { main } = await import(existsSync(source) ? source : join(root, 'dist', 'signalbox.js'));
  await main(process);
} else {
  await handOver(join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node'));
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
