/** One deployment with its state. */
export type DeploymentStatus = {
  readonly id: string;
  readonly model: string;
  /** In the words of the glossary: ready, degraded, loading, missing, cooling, half_open, down, draining, disabled. */
  readonly state: string;
  readonly why: string | null;
  readonly since: string | null;
  /** When a cooldown ends; ISO time. */
  readonly until: string | null;
  /** Requests that it works on; null where no gateway runs. */
  readonly inFlight: number | null;
  /** Tokens that its server grants, as last seen, else as declared. */
  readonly context: number | null;
  readonly declaredContext: number | null;
  /** Whether the model is in memory; null where the server does not tell. */
  readonly loaded: boolean | null;
  /** What its server tells of the model; null where it does not tell, or was not asked yet. */
  readonly residency: ResidencyStatus | null;
  /** Null where no gateway runs. */
  readonly speeds: SpeedsStatus | null;
  /** Null where no gateway runs. */
  readonly queue: QueueStatus | null;
};

/** Seats of a deployment, and who waits for one in this gateway. */
export type QueueStatus = {
  /** Requests that it serves at the same time; null is not bounded. */
  readonly seats: number | null;
  readonly waiting: number;
  /** How long the first of them waits already. */
  readonly longestWaitMs: number | null;
  /** How long its model has been loading for a request of this gateway, and how long that took before. */
  readonly loadingMs: number | null;
  readonly loadingAboutMs: number | null;
};

/** One model in a server's memory, or out of it; each number is null where the server does not tell. */
export type ResidencyStatus = {
  readonly state: 'loaded' | 'loading' | 'unloaded';
  /** ISO time of the probe or answer that showed it so. */
  readonly seenAt: string;
  readonly loadingSince: string | null;
  readonly seats: number | null;
  readonly busySeats: number | null;
  readonly waiting: number | null;
  readonly memoryBytes: number | null;
  /** When the server lets go of it, as the server writes it. */
  readonly expiresAt: string | null;
};

/** What answers have taught of a deployment's speed; null until one has. */
export type SpeedsStatus = {
  readonly loadMs: number | null;
  readonly prefillTokensPerSecond: number | null;
  readonly decodeTokensPerSecond: number | null;
};

/** One provider with what is known of it. */
export type ProviderStatus = {
  readonly name: string;
  readonly type: string;
  readonly status: 'active' | 'disabled';
  /** What its probe says where it is not up, else the best state of its deployments; `unknown` before the first probe. */
  readonly state: string;
  readonly why: string | null;
  /** ISO time since when it is in that state; null where it was never seen otherwise. */
  readonly since: string | null;
  /** Models that are declared. */
  readonly models: number;
  readonly address: string;
  readonly version: string | null;
  /** ISO time of the last probe. */
  readonly checkedAt: string | null;
  readonly latencyMs: number | null;
  /** Models that the server itself lists; null where it does not tell. */
  readonly listed: readonly string[] | null;
  readonly deployments: readonly DeploymentStatus[];
};

/** What is kept on disk and cannot be written there. */
export type UnwrittenStatus = {
  /** "the log", "decisions and spending". */
  readonly what: string;
  readonly folder: string;
  /** ISO time since when it was seen so. */
  readonly since: string;
  readonly why: string;
};

/** `signalbox status --json`. */
export type StatusReport = {
  readonly running: boolean;
  readonly version: string;
  readonly pid: number | null;
  readonly address: string | null;
  readonly since: string | null;
  /** Hashes of the configuration on disk, last applied and running. */
  readonly config: {
    readonly path: string | null;
    /** Null where the sources cannot be read or do not compile. */
    readonly disk: string | null;
    readonly applied: string | null;
    readonly running: string | null;
  };
  readonly generation: number | null;
  readonly providers: readonly ProviderStatus[];
  /** Null where no gateway runs and there is no configuration that compiles: what would be served is not known. */
  readonly names: number | null;
  /** `needed` is null where `names` is. */
  readonly key: { readonly needed: boolean | null; readonly fingerprint: string | null };
  readonly activeRequests: number;
  /** What cannot be written to disk; requests are served all the same. */
  readonly unwritten: readonly UnwrittenStatus[];
  readonly warnings: readonly DiagnosticReport[];
};

/** One diagnostic as `--json` shows it. */
export type DiagnosticReport = {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  readonly found: unknown;
  readonly wanted: string | null;
  readonly nearest: string | null;
  readonly fix: string | null;
  readonly docs: string;
};

/** `signalbox provider list --json`. */
export type ProviderList = {
  /** Whether a gateway runs, so that states are known. */
  readonly running: boolean;
  readonly providers: readonly ProviderStatus[];
};

/** `signalbox validate --json`. */
export type ValidateReport = {
  readonly diagnostics: readonly DiagnosticReport[];
  readonly resolved: readonly ResolutionReport[];
};

/** What a reference came to by a rule, where it does not name the thing itself. */
export type ResolutionReport = {
  readonly reference: string;
  /** Names that it stands behind; none where it belongs to a rule for many. */
  readonly names: readonly string[];
  /** Providers, deployments as `provider/model`, or a name. */
  readonly means: readonly string[];
  /** The rule. */
  readonly why: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
};
