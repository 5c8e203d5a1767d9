import type { PoolShares, ProviderUse, TimesReport } from './route-stats.ts';

/** What requests came to under one plan, on a virtual clock. */
export type PlayReport = {
  readonly requests: number;
  readonly answered: number;
  /** Nobody answered. */
  readonly failed: number;
  /** Refused before anybody was asked. */
  readonly refused: number;
  /** Why they were refused, the most frequent reason first. */
  readonly refusals: readonly Refusal[];
  readonly times: TimesReport;
  /** For seats, and before retries. */
  readonly waits: TimesReport;
  /** Null where a price or a length of answers is not known. */
  readonly costUsd: number | null;
  readonly providers: readonly ProviderUse[];
  readonly tiers: readonly { readonly tier: string; readonly requests: number; readonly share: number }[];
  readonly pools: readonly PoolShares[];
  /** Requests that asked a deployment of which nothing is known, so that others' times stood for its own. */
  readonly guessed: number;
};

/** Requests that were refused for the same reason; the message is that of the first. */
export type Refusal = { readonly code: string; readonly message: string; readonly requests: number };

/** `signalbox route simulate --json`. */
export type SimulateReport = PlayReport & {
  readonly seed: number;
  /** From the first arrival to the last, in seconds. */
  readonly seconds: number;
  readonly from: 'records' | 'workload';
  /** Sentences about what had to be assumed. */
  readonly assumed: readonly string[];
};

/** Requests that would have gone elsewhere for the same reason. */
export type Move = {
  readonly asked: string | null;
  /** Null where nobody was or would be asked. */
  readonly from: string | null;
  readonly to: string | null;
  readonly why: string;
  readonly requests: number;
  /** The id of one of them. */
  readonly example: string;
};

/** `signalbox route replay --json`. */
export type ReplayReport = {
  readonly seed: number;
  readonly requests: number;
  /** Requests that would first have gone elsewhere. */
  readonly moved: number;
  readonly moves: readonly Move[];
  /** How often the replay through the present configuration chooses as it was recorded, from 0 to 1. */
  readonly agreement: number;
  /** Requests that another configuration than the present one had decided. */
  readonly otherPlan: number;
  readonly before: PlayReport;
  readonly after: PlayReport;
};

/** One variant of a pool that was tried, with what the play of the recorded requests came to. */
export type Variant = {
  readonly change: string;
  readonly strategy: string;
  /** By member; null where the strategy uses none. */
  readonly weights: readonly number[] | null;
  readonly times: TimesReport;
  readonly waits: TimesReport;
  readonly failed: number;
};

/** What could be better about one pool. */
export type PoolAdvice = {
  readonly group: string;
  readonly requests: number;
  readonly members: readonly string[];
  readonly verdict: 'better' | 'as_good_as_any' | 'too_few' | 'not_like_the_record';
  /** In words, with the numbers. */
  readonly text: string;
  readonly present: Variant;
  /** Those that were tried, best first. */
  readonly tried: readonly Variant[];
  /** p95 as it was recorded, to hold against the play. */
  readonly recordedP95Ms: number | null;
};

/** `signalbox route advise --json`. */
export type AdviseReport = {
  readonly seed: number;
  readonly requests: number;
  /** Fewest requests of a pool by which advice is given. */
  readonly least: number;
  readonly pools: readonly PoolAdvice[];
};

/** One side of a comparison. */
export type ComparedSide = {
  readonly what: string;
  readonly requests: number;
  readonly answered: number;
  readonly errors: number;
  readonly times: TimesReport;
  readonly firstToken: TimesReport;
  readonly shares: readonly { readonly provider: string; readonly share: number }[];
};

/** Whether two sides differ by more than chance. */
export type ComparedVerdict = {
  readonly test: string;
  readonly p: number | null;
  readonly verdict: 'differs' | 'no_difference_shown' | 'too_few';
};

/** `signalbox route compare --json`. */
export type CompareReport = {
  readonly before: ComparedSide;
  readonly after: ComparedSide;
  readonly latency: ComparedVerdict;
  readonly errors: ComparedVerdict;
};
