import type { GroupIndex, Milliseconds, ProviderId } from './ids.ts';

/** A declared budget: what may be spent in a window of time at a provider, or on requests for a name. */
export type SpendingCap = {
  /** The same after a restart: `provider cloud`, `name m`. */
  readonly id: string;
  /** In a sentence: `provider "cloud"`. */
  readonly label: string;
  readonly maxUsd: number;
  readonly windowMs: Milliseconds;
};

/** What was spent of every budget. One owner changes it, through `src/routing/spending.ts`. */
export type SpendingState = {
  readonly caps: readonly SpendingCap[];
  /** Places in `caps`. */
  readonly ofProvider: ReadonlyMap<ProviderId, number>;
  readonly ofGroup: ReadonlyMap<GroupIndex, number>;
  /** Dollars within the running window, by cap. */
  readonly usd: Float64Array;
  /** When the running window began, with its first spending; `NaN` before that. Monotonic. */
  readonly since: Float64Array;
};
