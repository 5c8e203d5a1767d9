import type { Level } from './condition.ts';
import type { Failure } from './failure.ts';
import type { DeploymentIndex, GroupIndex, Milliseconds, ProviderId, Tokens } from './ids.ts';

/** Which rule of name resolution answered (docs/explanation/routing.md). */
export type Rule =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'alias'; readonly name: string }
  | { readonly kind: 'deployment'; readonly name: string }
  | { readonly kind: 'capability'; readonly name: string; readonly from: 'header' | 'metadata' }
  | { readonly kind: 'default_model' }
  | { readonly kind: 'wildcard'; readonly pattern: string }
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'size'; readonly rule: string; readonly billions: number }
  | { readonly kind: 'default_provider'; readonly provider: string }
  | { readonly kind: 'default_chain' }
  | { readonly kind: 'none' };

/** Why a candidate stands where it does. */
export type Verdict =
  | { readonly kind: 'chosen'; readonly position: number }
  | { readonly kind: 'standby'; readonly position: number }
  | { readonly kind: 'excluded'; readonly reason: Exclusion; readonly detail: string };

/** The closed list of reasons that keep a candidate out. */
export type Exclusion =
  | 'disabled'
  | 'draining'
  | 'down'
  | 'cooling'
  | 'half_open_busy'
  | 'loading'
  | 'context'
  | 'capability'
  | 'kind'
  | 'tags'
  | 'limit'
  | 'budget'
  | 'condition'
  | 'min_tier'
  | 'visited';

/** Why an attempt is in the list: the part of the configuration that put it there. */
export type Source =
  | 'group'
  | 'fallback'
  | 'chain'
  | 'capability_peer'
  | 'default_fallback'
  | 'context_fallback'
  | 'content_fallback'
  | 'request_fallback'
  | 'desperate';

/** One deployment that was looked at, chosen or not. */
export type Candidate = {
  readonly deployment: DeploymentIndex;
  /** Model name that would be sent. */
  readonly model: string;
  readonly source: Source;
  readonly group: GroupIndex | undefined;
  readonly order: number;
  readonly weight: number | undefined;
  readonly verdict: Verdict;
  /** What the strategy compared, by name, for example `{ share: 0.7 }`; with 1, what puts it behind others before that: `{ loading: 1 }`. */
  readonly numbers: { readonly [name: string]: number };
};

/** One step that the gateway may take, in order. */
export type PlannedAttempt = {
  readonly deployment: DeploymentIndex;
  readonly model: string;
  readonly source: Source;
  readonly group: GroupIndex | undefined;
  /** How often this deployment is asked again before what follows, where a chain says so. */
  readonly repeats: Repeats | undefined;
};

/** `retry_attempts` and `retry_delay_ms` of a chain. */
export type Repeats = { readonly times: number; readonly waitMs: Milliseconds; readonly doubling: boolean };

/** Why an answer is not what was asked for, shown in `x-signalbox-degraded`. */
export type Degradation = {
  readonly reason: 'tier' | 'disabled' | 'draining' | 'default_chain' | 'unsatisfied';
  readonly from: string;
  readonly to: string;
};

/** A request's complexity with the terms it is made of. */
export type Complexity = {
  readonly score: number;
  readonly level: Level;
  readonly terms: {
    readonly tokens: number;
    readonly concurrent: number;
    readonly code: number;
    readonly stream: number;
  };
};

/** Result of `decide`: what to try in which order, or why nothing can be tried; always with its reasons. */
export type Decision = {
  readonly asked: string | undefined;
  readonly rule: Rule;
  readonly group: GroupIndex | undefined;
  readonly attempts: readonly PlannedAttempt[];
  /** Set when there is nothing to attempt. */
  readonly refusal: Failure | undefined;
  readonly candidates: readonly Candidate[];
  /** Sentences about what was ignored or resolved on the way (an unused header, a relaxed filter). */
  readonly notes: readonly string[];
  readonly promptTokens: Tokens;
  /** Where anything in the plan depends on it. */
  readonly complexity: Complexity | undefined;
  /** The turn that a round-robin makes if the decision is used; see `applyRotation`. */
  readonly rotation: Rotation | undefined;
  /** A provider whose live list must be known before the decision can be made. */
  readonly needsListing: ProviderId | undefined;
  /** Providers that should be asked first what they have in memory, where loaded models go first. */
  readonly needsResidency: readonly ProviderId[];
};

/** One turn of a group's rotors: the eligible step forward by their weights, the chosen steps back by the sum. */
export type Rotation = {
  readonly group: GroupIndex;
  /** Places in the group's member list. */
  readonly chosen: number;
  readonly eligible: Float64Array;
  readonly steps: Float64Array;
};

/** What became of one attempt, in the order of trying. */
export type AttemptOutcome = {
  readonly attempt: PlannedAttempt;
  readonly failure: Failure | undefined;
  readonly startedAt: Milliseconds;
  readonly endedAt: Milliseconds;
};

/** What the gateway does next after a failed attempt. */
export type Next =
  | {
      readonly kind: 'attempt';
      readonly attempt: PlannedAttempt;
      readonly delayMs: Milliseconds;
      readonly retry: boolean;
    }
  | { readonly kind: 'stop'; readonly failure: Failure };
