import type { IncomingMessage } from 'node:http';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';
import type { Clock, Timer } from './clock.ts';
import type { Exchange } from './exchange.ts';
import { Pieces } from './pieces.ts';
import { atTurnEnd } from './turn-end.ts';

/** A rejected body carries its failure, so that the pipeline needs no guessing. */
export class BodyError extends Error {
  readonly failure: Failure;
  constructor(failed: Failure) {
    super(failed.message);
    this.failure = failed;
  }
}

/** A body that falls silent for this long is given up. */
const silenceMs = milliseconds(30_000);

/** What is wrong with a body before its first byte: its declared length, its encoding. */
export function bodyProblem({ headers }: IncomingMessage, limit: number): BodyError | undefined {
  if (Number(headers['content-length'] ?? 0) > limit) return tooLarge(limit);
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return undefined;
  const message = `The content-encoding "${encoding.slice(0, 40)}" is not accepted, send the body as it is`;
  return new BodyError(failure('bad_request', message, { param: 'content-encoding' }));
}

/** The bodies of all requests under way, in bytes; each counts until its answer is over. */
export type HeldBodies = { held: number; readonly most: number };

/** How much of one body has come; it counts among the held ones until its answer is over. */
export type BodyReading = { size: number };

type BodySource = {
  readonly request: IncomingMessage;
  readonly limit: number;
  readonly bodies: HeldBodies;
  readonly clock: Clock;
  readonly exchange: Pick<Exchange, 'whenClosed'>;
};

/**
 * Reads a whole body; rejects with a {@link BodyError} past the limit, where all bodies together
 * are more than is held, after a long silence, or when the client leaves.
 */
export function readBody(
  reading: BodyReading,
  { request, limit, bodies, clock, exchange }: BodySource,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const pieces = new Pieces();
    let silence: Timer | undefined;
    let isOver = false;
    const leave = exchange.whenClosed(() => fail(new BodyError(failure('client_closed'))));
    const settle = (): void => {
      isOver = true;
      silence?.stop();
      leave();
    };
    const fail = (error: unknown): void => {
      settle();
      request.off('data', onData);
      request.off('end', onEnd);
      request.pause();
      reject(error);
    };
    const onData = (piece: Buffer): void => {
      reading.size += piece.length;
      bodies.held += piece.length;
      if (reading.size > limit) return fail(tooLarge(limit));
      // One body alone is never too much, or a raised limit would be none.
      if (bodies.held > bodies.most && bodies.held > reading.size) return fail(tooMuch(bodies.most));
      pieces.add(piece);
      silence?.restart();
    };
    const onEnd = (): void => {
      settle();
      resolve(pieces.join());
    };
    request.on('data', onData);
    request.on('end', onEnd);
    // Nearly every body comes with its head, and is over by then.
    atTurnEnd(() => {
      if (isOver) return;
      const stopped = (): void =>
        fail(new BodyError(failure('bad_request', 'The body stopped before it was complete')));
      silence = clock.after(silenceMs, stopped);
    }, fail);
  });
}

/** Whether bytes of the body may still come. */
export function isUnread({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}

/** How much of a refused body is taken, and how long a client may be silent over it. */
const mostDiscarded = 64 * 1024 * 1024;
const lingerMs = milliseconds(5000);

/**
 * Takes and forgets the rest of a body, within bounds. A connection that is closed while bytes are
 * coming is reset, and the client loses the answer that says what was wrong.
 */
export function discardBody(request: IncomingMessage, clock: Clock, done: () => void): void {
  let size = 0;
  const silence = clock.after(lingerMs, () => settle());
  const settle = (): void => {
    silence.stop();
    request.off('data', onData);
    request.off('close', settle);
    done();
  };
  const onData = (piece: Buffer): void => {
    size += piece.length;
    if (size > mostDiscarded) settle();
    else silence.restart();
  };
  request.on('data', onData);
  // Emitted at the body's end too.
  request.on('close', settle);
  request.resume();
}

function tooMuch(most: number): BodyError {
  const message = `The bodies of all requests under way are more than ${most} bytes, which is the gateway’s limit`;
  return new BodyError(failure('overloaded', message, { retryAfterMs: milliseconds(1000) }));
}

function tooLarge(limit: number): BodyError {
  return new BodyError(failure('body_too_large', `The body is larger than ${limit} bytes`));
}
