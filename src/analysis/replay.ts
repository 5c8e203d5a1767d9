import type { CandidateRecord, DecisionRecord } from '../contract/decision-record.ts';
import type { Move, ReplayReport } from '../contract/route-play.ts';
import type { Plan } from '../plan/plan.ts';
import { type Arrival, arrivalsOf } from './arrival.ts';
import { type Played, play } from './play.ts';
import { recordedWorld } from './recorded-world.ts';
import { summarise } from './summary.ts';

/** What is held against each other. */
export type ReplayInput = {
  /** The plan that the requests are taken to have had. */
  readonly present: Plan;
  readonly candidate: Plan;
  readonly records: readonly DecisionRecord[];
  readonly seed: number;
};

/**
 * Leads recorded requests through two plans in the same world, with the same draws, so that what
 * differs comes from the plans alone. How often the first chooses as it was recorded says how far
 * the replay is to be believed.
 */
export function replay({ present, candidate, records, seed }: ReplayInput): ReplayReport {
  const arrivals = arrivalsOf(records);
  const world = recordedWorld(present, arrivals, seed);
  const before = play(present, arrivals, world);
  const after = play(candidate, arrivals, world);
  const moved = before.flatMap((one, index) => {
    const other = after[index];
    return other === undefined || firstOf(one) === firstOf(other) ? [] : [moveOf(one, other)];
  });
  return {
    seed,
    requests: arrivals.length,
    moved: moved.length,
    moves: together(moved),
    agreement: before.length === 0 ? 1 : before.filter(isAsRecorded).length / before.length,
    otherPlan: arrivals.filter(({ record }: Arrival) => record?.plan !== present.hash).length,
    before: summarise(before),
    after: summarise(after),
  };
}

function firstOf({ decision }: Played): string | undefined {
  return decision.order[0];
}

function isAsRecorded({ arrival, decision }: Played): boolean {
  return arrival.record?.order[0] === decision.order[0];
}

function moveOf(before: Played, after: Played): Move {
  return {
    asked: before.decision.asked,
    from: firstOf(before) ?? null,
    to: firstOf(after) ?? null,
    why: whyMoved(before.decision, after.decision),
    requests: 1,
    example: before.arrival.id,
  };
}

/** Moves of the same kind as one, the most frequent first. */
function together(moves: readonly Move[]): readonly Move[] {
  const kinds = Map.groupBy(moves, ({ asked, from, to, why }) => JSON.stringify([asked, from, to, why]));
  return [...kinds.values()]
    .flatMap((same) => (same[0] === undefined ? [] : [{ ...same[0], requests: same.length }]))
    .toSorted((a, b) => b.requests - a.requests);
}

/** Why two decisions about one request differ, by the first thing that does. */
function whyMoved(before: DecisionRecord, after: DecisionRecord): string {
  const [from, to] = [before.order[0], after.order[0]];
  if (to === undefined) return `nothing can answer: ${after.refusal?.message ?? after.rule.text}`;
  if (from === undefined) return `it was refused: ${before.refusal?.message ?? before.rule.text}`;
  if (before.rule.text !== after.rule.text) return `another rule holds: ${after.rule.text}`;
  if (before.group !== after.group) return `it means "${after.group ?? 'one deployment'}" now`;
  const left = after.candidates.find((one) => one.deployment === from);
  if (left === undefined) return `${from} is no candidate any more`;
  if (left.verdict === 'excluded') return `${from} is left out: ${left.detail ?? left.reason ?? 'unknown'}`;
  const [was, is] = [candidateAt(before, to), candidateAt(after, to)];
  if (was === undefined) return `${to} is a candidate now`;
  if (was.verdict === 'excluded') return `${to} is not left out any more: ${was.detail ?? was.reason ?? 'unknown'}`;
  if (before.strategy !== after.strategy) return `the order is ${after.strategy}, not ${before.strategy}`;
  if (was.order !== is?.order) return `the order of ${to} is ${is?.order}, not ${was.order}`;
  if (was.weight !== is.weight)
    return `the weight of ${to} is ${is.weight ?? 'not declared'}, not ${was.weight ?? 'declared'}`;
  const note = after.notes.find((one) => !before.notes.includes(one));
  if (note !== undefined) return note;
  return `what ${after.strategy ?? 'the order'} compares came out otherwise: ${numbersOf(is)} of ${to}, not ${numbersOf(was)}`;
}

function candidateAt({ candidates }: DecisionRecord, deployment: string): CandidateRecord | undefined {
  return candidates.find((one) => one.deployment === deployment);
}

function numbersOf({ numbers }: CandidateRecord): string {
  const shown = Object.entries(numbers).map(([name, value]) => `${name} ${Number(value.toFixed(3))}`);
  return shown.length === 0 ? 'no number' : shown.join(', ');
}
