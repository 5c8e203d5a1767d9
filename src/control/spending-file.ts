import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../gateway/clock.ts';
import { milliseconds } from '../plan/ids.ts';
import type { SpendingState } from '../plan/spending.ts';

/** What was spent, on disk, so that a restart keeps it. */
export type SpendingFile = {
  /** Puts what the file has into a new state; says what is wrong where the file cannot be read. */
  restore(state: SpendingState): string | undefined;
  /** Writes within a second, off the way of requests. */
  soon(state: SpendingState): void;
  /** Writes what is not written yet. */
  close(): void;
};

type Saved = { readonly id: string; readonly usd: number; readonly since: number };

const delayMs = milliseconds(1000);

/** Keeps spending in one small file; where it cannot be written, budgets hold until the process ends. */
export function createSpendingFile(path: string, clock: Clock): SpendingFile {
  let pending: { readonly state: SpendingState; readonly timer: Timer } | undefined;
  /** From the monotonic clock to the one on the wall, which a restart shares. */
  const offset = (): number => clock.wall() - clock.now();
  const write = (): void => {
    if (pending === undefined) return;
    const { caps, spent: counts } = pending.state;
    pending = undefined;
    const spent = caps.flatMap(({ id }, place): Saved[] => {
      const { usd = 0, since } = counts[place] ?? {};
      return since === undefined ? [] : [{ id, usd, since: Math.round(since + offset()) }];
    });
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.new`, `${JSON.stringify({ version: 1, spent })}\n`, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch {
      // Service goes on; what was spent is in memory.
    }
  };
  return {
    restore(state) {
      if (state.caps.length === 0) return undefined;
      const { spent, problem } = readSaved(path);
      for (const { id, usd, since } of spent) {
        const count = state.spent[state.caps.findIndex((one) => one.id === id)];
        if (count === undefined) continue;
        count.usd = usd;
        count.since = milliseconds(since - offset());
      }
      return problem;
    },
    soon(state) {
      if (pending !== undefined && pending.state === state) return;
      pending?.timer.stop();
      pending = { state, timer: clock.after(delayMs, write) };
    },
    close() {
      pending?.timer.stop();
      write();
    },
  };
}

/** What the file has. What is not as it was written counts as nothing; the file is put aside, for people. */
function readSaved(path: string): { readonly spent: readonly Saved[]; readonly problem: string | undefined } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { spent: [], problem: isAbsent ? undefined : `${path} cannot be read: spending starts at zero` };
  }
  const written = writtenSpending(text);
  const spent = written.filter(isSaved);
  if (written.length === spent.length) return { spent, problem: undefined };
  const aside = `${path}.broken`;
  try {
    renameSync(path, aside);
  } catch {
    // Then it is written over with the next spending.
  }
  const lost = written.length - spent.length;
  const what = lost === 1 ? 'one part' : `${lost} parts`;
  return { spent, problem: `${what} of ${path} cannot be read and start at zero; the file is kept as ${aside}` };
}

/** The entries of a file; one that is none where there are no entries at all. */
function writtenSpending(text: string): readonly unknown[] {
  try {
    const written: unknown = JSON.parse(text);
    if (typeof written === 'object' && written !== null && 'spent' in written && Array.isArray(written.spent))
      return written.spent;
  } catch {
    // No JSON is no list either.
  }
  return [undefined];
}

function isSaved(value: unknown): value is Saved {
  if (typeof value !== 'object' || value === null) return false;
  const { id, usd, since } = value as Partial<Record<keyof Saved, unknown>>;
  return typeof id === 'string' && typeof usd === 'number' && typeof since === 'number' && usd >= 0;
}
