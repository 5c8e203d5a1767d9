import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StatusReport } from '../../src/contract/status.ts';
import { type Running, start } from '../../src/main.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { runCommand } from '../support/terminal.ts';
import { until } from '../support/until.ts';

let folder = '';
let running: Running;
let clock: ManualClock;
let log = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
  mkdirSync(join(folder, 'config'));
  writeFileSync(join(folder, 'config/providers.yaml'), 'providers: {echo: {type: echo, models: [echo]}}\n');
  clock = createManualClock();
  log = '';
  const write = (bytes: Uint8Array, done: () => void): void => {
    log += Buffer.from(bytes).toString();
    done();
  };
  running = await start({
    ...{ folder, port: 0, discover: false, environment: {}, clock },
    log: { output: { write, style: 'json', colour: false }, file: true },
  });
});
afterEach(async () => {
  await running.cut();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(): Promise<number> {
  const answer = await fetch(`${running.address.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Hi' }] }),
  });
  await answer.text();
  return answer.status;
}

async function unwritten(): Promise<StatusReport['unwritten']> {
  const { out } = await runCommand(['status', '--json'], { folder });
  return (JSON.parse(out) as StatusReport).unwritten;
}

const lines = (event: string): number => log.split(`"event": "${event}"`).length - 1;

/** Looks until a look has seen what is wanted; further looks follow each other every half minute. */
const seen = (what: string, isSeen: () => Promise<boolean>): Promise<true> =>
  until(what, async () => {
    await clock.advance(30_000);
    return (await isSeen()) && true;
  });

test.skipIf(!existsSync('/dev/full'))(
  'full disk: status and one line of the log say what cannot be written',
  async () => {
    // The kernel itself says that there is no space.
    symlinkSync('/dev/full', join(folder, '.signalbox/.write-check'));
    expect(await ask()).toBe(200);
    await seen('the problem', async () => (await unwritten()).length > 0);
    expect(await unwritten()).toEqual([
      {
        what: 'decisions and spending',
        folder: join(folder, '.signalbox'),
        since: expect.stringMatching(/^2026-11-24T/),
        why: 'no space is left (ENOSPC)',
      },
    ]);
    const { out } = await runCommand(['status'], { folder, columns: 300 });
    expect(out).toMatch(
      /^disk {5}decisions and spending cannot be written to .*\.signalbox, since .*: no space is left/m,
    );
    for (const _look of [1, 2]) await clock.advance(30_000);
    await until('its line', () => lines('disk_unwritable') > 0);
    expect(await ask()).toBe(200);

    rmSync(join(folder, '.signalbox/.write-check'));
    await seen('the end of the problem', async () => (await unwritten()).length === 0);
    await until('its end', () => lines('disk_writable') === 1);
    expect(lines('disk_unwritable')).toBe(1);
    expect(existsSync(join(folder, '.signalbox/.write-check'))).toBe(false);
  },
);

test('full disk: a log that has no folder is told too, and nothing is written before there is something to keep', async () => {
  writeFileSync(join(folder, 'logs'), 'a file in its place');
  await clock.advance(60_000);
  expect(await unwritten()).toEqual([]);
  expect(await ask()).toBe(200);
  await seen('the problem', async () => (await unwritten()).length > 0);
  expect(await unwritten()).toMatchObject([
    { what: 'the log', folder: join(folder, 'logs'), why: expect.stringContaining('a file stands in its place') },
  ]);
});
