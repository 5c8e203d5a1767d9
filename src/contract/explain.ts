import type { AssumedState } from '../plan/routing-state.ts';

/** What `route explain` and a policy test ask: a request that is never sent, and what to take for granted. */
export type ExplainQuestion = {
  /** Name that is asked for; absent, `auto` and `default` leave the choice to the gateway. */
  readonly model?: string | undefined;
  readonly endpoint?: 'chat' | 'completions' | 'embeddings' | undefined;
  readonly stream?: boolean | undefined;
  /** Length of the prompt in tokens; a short one when absent. */
  readonly tokens?: number | undefined;
  /** What the prompt has at least; absent: as many as its estimate. */
  readonly leastTokens?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly tools?: boolean | undefined;
  readonly vision?: boolean | undefined;
  readonly jsonSchema?: boolean | undefined;
  /** Prompts of one request. */
  readonly batchSize?: number | undefined;
  /** Whether the prompt has code in it, and whether it asks for work in steps. */
  readonly code?: boolean | undefined;
  readonly steps?: boolean | undefined;
  readonly tags?: readonly string[] | undefined;
  /** What its metadata asks for; a header that says the same goes before. */
  readonly capability?: string | undefined;
  readonly priority?: string | undefined;
  readonly qualityTier?: string | undefined;
  readonly minTier?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Name of the key that it comes with. */
  readonly key?: string | undefined;
  /** The request's own switches. */
  readonly fallbacks?: readonly string[] | undefined;
  readonly disableFallbacks?: boolean | undefined;
  /** What to suppose besides, for what-if. */
  readonly assume?: Assumptions | undefined;
  /** When it is asked: so long after what is assumed began. */
  readonly afterMs?: number | undefined;
};

/** What is supposed of the system. */
export type Assumptions = {
  /** By a provider, a type or group of them, or a deployment as `provider/model`. */
  readonly states?: Readonly<Record<string, AssumedState | TimedState>> | undefined;
  /** Limits that are full, by what they stand under in the files. */
  readonly full?: readonly string[] | undefined;
  /** Requests under way, by deployment. */
  readonly busy?: Readonly<Record<string, number>> | undefined;
  /** Names that providers list, by provider. */
  readonly listed?: Readonly<Record<string, readonly string[]>> | undefined;
};

/** A state that ends by itself: a cooldown, or the loading of a model. */
export type TimedState = { readonly state: AssumedState; readonly forMs: number };
