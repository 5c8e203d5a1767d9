import { readFile } from 'node:fs/promises';
import { type SeenRequest, seenInLog, seenInRecord } from '../analysis/seen-request.ts';
import { readStored } from '../analysis/stored-decision.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import type { AdminClient } from './admin-client.ts';
import { foldersOfTarget, type SystemTarget } from './admin-record.ts';

/**
 * The decisions that a system's state folder keeps, oldest first. A gateway that runs writes what
 * is new first; without one the folder alone tells.
 */
export async function recordedDecisions(
  target: SystemTarget,
  running: Pick<AdminClient, 'writeDecisions'> | undefined,
): Promise<readonly DecisionRecord[]> {
  await running?.writeDecisions();
  for (const { decisions } of await foldersOfTarget(target)) {
    const lines = [...(await readLines(`${decisions}.1`)), ...(await readLines(decisions))];
    if (lines.length > 0) return lines.flatMap((line) => readStored(line) ?? []);
  }
  return [];
}

/** The decision of a request by the beginning of its id, or the newest. */
export function findDecision(records: readonly DecisionRecord[], id: string | 'last'): DecisionRecord | undefined {
  if (id === 'last') return records.at(-1);
  return records.findLast((one) => one.id === id) ?? records.findLast((one) => one.id?.startsWith(id));
}

/** Requests since a moment: from their records, and from the log before the first record. */
export async function recordedRequests(
  target: SystemTarget,
  records: readonly DecisionRecord[],
  since: number,
): Promise<{ readonly requests: readonly SeenRequest[]; readonly fromLog: number }> {
  const seen = records.flatMap((one) => seenInRecord(one) ?? []);
  const first = seen[0]?.at ?? Number.POSITIVE_INFINITY;
  const known = new Set(seen.map(({ id }) => id));
  const logged = first <= since ? [] : await loggedRequests(target);
  const older = logged.filter((one) => one.at >= since && one.at <= first && !known.has(one.id));
  return { requests: [...older, ...seen.filter((one) => one.at >= since)], fromLog: older.length };
}

async function loggedRequests(target: SystemTarget): Promise<readonly SeenRequest[]> {
  for (const { log: path } of await foldersOfTarget(target)) {
    const lines = [...(await readLines(`${path}.1`)), ...(await readLines(path))];
    if (lines.length > 0) return lines.flatMap((line) => seenInLog(line) ?? []);
  }
  return [];
}

/** Lines that are JSON objects; the last one may be half written. */
async function readLines(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === 'object' && value !== null ? [value as Readonly<Record<string, unknown>>] : [];
    } catch {
      return [];
    }
  });
}
