import type { AttemptRecord, CandidateRecord, DecisionRecord } from '../contract/decision-record.ts';
import { noTiming, undecided } from './describe-decision.ts';

/**
 * A decision as it is kept: what is usual is left out, and candidates and attempts are rows. Ten
 * thousand stand in memory, and each request pays for its own, so its bytes count.
 */
export type StoredDecision = {
  /** First, so that a record is found without being read. */
  readonly id: string | null;
  readonly candidates?: readonly CandidateRow[] | undefined;
  readonly attempts?: readonly AttemptRow[] | undefined;
} & {
  readonly [Key in Exclude<keyof DecisionRecord, 'id' | 'candidates' | 'attempts'>]?: DecisionRecord[Key] | undefined;
};

type CandidateRow = readonly [
  provider: string,
  model: string,
  source: string,
  order: number,
  weight: number | null,
  /** A place in the order of trying, or the reason that keeps it out, with its words. */
  place: number | readonly [reason: string | null, detail: string | null],
  numbers: CandidateRecord['numbers'],
  /** Where it is not the decision's own. */
  group?: string | null,
];

type AttemptRow = readonly [
  provider: string,
  deployment: string,
  source: string,
  startMs: number,
  ms: number,
  outcome: string,
  detail?: string | null,
];

/** A record as it is kept. */
export function toStored(record: DecisionRecord): StoredDecision {
  const { id, candidates, attempts, order, timing, waits, notes } = record;
  return {
    id,
    time: known(record.time),
    asked: known(record.asked),
    rule: record.rule,
    group: known(record.group),
    strategy: known(record.strategy),
    promptTokens: record.promptTokens,
    complexity: known(record.complexity),
    facts: known(record.facts),
    seed: known(record.seed),
    plan: known(record.plan),
    candidates: some(candidates.map((one) => candidateRow(one, record.group))),
    attempts: some(attempts.map(attemptRow)),
    order: isOrderOf(candidates, order) ? undefined : order,
    waits: some(waits),
    answeredBy: known(record.answeredBy),
    degraded: known(record.degraded),
    refusal: known(record.refusal),
    state: known(record.state),
    notes: some(notes),
    timing: timing.totalMs === null ? undefined : timing,
    usage: known(record.usage),
    costUsd: known(record.costUsd),
    cache: known(record.cache),
  };
}

/** What JSON leaves out. */
function known<Value>(value: Value | null): Value | undefined {
  return value === null ? undefined : value;
}

function some<Value>(list: readonly Value[]): readonly Value[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** The record that was kept. */
export function fromStored({ id, candidates: rows, attempts, order, timing, ...rest }: StoredDecision): DecisionRecord {
  const candidates = (rows ?? []).map((row) => candidateOf(row, rest.group ?? null));
  return {
    id,
    ...undecided,
    // What was left out is not there at all once it comes out of JSON.
    ...(rest as Partial<typeof undecided>),
    candidates,
    attempts: (attempts ?? []).map(attemptOf),
    order: order ?? orderOf(candidates),
    timing: timing ?? noTiming,
  };
}

/** The record of a line that was kept; undefined where the line is JSON, and no decision. */
export function readStored(line: Readonly<Record<string, unknown>>): DecisionRecord | undefined {
  const isDecision =
    typeof line['id'] === 'string' &&
    typeof line['time'] === 'string' &&
    !Number.isNaN(Date.parse(line['time'])) &&
    typeof line['rule'] === 'object' &&
    typeof line['promptTokens'] === 'number';
  // Written by this product, which changes the shape by adding only.
  return isDecision ? fromStored(line as unknown as StoredDecision) : undefined;
}

function candidateRow(one: CandidateRecord, group: string | null): CandidateRow {
  const { provider, model, source, order, weight, numbers } = one;
  const place = one.position ?? ([one.reason, one.detail] as const);
  return one.group === group
    ? [provider, model, source, order, weight, place, numbers]
    : [provider, model, source, order, weight, place, numbers, one.group];
}

function candidateOf(row: CandidateRow, own: string | null): CandidateRecord {
  const [provider, model, source, order, weight, place, numbers, group = own] = row;
  const isPlaced = typeof place === 'number';
  return {
    deployment: `${provider}/${model}`,
    ...{ provider, model, source, group, order, weight },
    verdict: isPlaced ? (place === 0 ? 'chosen' : 'standby') : 'excluded',
    position: isPlaced ? place : null,
    reason: isPlaced ? null : place[0],
    detail: isPlaced ? null : place[1],
    numbers,
  };
}

function attemptRow({ provider, deployment, source, startMs, ms, outcome, detail }: AttemptRecord): AttemptRow {
  const row = [provider, deployment, source, startMs, ms, outcome] as const;
  return detail === null ? row : [...row, detail];
}

function attemptOf([provider, deployment, source, startMs, ms, outcome, detail = null]: AttemptRow): AttemptRecord {
  return { deployment, provider, source, startMs, ms, outcome, detail };
}

/** Placed candidates in the order of trying; what is tried in despair is placed by nobody. */
function orderOf(candidates: readonly CandidateRecord[]): readonly string[] {
  const placed: string[] = [];
  for (const { position, deployment } of candidates) if (position !== null) placed[position] = deployment;
  return placed;
}

/** Whether an order is the one that the places of the candidates say. */
function isOrderOf(candidates: readonly CandidateRecord[], order: readonly string[]): boolean {
  let placed = 0;
  for (const { position, deployment } of candidates) {
    if (position === null) continue;
    if (order[position] !== deployment) return false;
    placed++;
  }
  return placed === order.length;
}
