import type { FailureKind } from '../plan/failure.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import type { Arrival } from './arrival.ts';

/** What an attempt comes to once it has its seat. */
export type Work = {
  readonly ms: number;
  readonly firstTokenMs: number | undefined;
  readonly failure: FailureKind | undefined;
  /** Whether nothing is known of the deployment, so that others' times stand for its own. */
  readonly isGuess: boolean;
};

/** What stands in for servers. The same question always has the same answer. */
export type World = {
  /** The `nth` attempt of a request at a deployment, which records name. */
  serve(arrival: Arrival, deployment: string, nth: number): Work;
  /** How deployments were when a request came, by their names in records; those left out go on as they are. */
  healthAt(arrival: Arrival): ReadonlyMap<string, DeploymentHealth>;
};
