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

/** Every declared limit with what it has counted. */
export type LimitState = {
  readonly limits: readonly Limit[];
  /** Limits of every attempt at a deployment: its own, its provider's, its model's. */
  readonly ofDeployment: readonly (readonly LimitIndex[])[];
  /** Limits of the requests that ask for a group. */
  readonly ofGroup: readonly (readonly LimitIndex[])[];
  /** Limits of the requests that ask by a name that is no group: an alias, or one that only a rule reaches. */
  readonly ofName: ReadonlyMap<string, readonly LimitIndex[]>;
  readonly ofKey: ReadonlyMap<string, readonly LimitIndex[]>;
  /** By limit. A plan that replaces another goes on with its counts, so requests that end on the old one count in both. */
  readonly counts: readonly LimitCounts[];
};

/**
 * What one limit has counted. A minute slides in steps of a second: the counts of each second stand
 * in one slot, and leave when the whole second is more than a minute old. What is taken and has no
 * second yet stands beside the slots: a request that waits to be sent, the tokens of one that runs.
 */
export type LimitCounts = {
  readonly requests: WindowCounts;
  readonly tokens: WindowCounts;
  /** The last second in which anything was counted. */
  lastSecond: number;
  /** Requests under way. */
  running: number;
  /** Whether it was told that the limit is nearly full. */
  isNear: boolean;
};

/** Counts by slot with their sum, and what is held until it has its second. */
export type WindowCounts = { readonly slots: Float64Array; used: number; held: number };

/** What an attempt has taken of its limits; given back or made true when it is over. */
export type Reservation = {
  readonly limits: readonly LimitIndex[];
  readonly tokens: number;
  /** Whether its server was asked: then the request has its second. */
  readonly isSent: boolean;
};
