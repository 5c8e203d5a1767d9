import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A program under measurement or one that serves the measurement, pinned to one core. */
export type Running = {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
};

/** Starts a program on one core and waits until its port answers. */
export async function startPinned(options: {
  readonly name: string;
  readonly core: number;
  readonly command: readonly string[];
  readonly folder: string;
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<Running> {
  const child = spawn('taskset', ['-c', String(options.core), ...options.command], {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-2000);
  });
  const answered = await waitForPort(options.port, child);
  if (!answered || child.pid === undefined) {
    child.kill('SIGKILL');
    throw new Error(`${options.name} does not answer on port ${options.port}:\n${complaints}`);
  }
  return { name: options.name, pid: child.pid, stop: () => stop(child) };
}

async function waitForPort(port: number, child: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 400 && child.exitCode === null; tries++) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`);
      await answer.arrayBuffer();
      return true;
    } catch {
      await pause(25);
    }
  }
  return false;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  server.close();
  await once(server, 'close');
  return port;
}

/** Clock ticks a second of `/proc`: USER_HZ, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU time used so far by a process with all its descendants, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  return tree(pid).reduce((sum, one) => sum + ownCpu(one), 0);
}

/** Resident memory of a process with all its descendants, in megabytes. */
export function residentMegabytes(pid: number): number {
  return tree(pid).reduce((sum, one) => sum + ownResident(one), 0);
}

function ownCpu(pid: number): number {
  // The second field is the program's name in brackets and may hold spaces.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1e6) / ticksPerSecond;
}

function ownResident(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? '0';
  return Number(kilobytes) / 1024;
}

function tree(root: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = read(`/proc/${entry}/stat`).split(') ').at(-1)?.split(' ') ?? [];
    parents.set(Number(entry), Number(fields[1] ?? 0));
  }
  const found = [root];
  for (let at = 0; at < found.length; at++) {
    for (const [pid, parent] of parents) if (parent === found[at]) found.push(pid);
  }
  return found;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
