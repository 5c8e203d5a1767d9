import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { runCommand } from '../support/terminal.ts';
import { until } from '../support/until.ts';

let gateway: TestGateway;
let clock: ManualClock;
let folder = '';

beforeEach(async () => {
  clock = createManualClock();
  gateway = await startGateway({ providers: { echo: { type: 'echo', models: ['echo'] } }, clock });
  folder = gateway.folder;
});
afterEach(async () => {
  await gateway.running.cut();
  expect(existsSync(join(folder, '.signalbox/admin.sock'))).toBe(false);
  await gateway.close();
});

const status = async (): Promise<number> => (await runCommand(['status'], { folder })).code;
const lines = (event: string): number => gateway.log().filter((line) => line['event'] === event).length;

test.each(['.signalbox', '.signalbox/admin.sock', '.signalbox/admin.json'])(
  'spine 4: state folder: commands find a running gateway again whose %s was deleted, and the log says so once',
  async (path) => {
    expect(await status()).toBe(0);
    rmSync(join(folder, path), { recursive: true });
    await clock.advance(1000);
    await until('the socket to be there', () => existsSync(join(folder, path)));
    await until('the gateway to be found', async () => (await status()) === 0);
    await until('its line', () => lines('admin_socket_opened') === 1);
    for (const _look of [1, 2]) await clock.advance(1000);
    expect(await status()).toBe(0);
    rmSync(join(folder, path), { recursive: true });
    await clock.advance(1000);
    await until('the gateway to be found again', async () => (await status()) === 0);
    await until('the second line', () => lines('admin_socket_opened') === 2);
  },
);

test('spine 4: state folder: one that cannot be made again is told once, and used as soon as it can', async () => {
  rmSync(join(folder, '.signalbox'), { recursive: true });
  writeFileSync(join(folder, '.signalbox'), 'a file in its place');
  for (const _look of [1, 2, 3]) await clock.advance(1000);
  await until('its line', () => lines('admin_socket_lost') === 1);
  rmSync(join(folder, '.signalbox'));
  await clock.advance(1000);
  await until('the gateway to be found', async () => (await status()) === 0);
  await until('its end', () => lines('admin_socket_opened') === 1);
  expect(lines('admin_socket_lost')).toBe(1);
});
