/**
 * What was measured of every deployment's answers, by DeploymentIndex; `NaN` is not measured yet.
 * One owner changes it, through `src/routing/performance.ts`.
 */
export type PerformanceState = {
  /** Milliseconds of an answer for each of its tokens, as a moving average. */
  readonly msPerToken: Float64Array;
  /** Milliseconds to the first token of a stream, as a moving average. */
  readonly firstTokenMs: Float64Array;
  /** The 95th percentile of the latest first tokens. */
  readonly firstTokenP95: Float64Array;
  /** Part of the attempts that were answered, as a moving average. */
  readonly success: Float64Array;
  /** The latest first tokens of each deployment, in milliseconds, and how many there ever were. */
  readonly samples: Float64Array;
  readonly sampled: Uint32Array;
  /** Tokens by slots of a minute that slides, and the last slot that was counted in. */
  readonly used: Float64Array;
  readonly lastSlot: Float64Array;
};
