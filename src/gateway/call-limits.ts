import type { FailureKind } from '../plan/failure.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Clock, Timer } from './clock.ts';

/** How long the phases of a call may take. */
export type CallTimeouts = {
  /** Absent where only the whole answer's limit binds. */
  readonly firstTokenMs: Milliseconds | undefined;
  readonly betweenChunksMs: Milliseconds;
  readonly totalMs: Milliseconds;
  /** What it is called when the first of these, or the last, is reached: the plan's limits and a request's own are told apart. */
  readonly firstTokenKind: FailureKind;
  readonly totalKind: FailureKind;
};

/** Whom a limit tells that it was reached. */
export type LimitedCall = { timedOut(kind: FailureKind): void };

/** The limits in time of one call. A class for its identity and lifetime. */
export class CallLimits {
  readonly #clock: Clock;
  readonly #timeouts: CallTimeouts;
  readonly #call: LimitedCall;
  readonly #firstToken: Timer | undefined;
  readonly #total: Timer;
  #between: Timer | undefined;

  constructor(clock: Clock, timeouts: CallTimeouts, call: LimitedCall) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#call = call;
    const { firstTokenMs, totalMs, firstTokenKind, totalKind } = timeouts;
    this.#firstToken =
      firstTokenMs === undefined ? undefined : clock.after(firstTokenMs, () => call.timedOut(firstTokenKind));
    this.#total = clock.after(totalMs, () => call.timedOut(totalKind));
  }

  /** The first words are there. */
  begun(): void {
    this.#firstToken?.stop();
  }

  /** More is to come: from here on, silence is measured anew after each part. */
  goesOn(): void {
    this.#between = this.#clock.after(this.#timeouts.betweenChunksMs, () =>
      this.#call.timedOut('upstream_timeout_between_chunks'),
    );
  }

  /** A part came, or reading goes on after a pause. */
  heard(): void {
    this.#between?.restart();
  }

  /** The silence that follows is ours. */
  paused(): void {
    this.#between?.stop();
  }

  stop(): void {
    this.#firstToken?.stop();
    this.#total.stop();
    this.#between?.stop();
  }
}
