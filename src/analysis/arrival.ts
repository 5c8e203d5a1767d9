import type { DecisionRecord } from '../contract/decision-record.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { factsOf } from './facts-record.ts';

/** A request that comes at a moment of a virtual clock. */
export type Arrival = {
  readonly id: string;
  /** Milliseconds after the first. */
  readonly at: number;
  readonly facts: RequestFacts;
  readonly seed: number;
  /** Tokens of its answer, where they are known. */
  readonly outputTokens: number | undefined;
  /** What became of it when it was real. */
  readonly record: DecisionRecord | undefined;
};

/** Recorded requests in the order in which they came; those that never came to be routed are left out. */
export function arrivalsOf(records: readonly DecisionRecord[]): readonly Arrival[] {
  const real = records
    .filter((one) => one.time !== null && one.facts != null && one.rule.kind !== 'cache')
    .map((record) => ({ record, time: Date.parse(record.time ?? '') }))
    .toSorted((a, b) => a.time - b.time);
  const first = real[0]?.time ?? 0;
  return real.map(({ record, time }) => ({
    id: record.id ?? '',
    at: time - first,
    facts: factsOf(record),
    seed: record.seed ?? 0,
    outputTokens: record.usage?.completionTokens ?? undefined,
    record,
  }));
}
