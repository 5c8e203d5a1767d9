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

/**
 * What routing was told of a request, without its words, so that the same decision can be made
 * again. What a plain request does not have is left out.
 */
export type FactsRecord = {
  readonly endpoint: 'chat' | 'completions' | 'embeddings';
  readonly stream?: true | undefined;
  readonly capability?: string | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** What the prompt has at least, where that is less than its estimate. */
  readonly leastPromptTokens?: number | undefined;
  readonly tools?: true | undefined;
  readonly vision?: true | undefined;
  readonly jsonSchema?: true | undefined;
  /** Prompts, where there are more than one. */
  readonly batchSize?: number | undefined;
  readonly codeFence?: true | undefined;
  readonly multiStep?: true | undefined;
  readonly priority?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly qualityTier?: string | undefined;
  readonly minTier?: string | undefined;
  /** Those that the conditions of the configuration ask for, and no others. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** Name of the key. */
  readonly key: string;
  /** Names that the key may ask for, where they are not all. */
  readonly allowedModels?: readonly string[] | undefined;
  readonly disableFallbacks?: true | undefined;
  readonly fallbacks?: readonly string[] | undefined;
  readonly retries?: number | undefined;
};

/** How complex a request was taken to be, where the configuration asks, with what the score is made of. */
export type ComplexityRecord = {
  readonly score: number;
  readonly level: 'low' | 'medium' | 'high';
  readonly terms: {
    readonly tokens: number;
    readonly concurrent: number;
    readonly code: number;
    readonly stream: number;
  };
};

/** One attempt that was made. */
export type AttemptRecord = {
  readonly deployment: string;
  readonly provider: string;
  readonly source: string;
  /** When it began, after the request came. */
  readonly startMs: number;
  readonly ms: number;
  readonly outcome: string;
  readonly detail: string | null;
};

/** One wait for a seat at a deployment. */
export type WaitRecord = {
  readonly deployment: string;
  readonly ms: number;
  /** Place in the queue at its beginning, from 1. */
  readonly position: number;
  /** What was foreseen then; null where nothing was learned yet. */
  readonly predictedMs: number | null;
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
  readonly complexity: ComplexityRecord | null;
  readonly facts: FactsRecord | null;
  /** What random draws followed from. */
  readonly seed: number | null;
  /** Hash of the plan that decided. */
  readonly plan: string | null;
  readonly candidates: readonly CandidateRecord[];
  /** Deployments in the order in which they would be tried. */
  readonly order: readonly string[];
  readonly attempts: readonly AttemptRecord[];
  readonly waits: readonly WaitRecord[];
  readonly answeredBy: string | null;
  readonly degraded: string | null;
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly state: string | null;
  readonly notes: readonly string[];
  readonly timing: {
    readonly totalMs: number | null;
    /** Until the request was read and understood, and looked for in the cache where there is one. */
    readonly receiveMs: number | null;
    /** Until it was decided: the decision and what had to be asked for it. */
    readonly decideMs: number | null;
    /** Between attempts and before the first: for a model that loads, a seat, or a pause before a retry. */
    readonly waitMs: number | null;
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
