import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StatusReport } from '../../src/contract/status.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { runCommand } from '../support/terminal.ts';
import { until } from '../support/until.ts';

let gateway: TestGateway;
let clock: ManualClock;
let folder = '';

beforeEach(async () => {
  clock = createManualClock();
  gateway = await startGateway({ providers: { echo: { type: 'echo', models: ['echo'] } }, clock, logsToFile: true });
  folder = gateway.folder;
});
afterEach(async () => {
  await gateway.close();
});

async function ask(): Promise<number> {
  const answer = await gateway.chat({ model: 'echo' });
  await answer.text();
  return answer.status;
}

async function unwritten(): Promise<StatusReport['unwritten']> {
  const { out } = await runCommand(['status', '--json'], { folder });
  return (JSON.parse(out) as StatusReport).unwritten;
}

const lines = (event: string): number => gateway.log().filter((line) => line['event'] === event).length;

/** Looks until a look has seen what is wanted; further looks follow each other every half minute. */
const seen = (what: string, isSeen: () => Promise<boolean>): Promise<true> =>
  until(what, async () => {
    await clock.advance(30_000);
    return (await isSeen()) && true;
  });

test.skipIf(!existsSync('/dev/full'))(
  'spine 7: full disk: status and one line of the log say what cannot be written',
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

test('spine 7: full disk: a log that has no folder is told too, and nothing is written before there is something to keep', async () => {
  writeFileSync(join(folder, 'logs'), 'a file in its place');
  await clock.advance(60_000);
  expect(await unwritten()).toEqual([]);
  expect(await ask()).toBe(200);
  await seen('the problem', async () => (await unwritten()).length > 0);
  expect(await unwritten()).toMatchObject([
    { what: 'the log', folder: join(folder, 'logs'), why: expect.stringContaining('a file stands in its place') },
  ]);
});

test.each([
  ['logs', 'signalbox.jsonl', 'the log'],
  ['.signalbox', 'decisions.jsonl', 'decisions and spending'],
])(
  'spine 7: full disk: one file that cannot be written in a folder that can is told by status and doctor: %s/%s',
  async (place, name, what) => {
    // As a file of root's would be for others; a folder is in the way of root too.
    mkdirSync(join(folder, place, name), { recursive: true });
    expect(await ask()).toBe(200);
    await seen('the problem', async () => (await unwritten()).length > 0);
    const why = `${name}: a folder stands in its place (EISDIR)`;
    expect(await unwritten()).toEqual([
      { what, folder: join(folder, place), since: expect.stringMatching(/^2026-11-24T/), why },
    ]);
    const { out } = await runCommand(['doctor', '--port', new URL(gateway.url).port], { folder, columns: 300 });
    expect(out).toMatch(new RegExp(`the gateway can write ${what}.*${name}: a folder stands in its place`));
  },
);
