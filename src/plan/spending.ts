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
  /** By cap. A plan that replaces another goes on with its counts, so answers that end on the old one count in both. */
  readonly spent: readonly Spent[];
};

/** What was spent of one budget. */
export type Spent = {
  /** Dollars within the running window. */
  usd: number;
  /** When the running window began, with its first spending; `undefined` before that. Monotonic. */
  since: Milliseconds | undefined;
};
