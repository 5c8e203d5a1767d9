import type { Milliseconds } from './ids.ts';

/**
 * Whether a model is in memory, as its server last told or an answer proved; the same for every
 * engine. Times are monotonic; `at` is when it was seen so.
 */
export type Residency =
  | { readonly kind: 'loaded'; readonly at: Milliseconds; readonly engine: EngineReading }
  | { readonly kind: 'loading'; readonly at: Milliseconds; readonly since: Milliseconds }
  | { readonly kind: 'unloaded'; readonly at: Milliseconds };

/** What an engine tells of a model that it has loaded; `undefined` is not told, which is not zero. */
export type EngineReading = {
  readonly seats: number | undefined;
  readonly busySeats: number | undefined;
  readonly waiting: number | undefined;
  readonly memoryBytes: number | undefined;
  /** Wall clock, as the server writes it; a year far away is for ever. */
  readonly expiresAt: string | undefined;
  /** Requests that it had, running and waiting, besides those that this gateway had sent. */
  readonly foreign: number;
};

/** What attempts have taught of a deployment's speed, as moving averages; `undefined` until one has. */
export type Speeds = {
  /** From the beginning of a load to the model being there. */
  readonly loadMs: number | undefined;
  /** One answer of a model that is in memory, from its beginning to its end. */
  readonly answerMs: number | undefined;
  readonly prefillMsPerToken: number | undefined;
  readonly decodeMsPerToken: number | undefined;
};

/** A deployment that was never seen at work. */
export const unseenSpeeds: Speeds = {
  loadMs: undefined,
  answerMs: undefined,
  prefillMsPerToken: undefined,
  decodeMsPerToken: undefined,
};

/** An engine that has told nothing yet. */
export const unseenEngine: EngineReading = {
  seats: undefined,
  busySeats: undefined,
  waiting: undefined,
  memoryBytes: undefined,
  expiresAt: undefined,
  foreign: 0,
};
