import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Check } from '../contract/doctor-report.ts';
import type { SystemFolders } from '../contract/system-folders.ts';
import { check } from './check.ts';

/** The machine as a check-up sees it; tests hand in their own. */
export type Machine = {
  readonly nodeVersion: string;
  /** Wall clock in milliseconds since 1970. */
  readonly wall: () => number;
  /** Free bytes of the disk that a path is on. */
  readonly freeBytes: (path: string) => Promise<number | undefined>;
  readonly isWritable: (path: string) => Promise<boolean>;
  /** How many files a process may open; undefined where the system does not tell. */
  readonly openFiles: () => Promise<number | undefined>;
  readonly canListen: (port: number) => Promise<boolean>;
};

/** This machine. */
export const thisMachine: Machine = {
  nodeVersion: process.versions.node,
  wall: () => Date.now(),
  async freeBytes(path) {
    const found = await statfs(await nearestExisting(path)).catch(() => undefined);
    return found === undefined ? undefined : found.bavail * found.bsize;
  },
  async isWritable(path) {
    return access(await nearestExisting(path), constants.W_OK)
      .then(() => true)
      .catch(() => false);
  },
  async openFiles() {
    const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  },
  canListen: (port) =>
    new Promise((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
    }),
};

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found !== undefined || dirname(at) === at) return at;
  }
}

/** The oldest Node that runs the product. */
const nodeFloor = 24;
/** Logs of a busy month fit. */
const enoughBytes = 1024 ** 3;
const tooFewBytes = 64 * 1024 ** 2;
/** Each streamed answer holds two connections. */
const enoughFiles = 4096;
const tooFewFiles = 512;
/** The product did not exist before: a clock that stands earlier was never set. */
const earliestMs = Date.UTC(2026, 0, 1);

/** Checks what the machine has to offer, whatever the configuration; of the places that a system may take, the usual one first. */
export async function checkMachine(machine: Machine, places: readonly SystemFolders[]): Promise<readonly Check[]> {
  return [checkNode(machine), ...(await checkPlaces(machine, places)), checkClock(machine), await checkFiles(machine)];
}

function checkNode({ nodeVersion }: Machine): Check {
  const isEnough = Number(nodeVersion.split('.')[0]) >= nodeFloor;
  const fix = isEnough ? undefined : `Install Node ${nodeFloor} or newer: https://nodejs.org`;
  return check('node', `Node is ${nodeFloor} or newer`, isEnough ? 'ok' : 'failed', nodeVersion, fix);
}

async function checkPlaces(machine: Machine, places: readonly SystemFolders[]): Promise<readonly Check[]> {
  const [usual] = places;
  if (usual === undefined) return [];
  const title = 'state and logs can be written';
  const place = await firstWritable(machine, places);
  const fix = 'Give a place with --state-dir';
  if (place === undefined) return [check('state', title, 'failed', `nothing can be written to ${usual.state}`, fix)];
  const closed = await firstClosed(machine, [place.decisions, place.log]);
  const written =
    closed !== undefined
      ? check('state', title, 'failed', `${closed} cannot be written`, `Make it yours: sudo chown "$USER" ${closed}`)
      : place === usual
        ? check('state', title, 'ok', usual.state)
        : check('state', title, 'warning', `not in ${usual.state}, so they are kept in ${place.state}`, fix);
  return [written, checkDisk(await machine.freeBytes(place.state))];
}

/** A file may be somebody else's in a folder that is ours, as after a start by root. */
async function firstClosed(machine: Machine, files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (!(await machine.isWritable(file))) return file;
  return undefined;
}

async function firstWritable(machine: Machine, places: readonly SystemFolders[]): Promise<SystemFolders | undefined> {
  for (const place of places) if (await machine.isWritable(place.state)) return place;
  return undefined;
}

function checkDisk(free: number | undefined): Check {
  const title = 'the disk has room for logs';
  if (free === undefined) return check('disk', title, 'skipped', 'this system does not tell');
  const found = `${free >= enoughBytes ? `${Math.round(free / 1024 ** 3)} GB` : `${Math.round(free / 1024 ** 2)} MB`} free`;
  const state = free < tooFewBytes ? 'failed' : free < enoughBytes ? 'warning' : 'ok';
  return check(
    'disk',
    title,
    state,
    found,
    state === 'ok' ? undefined : 'Free some space, or give --state-dir elsewhere',
  );
}

function checkClock({ wall }: Machine): Check {
  const now = wall();
  const isSet = now >= earliestMs;
  const found = new Date(now).toISOString();
  return check('clock', 'the clock is set', isSet ? 'ok' : 'failed', found, isSet ? undefined : 'Set it: timedatectl');
}

async function checkFiles(machine: Machine): Promise<Check> {
  const title = 'enough files may be open at once';
  const limit = await machine.openFiles();
  if (limit === undefined) return check('files', title, 'skipped', 'this system does not tell');
  const state = limit < tooFewFiles ? 'failed' : limit < enoughFiles ? 'warning' : 'ok';
  const fix = state === 'ok' ? undefined : 'ulimit -n 65536, or LimitNOFILE=65536 in the service';
  return check('files', title, state, `${limit}`, fix);
}
