import { advise } from '../analysis/advise.ts';
import { compare } from '../analysis/compare.ts';
import { replay } from '../analysis/replay.ts';
import { simulate } from '../analysis/simulate.ts';
import type { Workload } from '../analysis/workload.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import type { AdviseReport, CompareReport, ReplayReport, SimulateReport } from '../contract/route-play.ts';
import type { Plan } from '../plan/plan.ts';
import type { AdminClient } from './admin-client.ts';
import type { SystemTarget } from './admin-record.ts';
import { readSide } from './compared-side.ts';
import { recordedDecisions, recordedRequests } from './recorded-requests.ts';
import { withToldSeats } from './told-seats.ts';

/** Where recorded requests come from, and how far back. */
export type Recording = {
  readonly target: SystemTarget;
  readonly running: AdminClient | undefined;
  /** Milliseconds since 1970; absent: all that is recorded. */
  readonly since: number | undefined;
};

async function recordsOf({ target, running, since = 0 }: Recording): Promise<readonly DecisionRecord[]> {
  const all = await recordedDecisions(target, running);
  return all.filter(({ time }) => time !== null && Date.parse(time) >= since);
}

/** Lets a workload, or the recorded requests, come to a plan. */
export async function simulateRequests(
  recording: Recording,
  input: { readonly plan: Plan; readonly workload: Workload | undefined; readonly seed: number },
): Promise<SimulateReport> {
  const plan = await withToldSeats(input.plan, recording.running);
  return simulate({ ...input, plan, records: await recordsOf(recording) });
}

/** Leads the recorded requests through another plan. */
export async function replayRequests(
  recording: Recording,
  input: { readonly present: Plan; readonly candidate: Plan; readonly seed: number },
): Promise<ReplayReport> {
  const present = await withToldSeats(input.present, recording.running);
  const candidate = await withToldSeats(input.candidate, recording.running);
  return replay({ ...input, present, candidate, records: await recordsOf(recording) });
}

/** Says which weights and strategies would have served the recorded requests better. */
export async function adviseRequests(
  recording: Recording,
  input: { readonly plan: Plan; readonly seed: number },
): Promise<AdviseReport> {
  const plan = await withToldSeats(input.plan, recording.running);
  return advise({ ...input, plan, records: await recordsOf(recording) });
}

/** Two sets of recorded requests against each other, or what is wrong with how they are named. */
export async function compareRequests(
  { target, running }: Recording,
  sides: { readonly before: string; readonly after: string; readonly now: number },
): Promise<
  { readonly kind: 'compared'; readonly report: CompareReport } | { readonly kind: 'wrong'; readonly message: string }
> {
  const { requests } = await recordedRequests(target, await recordedDecisions(target, running), 0);
  const input = { requests, now: sides.now };
  const before = readSide('before', sides.before, input);
  if (before.kind === 'wrong') return before;
  const after = readSide('after', sides.after, input);
  if (after.kind === 'wrong') return after;
  return { kind: 'compared', report: compare(before.side, after.side) };
}
