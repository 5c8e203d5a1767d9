/** `signalbox strategy show --json`. */
export type StrategyList = {
  /** What orders the deployments of names that declare nothing. */
  readonly usual: DeclaredStrategy;
  readonly names: readonly NameStrategy[];
  /** Everything that `strategy set` takes. */
  readonly offered: readonly OfferedStrategy[];
};

/** A strategy, and where it is declared; null where nothing declares it. */
export type DeclaredStrategy = {
  readonly strategy: string;
  /** As the file spells it. */
  readonly spelling: string | null;
  readonly file: string | null;
  readonly line: number | null;
  /** What it does, in one sentence. */
  readonly does: string;
};

export type NameStrategy = DeclaredStrategy & {
  readonly name: string;
  /** Whether the name has a strategy of its own, that of its section, or the usual one. */
  readonly from: 'declared' | 'section' | 'usual';
  readonly members: readonly { readonly deployment: string; readonly weight: number | null; readonly order: number }[];
};

export type OfferedStrategy = {
  readonly strategy: string;
  readonly spellings: readonly string[];
  readonly does: string;
};

/** `signalbox strategy set --json`. */
export type StrategyChange = {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly file: string;
  readonly changed: boolean;
  /** Lines that left and came, with `-` and `+` before them. */
  readonly diff: readonly string[];
};
