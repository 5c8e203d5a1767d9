import type { Dispatcher } from 'undici';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type {
  Dialect,
  ReadContext,
  StreamPart,
  StreamReader,
  UpstreamRequest,
  WholeAnswer,
} from '../providers/provider.ts';
import { SseTooLarge } from '../wire/sse.ts';
import type { Clock, Timer } from './clock.ts';
import { failureOfError, wasReused } from './upstream-failure.ts';

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

/** How long the phases may take. */
export type CallTimeouts = {
  readonly firstTokenMs: Milliseconds;
  readonly betweenChunksMs: Milliseconds;
  readonly totalMs: Milliseconds;
};

export type CallInput = {
  readonly dispatcher: Dispatcher;
  readonly dialect: Dialect;
  readonly request: UpstreamRequest;
  readonly headers: readonly string[];
  readonly context: ReadContext;
  readonly timeouts: CallTimeouts;
  readonly clock: Clock;
};

/** Largest whole answer that is held in memory. */
const largestAnswer = 64 * 1024 * 1024;

/** Sends a request to an upstream and reads its answer by the dialect. */
export function callUpstream(input: CallInput): UpstreamCall {
  const call = new Call(input);
  call.dispatch();
  return call;
}

type Phase = 'first' | 'following' | 'over';

/** A class for its identity and lifetime: one answer being read, from dispatch to its end. */
class Call implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly first: Promise<First>;
  readonly #input: CallInput;
  readonly #firstToken: Timer;
  readonly #total: Timer;
  #between: Timer | undefined;
  #settle: (first: First) => void = () => {};
  #phase: Phase = 'first';
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Record<string, string | string[] | undefined> = {};
  #reader: StreamReader | undefined;
  #pieces: Buffer[] = [];
  #size = 0;
  #held: StreamPart[] = [];
  #take: ((parts: readonly StreamPart[]) => void) | undefined;
  #replayed = false;

  constructor(input: CallInput) {
    this.#input = input;
    this.first = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#firstToken = input.clock.after(input.timeouts.firstTokenMs, () => this.#timedOut('first'));
    this.#total = input.clock.after(input.timeouts.totalMs, () => this.#timedOut('total'));
  }

  dispatch(): void {
    const { request, headers } = this.#input;
    const body = request.body;
    try {
      this.#input.dispatcher.dispatch(
        {
          method: request.method,
          path: request.path,
          headers: [...request.headers, ...headers],
          body: Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length),
        },
        this,
      );
    } catch (error) {
      this.#fail(failureOfError(error));
    }
  }

  follow(take: (parts: readonly StreamPart[]) => void): void {
    this.#take = take;
    const held = this.#held;
    this.#held = [];
    if (held.length > 0) take(held);
  }

  pause(): void {
    if (this.#phase !== 'over') this.#controller?.pause();
  }

  resume(): void {
    if (this.#phase !== 'over') this.#controller?.resume();
  }

  cancel(): void {
    if (this.#phase === 'over') return;
    this.#over();
    this.#settle({ kind: 'failed', failure: failure('client_closed') });
    this.#controller?.abort(new Error('cancelled'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Cancelled while it waited for a connection.
    if (this.#phase === 'over') controller.abort(new Error('cancelled'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const { dialect, request, context } = this.#input;
    const type = String(headers['content-type'] ?? '');
    const reading = request.reading ?? dialect;
    const streams = status < 300 && request.streams && type.startsWith(reading.streamContentType);
    if (streams) this.#reader = reading.createStreamReader(context);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#phase === 'over') return;
    if (this.#reader === undefined) return this.#collect(chunk);
    // Undici reuses its read buffer, and parts may be views of the chunk.
    this.#read((reader) => reader.read(Buffer.from(chunk)));
  }

  onResponseEnd(): void {
    if (this.#phase === 'over') return;
    if (this.#reader !== undefined) return this.#read((reader) => reader.end());
    this.#settle(this.#wholeAnswer());
    this.#over();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#phase === 'over') return;
    // A kept connection that the server closed just as it was used again has seen nothing of the request.
    if (this.#status === 0 && !this.#replayed && wasReused(error)) {
      this.#replayed = true;
      return this.dispatch();
    }
    if (this.#phase === 'first' && this.#status === 0) return this.#fail(failureOfError(error));
    this.#fail(failure('upstream_truncated'));
  }

  #collect(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > largestAnswer) {
      this.#fail(failure('upstream_too_large'));
      this.#controller?.abort(new Error('too large'));
      return;
    }
    this.#pieces.push(Buffer.from(chunk));
  }

  #read(read: (reader: StreamReader) => StreamPart[]): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    let parts: StreamPart[];
    try {
      parts = read(reader);
    } catch (error) {
      parts = [
        {
          kind: 'failed',
          failure: error instanceof SseTooLarge ? failure('upstream_too_large') : failure('upstream_malformed'),
        },
      ];
    }
    if (parts.length > 0) this.#deliver(parts);
  }

  #deliver(parts: StreamPart[]): void {
    const last = parts.at(-1);
    const ended = last?.kind === 'done' || last?.kind === 'failed';
    if (this.#phase === 'first') this.#deliverFirst(parts, ended);
    else this.#pass(parts);
    if (!ended || this.#isOver()) return;
    this.#over();
    // What a server sends after its end is nobody's; a failed one is not worth keeping connected.
    if (last.kind === 'failed') this.#controller?.abort(new Error('failed'));
  }

  #deliverFirst(parts: StreamPart[], ended: boolean): void {
    this.#held.push(...parts);
    const failed = this.#held.find((part) => part.kind === 'failed');
    const meaningful = this.#held.some((part) => part.kind === 'content' || part.kind === 'finish');
    if (failed !== undefined && !meaningful) return this.#settle({ kind: 'failed', failure: failed.failure });
    if (!meaningful && !ended) return;
    const held = this.#held;
    this.#held = [];
    this.#phase = 'following';
    this.#firstToken.stop();
    this.#settle({ kind: 'parts', parts: held });
    // From here on, silence is measured anew after each part.
    const { clock, timeouts } = this.#input;
    if (!ended) this.#between = clock.after(timeouts.betweenChunksMs, () => this.#timedOut('between'));
  }

  #pass(parts: readonly StreamPart[]): void {
    this.#between?.restart();
    if (this.#take === undefined) this.#held.push(...parts);
    else this.#take(parts);
  }

  #wholeAnswer(): First {
    const body =
      this.#pieces.length === 1 && this.#pieces[0] !== undefined ? this.#pieces[0] : Buffer.concat(this.#pieces);
    const { dialect, context, clock } = this.#input;
    if (this.#status >= 400) {
      return { kind: 'failed', failure: dialect.readError(this.#status, headerMap(this.#headers), body, clock.wall()) };
    }
    if (this.#status >= 300)
      return {
        kind: 'failed',
        failure: failure('upstream_malformed', `The provider answered with a redirect (status ${this.#status})`),
      };
    const answer = (this.#input.request.reading ?? dialect).readWhole(body, context);
    if (answer.kind === 'failed') return answer;
    return { kind: 'whole', answer };
  }

  #timedOut(what: 'first' | 'between' | 'total'): void {
    if (this.#phase === 'over' || (what === 'first' && this.#phase !== 'first')) return;
    const kind =
      what === 'total'
        ? 'upstream_timeout_total'
        : what === 'first'
          ? 'upstream_timeout_first_token'
          : 'upstream_timeout_between_chunks';
    this.#fail(failure(kind));
    this.#controller?.abort(new Error(kind));
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
    this.#firstToken.stop();
    this.#total.stop();
    this.#between?.stop();
  }
}

function headerMap(headers: Record<string, string | string[] | undefined>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
