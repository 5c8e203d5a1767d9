/** `signalbox ask NAME TEXT --json`. */
export type AskReport = {
  readonly text: string;
  /** Id of the request, for `signalbox why`. */
  readonly id: string | null;
  /** Provider and model that answered. */
  readonly route: string | null;
  /** Why something else answered than what was asked for. */
  readonly degraded: string | null;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly tokensPerSecond: number | null;
  readonly costUsd: number | null;
  /** What went wrong, in the gateway’s words. */
  readonly error: string | null;
};
