/** What the retry budget counts: requests, which earn retries, and retries in the same group, which spend them. */
export type RetryBudget = {
  readonly requests: Int32Array;
  readonly retries: Int32Array;
  /** The last second in which anything was counted; each second has one slot of both. */
  lastSecond: number;
};
