import type { DeploymentIndex, Milliseconds } from './ids.ts';

/** One request that waits for a seat. */
export type Waiter = {
  readonly deployment: DeploymentIndex;
  /** Model name that would be sent: deployments that take any name have several. */
  readonly model: string;
  /** Work that nobody watches: it waits while something else does. */
  readonly isBatch: boolean;
  readonly since: Milliseconds;
};

/** The model that an exclusive group serves, or served last. */
export type Turn = {
  readonly deployment: DeploymentIndex;
  readonly model: string;
  readonly since: Milliseconds;
  /** Whether it had to come into memory and has not answered yet. */
  readonly isLoading: boolean;
  /** When people last asked for it, and the usual time between two such requests; absent before the second. */
  readonly askedAt: Milliseconds;
  readonly gapMs: number | undefined;
};

/**
 * One queue: the providers of an exclusive group, or one provider. Whoever waits in it waits for
 * seats that the others in it take.
 */
export type SeatQueue = {
  /** Whether only one model is served at a time. */
  readonly isExclusive: boolean;
  /** Attempts under way. */
  busy: number;
  turn: Turn | undefined;
  /** In the order of their arrival. */
  readonly waiting: Waiter[];
};

/** Seats of a plan as they are taken; `inFlight` of the routing state counts those of each deployment. */
export type SeatState = {
  /** By deployment: its queue. */
  readonly queueOf: readonly SeatQueue[];
  /** By deployment: position of its provider in the arrays below. */
  readonly providerOf: Int32Array;
  /** Attempts under way at each provider, and how many it takes; 0 is not bounded. */
  readonly busyAtProvider: Int32Array;
  readonly seatsOfProvider: Int32Array;
  /** By deployment: requests that it is taken to serve at once where neither it nor its engine tells how many. */
  readonly assumedSeats: Float64Array;
  readonly queues: readonly SeatQueue[];
  /** By deployment: requests that wait until probes see its model loaded; they ask for a seat then. */
  readonly awaitingLoad: Int32Array;
};
