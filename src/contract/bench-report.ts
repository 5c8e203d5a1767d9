import type { ComparedVerdict } from './route-play.ts';

/** `signalbox bench NAME --json`, and what `--save` writes. */
export type BenchReport = {
  readonly name: string;
  readonly time: string;
  readonly asked: BenchLoad;
  readonly sides: readonly BenchSide[];
  /** Each side against the first one, and against the same side of an earlier report. */
  readonly comparisons: readonly BenchComparison[];
};

/** What every side was asked. */
export type BenchLoad = {
  /** Requests of each side that count; one more before them warms it up. */
  readonly requests: number;
  /** Requests of a side at the same time. */
  readonly concurrency: number;
  readonly promptTokens: number;
  readonly maxTokens: number;
  /** How the prompt begins; each has a number of its own, so that nothing is answered from a cache. */
  readonly prompt: string;
};

/** How one name or provider did. Times are in milliseconds; what is not known is null. */
export type BenchSide = {
  /** What a client would put into "model". */
  readonly asked: string;
  readonly answered: number;
  /** What went wrong, in the gateway's words, once each. */
  readonly errors: readonly string[];
  readonly failed: number;
  /** Who answered, how often. */
  readonly routes: { readonly [route: string]: number };
  /** The first request, which may have loaded the model. */
  readonly warmUpMs: number | null;
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP95Ms: number | null;
  readonly totalP50Ms: number | null;
  readonly totalP95Ms: number | null;
  /** Speed of one answer, in the middle of all. */
  readonly tokensPerSecond: number | null;
  /** Tokens of all answers together by the time that they took together. */
  readonly throughput: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly costUsd: number | null;
  /** Every answer that counts, for a later comparison. */
  readonly samples: readonly { readonly firstTokenMs: number | null; readonly totalMs: number }[];
};

/** Two measurements, and whether they differ by more than chance. */
export type BenchComparison = {
  readonly before: string;
  readonly after: string;
  readonly firstToken: ComparedVerdict;
  readonly total: ComparedVerdict;
};
