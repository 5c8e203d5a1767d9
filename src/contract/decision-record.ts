/** One candidate of a decision with its verdict. */
export type CandidateRecord = {
  readonly deployment: string;
  readonly provider: string;
  readonly model: string;
  readonly source: string;
  readonly group: string | null;
  readonly order: number;
  readonly weight: number | null;
  readonly verdict: 'chosen' | 'standby' | 'excluded';
  readonly position: number | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly numbers: { readonly [name: string]: number };
};

/** One attempt that was made. */
export type AttemptRecord = {
  readonly deployment: string;
  readonly provider: string;
  readonly source: string;
  readonly ms: number;
  readonly outcome: string;
  readonly detail: string | null;
};

/** A decision with what became of it: `why`, `route explain` and the admin socket show this. */
export type DecisionRecord = {
  readonly id: string | null;
  readonly time: string | null;
  readonly asked: string | null;
  readonly rule: { readonly kind: string; readonly text: string };
  readonly group: string | null;
  readonly strategy: string | null;
  readonly promptTokens: number;
  readonly candidates: readonly CandidateRecord[];
  /** Deployments in the order in which they would be tried. */
  readonly order: readonly string[];
  readonly attempts: readonly AttemptRecord[];
  readonly answeredBy: string | null;
  readonly degraded: string | null;
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly state: string | null;
  readonly notes: readonly string[];
  readonly timing: {
    readonly totalMs: number | null;
    readonly firstTokenMs: number | null;
    readonly ownMs: number | null;
  };
  readonly usage: { readonly promptTokens: number | null; readonly completionTokens: number | null } | null;
  readonly costUsd: number | null;
  /** Null where no cache is configured; the age is that of the answer that was given again. */
  readonly cache: {
    readonly outcome: 'hit' | 'miss' | 'bypass';
    readonly key: string | null;
    readonly ageSeconds: number | null;
  } | null;
};

/** The newest decisions, newest first. */
export type DecisionList = { readonly decisions: readonly DecisionRecord[] };

/** `signalbox route explain --json`: the decision that a request would get. */
export type ExplainReport = DecisionRecord & {
  /** Whether no gateway runs that knows how the providers are, so that all are taken to be ready. */
  readonly assumedReady: boolean;
};
