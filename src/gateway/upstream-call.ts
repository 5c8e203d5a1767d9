import type { Failure, FailureKind } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';
import type {
  Dialect,
  ReadContext,
  StreamPart,
  StreamReader,
  UpstreamRequest,
  WholeAnswer,
} from '../providers/provider.ts';
import { formOfAnswer } from '../wire/answer-form.ts';
import type { ResponseHead } from '../wire/http-response.ts';
import { largestAnswer, largestError, largestOpening, largestPreamble } from '../wire/limits.ts';
import { type Concealed, conceal } from '../wire/redact.ts';
import { CallLimits, type CallTimeouts, type LimitedCall } from './call-limits.ts';
import type { Clock, Timer } from './clock.ts';
import type { AnswerHandler, ConnectionProblem, OutgoingRequest, Transfer } from './connection.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { Pieces } from './pieces.ts';
import { failureOfProblem } from './upstream-failure.ts';
import { readWholeAnswer, unreadable } from './whole-answer.ts';

/** What an upstream said first: all that can be known before anything is sent to the client. */
export type First =
  | { readonly kind: 'whole'; readonly answer: Extract<WholeAnswer, { kind: 'answer' }> }
  /** Parts up to the first meaningful one; more come through `follow`. */
  | { readonly kind: 'parts'; readonly parts: readonly StreamPart[] }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** One request to an upstream, under way. */
export type UpstreamCall = {
  /** Settles once and never rejects. */
  readonly first: Promise<First>;
  /** Takes the parts after the first ones; a stream that ends ends with a `done` or `failed` part. */
  follow(take: (parts: readonly StreamPart[]) => void): void;
  /** Stops reading from the upstream while the client is slow. */
  pause(): void;
  resume(): void;
  /** Cuts the connection: the client is gone, or nobody needs the answer. */
  cancel(): void;
};

export type CallInput = {
  readonly connections: ConnectionPool;
  readonly dialect: Dialect;
  readonly request: UpstreamRequest;
  readonly headers: readonly string[];
  /** What no failure of the call may tell. */
  readonly concealed: Concealed;
  readonly context: ReadContext;
  readonly timeouts: CallTimeouts;
  readonly clock: Clock;
  /** Told of a fault of ours that ended the call. */
  readonly onFault: (error: unknown) => void;
};

/** How long a server may keep its answer open after it has said that it is over. */
const graceMs = milliseconds(1000);

/** Sends a request to an upstream and reads its answer by the dialect. */
export function callUpstream(input: CallInput): UpstreamCall {
  const call = new Call(input);
  call.send();
  return call;
}

type Phase = 'first' | 'following' | 'over';

/** A class for its identity and lifetime: one answer being read, from sending to its end. */
class Call implements UpstreamCall, AnswerHandler, LimitedCall {
  readonly first: Promise<First>;
  readonly #input: CallInput;
  readonly #limits: CallLimits;
  #grace: Timer | undefined;
  #settle: (first: First) => void = () => {};
  #phase: Phase = 'first';
  #transfer: Transfer | undefined;
  #head: ResponseHead = unheard;
  #reader: StreamReader | undefined;
  #pieces = new Pieces();
  #size = 0;
  /** Whether the bytes so far do not tell yet whether they begin a stream. */
  #isUnknown = false;
  #held: StreamPart[] = [];
  /** Bytes that came with what is held. */
  #openingSize = 0;
  /** Bytes before the first meaningful event, comments and blanks too. */
  #received = 0;
  #take: ((parts: readonly StreamPart[]) => void) | undefined;

  constructor(input: CallInput) {
    this.#input = input;
    this.first = new Promise((resolve) => {
      this.#settle = (first) =>
        resolve(first.kind === 'failed' ? { kind: 'failed', failure: conceal(first.failure, input.concealed) } : first);
    });
    this.#limits = new CallLimits(input.clock, input.timeouts, this);
  }

  send(): void {
    const { connections, request, headers } = this.#input;
    const { method, path, body } = request;
    const outgoing: OutgoingRequest = { method, path, headers: [...request.headers, ...headers], body };
    try {
      this.#transfer = connections.send(outgoing, this);
    } catch (error) {
      // A header or a path that would break the request apart.
      const why = error instanceof Error ? error.message : String(error);
      this.#fail(failure('upstream_unreachable', `The request to the provider cannot be sent: ${why}`));
    }
  }

  follow(take: (parts: readonly StreamPart[]) => void): void {
    this.#take = take;
    const held = this.#held;
    this.#held = [];
    if (held.length > 0) take(held);
  }

