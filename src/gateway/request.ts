import type { AttemptOutcome, Decision, Degradation, PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import type { DeploymentIndex, Milliseconds, RequestId } from '../plan/ids.ts';
import type { Reservation } from '../plan/limit.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import type { Waiter } from '../plan/seats.ts';
import type { Usage } from '../plan/usage.ts';
import type { Exchange } from './exchange.ts';
import type { Principal } from './identify.ts';
import type { Caching } from './response-cache.ts';
import type { Snapshot } from './snapshot.ts';
import type { Understood } from './understand.ts';

/** The one way in which a request ended. */
export type Terminal =
  | 'completed'
  /** The answer began and was cut; the client was told in band. */
  | 'truncated'
  | 'upstream_error'
  | 'client_closed'
  | 'rejected';

/** What a request waits for before its answer begins. */
export type Waiting =
  | {
      readonly kind: 'loading';
      readonly deployment: DeploymentIndex;
      readonly model: string;
      readonly since: Milliseconds;
      /** How long it took before, where that was learned. */
      readonly aboutMs: number | undefined;
    }
  /** All seats are taken. */
  | { readonly kind: 'seat'; readonly waiter: Waiter };

/** One wait for a seat that is over, with what was foreseen when it began. */
export type SeatWait = {
  readonly attempt: PlannedAttempt;
  readonly since: Milliseconds;
  readonly endedAt: Milliseconds;
  /** Place in the queue, from 1. */
  readonly position: number;
  readonly waitMs: number | undefined;
};

/** A request on its way through the pipeline: what is known of it grows from step to step. */
export type GatewayRequest = {
  readonly id: RequestId;
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  readonly snapshot: Snapshot;
  readonly startedAt: Milliseconds;
  /** Wall clock in milliseconds. */
  readonly receivedAt: number;
  readonly deadline: Milliseconds;
  readonly principal: Principal;
  /** What its body and its headers say, once they are read. */
  understood: Understood | undefined;
  /** What its decision draws by, kept so that the decision can be made again. */
  readonly seed: number;
  understoodAt: Milliseconds | undefined;
  decision: Decision | undefined;
  decidedAt: Milliseconds | undefined;
  readonly outcomes: AttemptOutcome[];
  /** Waits for seats, in their order. */
  readonly waits: SeatWait[];
  /** What the attempt under way has taken of the limits that count it. */
  reservation: Reservation | undefined;
  /** The attempt that answers, once one does. */
  answeredBy: PlannedAttempt | undefined;
  degradation: Degradation | undefined;
  /** What the request waits for at the moment, told in heartbeats. */
  waiting: Waiting | undefined;
  /** Edits made to the client's bytes for the attempt that answers. */
  edits: readonly string[];
  firstTokenAt: Milliseconds | undefined;
  usage: Usage | undefined;
  failure: Failure | undefined;
  terminal: Terminal | undefined;
  /** Absent where no cache is configured. */
  caching: Caching | undefined;
};

/** A request that was read. */
export type UnderstoodRequest = GatewayRequest & { readonly understood: Understood };

/** A request for which it is decided who may serve it. */
export type DecidedRequest = UnderstoodRequest & { readonly decision: Decision };

/** A request that has ended, for good. */
export type SettledRequest = GatewayRequest & {
  readonly terminal: Terminal;
  readonly endedAt: Milliseconds;
  /** The same by the wall clock, in milliseconds since 1970. */
  readonly endedWallMs: number;
};

/** How long a request has waited for its upstreams and for seats at them: time that is not the gateway's own. */
export function waitedMs({ outcomes, waits }: Pick<GatewayRequest, 'outcomes' | 'waits'>): number {
  const attempts = outcomes.reduce((sum, one) => sum + (one.endedAt - one.startedAt), 0);
  return waits.reduce((sum, one) => sum + (one.endedAt - one.since), attempts);
}

/** Name that answers repeat: what was asked, or the group or model that stood in for no name. */
export function askedModel(request: GatewayRequest, attempt: PlannedAttempt): string {
  const asked = request.understood?.facts.asked;
  if (asked !== undefined) return asked;
  const group = request.decision?.group;
  return (group === undefined ? undefined : request.snapshot.plan.groups[group]?.name) ?? attempt.model;
}
