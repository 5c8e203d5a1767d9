import type { RateLimit } from './provider.ts';

/** What a limit stands under: under a key or a name it refuses, at a deployment or provider it is passed over. */
export type LimitKind = 'key' | 'name' | 'deployment' | 'provider';

/** One declared limit. */
export type Limit = {
  readonly kind: LimitKind;
  /** What is limited, as people know it: `model "llama3"`, `key "laptop"`, `ollama/llama3`. */
  readonly label: string;
  readonly rate: RateLimit;
};

/** Position of a limit in `LimitState.limits`. */
export type LimitIndex = number;

/**
 * Every declared limit with what it has counted. A minute slides in steps of a second: the counts of
 * each second stand in one slot, and leave when the whole second is more than a minute old.
 */
export type LimitState = {
  readonly limits: readonly Limit[];
  /** Limits of every attempt at a deployment: its own, its provider's, its model's. */
  readonly ofDeployment: readonly (readonly LimitIndex[])[];
  /** Limits of the requests that ask for a group. */
  readonly ofGroup: readonly (readonly LimitIndex[])[];
  /** Limits of the requests that ask by a name that is no group: an alias, or one that only a rule reaches. */
  readonly ofName: ReadonlyMap<string, readonly LimitIndex[]>;
  readonly ofKey: ReadonlyMap<string, readonly LimitIndex[]>;
  /** Requests and tokens by slot: limit after limit. */
  readonly requests: Float64Array;
  readonly tokens: Float64Array;
  /** What stands in a limit's slots together. */
  readonly requestsUsed: Float64Array;
  readonly tokensUsed: Float64Array;
  /** The last second that each limit has counted in. */
  readonly lastSecond: Float64Array;
  /** Requests under way, by limit. */
  readonly running: Int32Array;
  /** 1 where it was told that a limit is nearly full. */
  readonly isNear: Uint8Array;
};

/** What an attempt has taken of its limits; given back or made true when it is over. */
export type Reservation = {
  readonly limits: readonly LimitIndex[];
  readonly second: number;
  readonly tokens: number;
};
