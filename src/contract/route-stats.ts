/** Times of many requests, in milliseconds; null where there are none. */
export type TimesReport = {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
};

/** What one provider did. */
export type ProviderUse = {
  readonly provider: string;
  /** Requests that it answered. */
  readonly requests: number;
  /** Part of all answers, from 0 to 1. */
  readonly share: number;
  /** Attempts at it that failed. */
  readonly errors: number;
  /** Answers that it gave in place of another. */
  readonly fallbacks: number;
  readonly times: TimesReport;
  readonly firstTokenP50Ms: number | null;
  /** Of the answers whose cost is known; null where it is of none. */
  readonly costUsd: number | null;
  /** Answers whose cost is not known. */
  readonly unpriced: number;
};

/** How long one model takes. */
export type ModelUse = {
  readonly deployment: string;
  readonly requests: number;
  readonly times: TimesReport;
  /** Whether a tenth or more of its answers took longer than the threshold. */
  readonly slow: boolean;
};

/** How a pool's observed choices stand to the weights that were declared. */
export type PoolShares = {
  readonly group: string;
  readonly strategy: string;
  /** Those for which the weights decided. */
  readonly requests: number;
  /** Others, for which a rule, an outage or the only free seat left one member, or none. */
  readonly undecided: number;
  readonly members: readonly {
    readonly deployment: string;
    /** Part of the declared weights; null where none is declared. */
    readonly declared: number | null;
    /** Choices that the shares in force gave it, with what was set aside or recovering left out. */
    readonly expected: number;
    readonly chosen: number;
  }[];
  readonly chiSquare: FitReport;
};

/** A chi-square test. */
export type FitReport = {
  readonly statistic: number;
  readonly degrees: number;
  /** How often chance alone differs as much; null where there are too few requests to tell. */
  readonly p: number | null;
  readonly verdict: 'fits' | 'differs' | 'too_few';
};

/** What stands behind a name, and whether it could serve now. */
export type ChainReadiness = {
  readonly group: string;
  readonly hops: readonly {
    readonly deployment: string;
    readonly source: string;
    readonly ready: boolean;
    readonly why: string | null;
  }[];
};

/** `signalbox route stats --json`. */
export type StatsReport = {
  /** ISO times. */
  readonly since: string;
  readonly until: string;
  readonly requests: number;
  readonly answered: number;
  /** Answered from the cache; not among `answered`. */
  readonly cached: number;
  /** Failed, or broke off, for reasons that no client can mend. */
  readonly errors: number;
  /** Refused before anybody was asked. */
  readonly rejected: number;
  readonly clientClosed: number;
  readonly times: TimesReport;
  readonly providers: readonly ProviderUse[];
  /** Slowest first. */
  readonly models: readonly ModelUse[];
  readonly slowMs: number;
  readonly pools: readonly PoolShares[];
  /** Names with something behind them; empty where no gateway runs that knows how providers are. */
  readonly chains: readonly ChainReadiness[];
  /** How many requests were counted by their records, and how many by their lines in the log. */
  readonly from: { readonly records: number; readonly log: number };
};
