/** One name that clients can ask for, in `signalbox model list --json`. */
export type NameReport = {
  readonly name: string;
  readonly kind: string;
  readonly strategy: string;
  /** The name that it is another word for. */
  readonly alias: string | null;
  /** The best state among its members; `unknown` where no gateway runs. */
  readonly state: string;
  readonly description: string | null;
  readonly members: readonly {
    readonly provider: string;
    readonly model: string;
    /** Id under which its server really serves it, where that is another; null where it is the same or not known. */
    readonly served: string | null;
    readonly state: string;
    /** Whether the model is in memory; null where its server does not tell, or no gateway runs. */
    readonly loaded: boolean | null;
    readonly weight: number | null;
    readonly order: number;
  }[];
};

/** `signalbox model list --json`. */
export type NameList = {
  /** Whether a gateway runs, so that states are known. */
  readonly running: boolean;
  readonly names: readonly NameReport[];
};
