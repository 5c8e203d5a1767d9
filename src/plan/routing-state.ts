import type { FailureKind } from './failure.ts';
import type { DeploymentIndex, Milliseconds, ProviderId, Tokens } from './ids.ts';
import type { LimitState } from './limit.ts';
import type { PerformanceState } from './performance.ts';
import type { Plan } from './plan.ts';
import type { Residency, Speeds } from './residency.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { SeatState } from './seats.ts';
import type { SpendingState } from './spending.ts';

/** Why a deployment is set aside; `refused`: no connection came about. */
export type CoolingReason = 'failures' | 'rate_limited' | 'refused' | 'configuration';

/**
 * Set aside for a time. What a probe sees meanwhile does not end it, unless a connection that
 * failed began it: it is `held` until the server is up again.
 */
export type Cooling = {
  readonly kind: 'cooling';
  readonly since: Milliseconds;
  readonly until: Milliseconds;
  readonly why: CoolingReason;
  /** How often in a row; doubles the next cooldown. */
  readonly round: number;
};

/** State of one deployment; `routing/health.ts` holds every transition. Times are monotonic. */
export type DeploymentHealth =
  | { readonly kind: 'ready' }
  | { readonly kind: 'degraded'; readonly since: Milliseconds; readonly why: string }
  | {
      readonly kind: 'loading';
      readonly since: Milliseconds;
      /** By the load time that was learned. */
      readonly readyAt: Milliseconds | undefined;
      readonly held?: Cooling;
    }
  | { readonly kind: 'missing'; readonly since: Milliseconds }
  | Cooling
  | { readonly kind: 'half_open'; readonly since: Milliseconds; readonly round: number }
  | { readonly kind: 'down'; readonly since: Milliseconds; readonly why: string; readonly held?: Cooling }
  | { readonly kind: 'draining'; readonly since: Milliseconds }
  | { readonly kind: 'disabled'; readonly since: Milliseconds };

/** A state as a person supposes it, for a question about what would be. */
export type AssumedState = Exclude<DeploymentHealth['kind'], 'half_open'> | 'rate_limited';

/** One failure that is remembered. */
export type RecentFailure = { readonly at: Milliseconds; readonly kind: FailureKind };

/** What is observed of one deployment besides its health. */
export type Observation = {
  /** Recent failures that count, oldest first, within the cooldown window. */
  readonly failures: readonly RecentFailure[];
  /** Context that the server really grants, from its probe. */
  readonly effectiveContext: Tokens | undefined;
  /** Whether the model is in memory; `undefined` where its server does not tell. */
  readonly residency: Residency | undefined;
  readonly speeds: Speeds;
};

/** The next plan with its state; `deploymentOf` has a deployment's place in it, where it has one. */
export type Successor = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly deploymentOf: readonly (DeploymentIndex | undefined)[];
};

/**
 * Everything routing knows of the running system. One owner (the snapshot in force) changes it,
 * through the pure transitions of `src/routing/`; `decide` only reads. Arrays are indexed by
 * DeploymentIndex or GroupIndex.
 */
export type RoutingState = {
  readonly health: DeploymentHealth[];
  readonly observations: Observation[];
  /** Attempts under way, per deployment. */
  readonly inFlight: Int32Array;
  /** Requests under way, per group. */
  readonly groupInFlight: Int32Array;
  /** Current weights of smooth weighted round-robin: per group, one number a member. */
  readonly rotors: Float64Array[];
  /** Live model lists of providers, where a probe has one. */
  readonly listed: Map<ProviderId, ReadonlySet<string>>;
  readonly limits: LimitState;
  readonly seats: SeatState;
  /** What came into force after it. Requests that finish here hold their seats there too. */
  successor: Successor | undefined;
  readonly performance: PerformanceState;
  readonly spending: SpendingState;
  /** One for all plans that follow one another: what is still under way in an older one counts too. */
  readonly retryBudget: RetryBudget;
};