  pause(): void {
    if (this.#phase === 'over') return;
    this.#transfer?.pause();
    this.#limits.paused();
  }

  resume(): void {
    if (this.#phase === 'over') return;
    this.#limits.heard();
    this.#transfer?.resume();
  }

  cancel(): void {
    if (this.#phase === 'over') return;
    this.#over();
    this.#settle({ kind: 'failed', failure: failure('client_closed') });
    this.#transfer?.abort();
  }

  timedOut(kind: FailureKind): void {
    if (this.#phase !== 'over') this.#giveUp(failure(kind));
  }

  onHead(head: ResponseHead): void {
    this.#head = head;
    const problem = unreadable(head);
    if (problem !== undefined) return this.#giveUp(problem);
    this.#isUnknown = head.status < 300 && this.#input.request.streams;
  }

  onData(view: Buffer): void {
    if (this.#phase === 'over') return;
    // What was read is gone once this returns, and parts may be views of it.
    const bytes = Buffer.from(view);
    if (this.#phase === 'first' && this.#input.request.streams) {
      this.#received += bytes.length;
      if (this.#received > largestPreamble) return this.#giveUp(failure('upstream_too_large', endlessOpening));
    }
    if (this.#reader !== undefined) return this.#read((reader) => reader.read(bytes), bytes.length);
    this.#collect(bytes);
    if (this.#isUnknown) this.#recognise();
  }

  onEnd(): void {
    this.#grace?.stop();
    if (this.#phase === 'over') return;
    if (this.#reader !== undefined) return this.#read((reader) => reader.end(), 0);
    if (this.#isUnknown) return this.#fail(failure('upstream_truncated', emptyStream));
    this.#settle(this.#wholeAnswer());
    this.#over();
  }

  onProblem(problem: ConnectionProblem): void {
    this.#grace?.stop();
    if (this.#phase === 'over') return;
    if (problem.kind === 'fault') {
      this.#input.onFault(problem.error);
      return this.#fail(failure('internal'));
    }
    if (this.#phase === 'first' && this.#head === unheard) return this.#fail(failureOfProblem(problem));
    // What finished before the connection broke is whole.
    if (this.#reader !== undefined) return this.#read((reader) => reader.end(), 0);
    this.#fail(failure('upstream_truncated'));
  }

  #collect(bytes: Buffer): void {
    this.#size += bytes.length;
    this.#pieces.add(bytes);
    if (this.#head.status < 300) {
      if (this.#size > largestAnswer) this.#giveUp(failure('upstream_too_large'));
    } else if (this.#size > largestError) {
      // The status says enough.
      this.#settle(this.#wholeAnswer());
      this.#over();
      this.#transfer?.abort();
    }
  }

  /** Finds out by its first bytes whether the answer is the stream that was asked for. */
  #recognise(): void {
    const { dialect, request, context } = this.#input;
    const reading = request.reading ?? dialect;
    const bytes = this.#pieces.join();
    const form = formOfAnswer(bytes, this.#head.headers.get('content-type') ?? '', reading.streamContentType);
    // Blanks alone may come for long; they are not kept.
    if (form === 'unknown' && bytes.length > 64) this.#pieces = new Pieces();
    this.#isUnknown = form === 'unknown';
    if (form !== 'stream') return;
    this.#reader = reading.createStreamReader(context);
    this.#pieces = new Pieces();
    this.#read((reader) => reader.read(bytes), bytes.length);
  }

  #read(read: (reader: StreamReader) => StreamPart[], size: number): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    let parts: StreamPart[];
    try {
      parts = read(reader);
    } catch {
      parts = [{ kind: 'failed', failure: failure('upstream_malformed') }];
    }
    if (parts.length > 0) this.#deliver(parts, size);
  }

  #deliver(parts: StreamPart[], size: number): void {
    const last = parts.at(-1);
    const ended = last?.kind === 'done' || last?.kind === 'failed';
    if (this.#phase === 'first') this.#deliverFirst(parts, size);
    else this.#pass(parts);
    if (!ended || this.#isOver()) return;
    this.#over();
    if (last.kind === 'failed') this.#transfer?.abort();
    else if (size > 0) this.#awaitEnd();
  }

  /** What a server sends after its end is nobody's; one that never ends loses its connection. */
  #awaitEnd(): void {
    // A slow client may have paused it, and nobody is left to resume it.
    this.#transfer?.resume();
    this.#grace = this.#input.clock.after(graceMs, () => this.#transfer?.abort());
  }

  #deliverFirst(parts: StreamPart[], size: number): void {
    for (const part of parts) this.#held.push(part);
    const isMeaningful = parts.some((part) => part.kind === 'content' || part.kind === 'finish');
    const last = parts.at(-1);
    if (!isMeaningful && last?.kind === 'failed') return this.#settle(last);
    if (!isMeaningful && last?.kind !== 'done') {
      // Parts may be views of all the bytes that they came with.
      this.#openingSize += size;
      if (this.#openingSize > largestOpening) this.#giveUp(failure('upstream_too_large', endlessOpening));
      return;
    }
    const held = this.#held;
    this.#held = [];
    this.#phase = 'following';
    this.#limits.begun();
    this.#settle({ kind: 'parts', parts: held });
    if (last?.kind !== 'done' && last?.kind !== 'failed') this.#limits.goesOn();
  }

  #pass(parts: readonly StreamPart[]): void {
    this.#limits.heard();
    const last = parts.at(-1);
    const told =
      last?.kind === 'failed'
        ? [...parts.slice(0, -1), { ...last, failure: conceal(last.failure, this.#input.concealed) }]
        : parts;
    if (this.#take === undefined) this.#held.push(...told);
    else this.#take(told);
  }

  #wholeAnswer(): First {
    const answer = readWholeAnswer(this.#input, { ...this.#head, body: this.#pieces.join() }, this.#input.clock.wall());
    return answer.kind === 'failed' ? answer : { kind: 'whole', answer };
  }

  /** Fails, and cuts the connection. */
  #giveUp(failed: Failure): void {
    this.#fail(failed);
    this.#transfer?.abort();
  }

  #fail(failed: Failure): void {
    if (this.#phase === 'first') this.#settle({ kind: 'failed', failure: failed });
    else this.#pass([{ kind: 'failed', failure: failed }]);
    this.#over();
  }

  #isOver(): boolean {
    return this.#phase === 'over';
  }

  #over(): void {
    this.#phase = 'over';
    this.#limits.stop();
  }
}

/** Before the answer's first lines. */
const unheard: ResponseHead = { status: 0, headers: new Map() };

const emptyStream = 'The provider ended its stream without an answer';
const endlessOpening = 'The provider sent far more than an answer begins with, and no answer';
