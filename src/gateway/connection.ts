import type { Socket } from 'node:net';
import { type ResponseHead, ResponseReader, type ResponseSink } from '../wire/http-response.ts';
import { writeTogether } from './one-piece.ts';
import { atTurnEnd } from './turn-end.ts';

/** A request as it goes out; the connection adds host, length and how it goes on. */
export type OutgoingRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
};

/** Why there was no whole answer. */
export type ConnectionProblem =
  /** By the system's or TLS's own code, such as ECONNREFUSED. */
  | { readonly kind: 'broken'; readonly code: string }
  /** The server's answer is not HTTP; the words say where. */
  | { readonly kind: 'malformed'; readonly detail: string }
  /** A fault of ours: the request could not be written, or its answer could not be taken. */
  | { readonly kind: 'fault'; readonly error: unknown };

/** Whom an answer is told: a head, data, and one end or problem; nothing after an abort. */
export type AnswerHandler = {
  onHead(head: ResponseHead): void;
  /** The bytes are gone once this returns: what is kept must be copied. */
  onData(bytes: Buffer): void;
  onEnd(): void;
  onProblem(problem: ConnectionProblem): void;
};

/** What the receiver of an answer may do to it; once the answer is over, nothing. */
export type Transfer = {
  pause(): void;
  resume(): void;
  /** Cuts the connection; the handler hears no more. */
  abort(): void;
};

/** Whom a connection tells of its own life. */
export type ConnectionOwner = {
  /** It may carry another request. */
  freed(connection: Connection): void;
  /** It is done with; it may say so twice. */
  closed(connection: Connection): void;
  /** A kept connection ended as it was used again, so the server may never have seen the request. */
  unseen(carried: CarriedRequest): void;
};

/**
 * Where every connection's bytes are read to: each read is handed on whole before the next begins,
 * so one place does for all, and nothing is allocated for a read.
 */
export const readBuffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** How soon a closed connection shows, at the slowest: anything later may be a server that fell over the request. */
const unseenMs = 1000;

/**
 * A request under way with its answer. It outlives its connection when it is sent again, and its
 * connection outlives it: what is done to it after its end cannot reach the next request.
 * A class for its identity and lifetime.
 */
export class CarriedRequest implements Transfer {
  readonly request: OutgoingRequest;
  readonly handler: AnswerHandler;
  readonly sentAt: number = performance.now();
  /** What carries it now; absent before and after. */
  connection: Connection | undefined;

  constructor(request: OutgoingRequest, handler: AnswerHandler) {
    this.request = request;
    this.handler = handler;
  }

  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  abort(): void {
    this.connection?.drop();
  }
}

/** A connection to a server, with the one request that it carries. A class for its identity and lifetime. */
export class Connection implements ResponseSink {
  /** Until when it may be used again, on the monotonic clock. */
  freeUntil = 0;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #owner: ConnectionOwner;
  readonly #reader = new ResponseReader(this);
  #carried: CarriedRequest | undefined;
  #wasUsed = false;
  #isConnected = false;
  #isPaused = false;
  /** Waits until the connection stands, or for the end of the turn. */
  #isUnsent = false;
  /** Whether bytes of the answer came, and whether all of it did. */
  #hasBegun = false;
  #hasEnded = false;

  /** `host` goes out as the header. */
  constructor(socket: Socket, host: string, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#host = host;
    this.#owner = owner;
    socket.on('end', () => this.#ended());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#broke(codeOf(error)));
    socket.on('close', () => this.#broke('ECONNRESET'));
  }

  get keepAliveMs(): number | undefined {
    return this.#reader.keepAliveMs;
  }

  /** Sends a request; the connection must be free. */
  carry(carried: CarriedRequest): void {
    this.#carried = carried;
    carried.connection = this;
    this.#hasBegun = false;
    this.#hasEnded = false;
    this.#reader.begin();
    this.#isUnsent = true;
    if (!this.#isConnected) return;
    atTurnEnd(
      () => this.#sendNow(),
      (error) => this.#failed({ kind: 'fault', error }),
    );
  }

  /** The connection stands, by TLS too where there is any. */
  connected(): void {
    this.#isConnected = true;
    this.#sendNow();
  }

  /** Gives the connection up, for a reason of ours. */
  giveUp(code: string): void {
    this.#failed({ kind: 'broken', code });
  }

  /** Cuts the connection; nobody hears of it. */
  drop(): void {
    this.#letGo();
    this.#socket.destroy();
    this.#owner.closed(this);
  }

  /** Takes bytes that were read. */
  received(bytes: Buffer): void {
    // A server that speaks without being asked is not listened to again.
    if (this.#carried === undefined || this.#isUnsent) return this.#broke('ECONNRESET');
    this.#hasBegun = true;
    let detail: string | undefined;
    try {
      detail = this.#reader.read(bytes);
    } catch (error) {
      return this.#failed({ kind: 'fault', error });
    }
    if (this.#hasEnded) return this.#finish();
    if (detail !== undefined) this.#failed({ kind: 'malformed', detail });
  }

  head(head: ResponseHead): void {
    this.#carried?.handler.onHead(head);
  }

  data(bytes: Buffer): void {
    this.#carried?.handler.onData(bytes);
  }

  end(): void {
    this.#hasEnded = true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#socket.resume();
  }

  #sendNow(): void {
    const carried = this.#carried;
    if (carried === undefined || !this.#isUnsent) return;
    this.#isUnsent = false;
    this.#write(carried.request);
  }

  #write({ method, path, headers, body }: OutgoingRequest): void {
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nconnection: keep-alive\r\n`;
    for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
    head += body.length > 0 || method !== 'GET' ? `content-length: ${body.length}\r\n\r\n` : '\r\n';
    writeTogether(this.#socket, head, body, '');
  }

  /** The answer is whole: the connection is free, or done with. */
  #finish(): void {
    const carried = this.#letGo();
    this.#wasUsed = true;
    // The last bytes of an answer may have come with its pause: the next request did not ask for that.
    if (this.#isPaused) this.resume();
    // A server that answers before it has read the whole request may take its rest for the next one.
    if (this.#reader.keepsAlive && this.#socket.writableLength === 0 && !this.#socket.destroyed)
      this.#owner.freed(this);
    else this.drop();
    try {
      carried?.handler.onEnd();
    } catch (error) {
      carried?.handler.onProblem({ kind: 'fault', error });
    }
  }

  /** The server sends no more. */
  #ended(): void {
    if (this.#carried !== undefined && this.#reader.close()) this.#finish();
    else this.#broke('ECONNRESET');
  }

  /** The connection is gone, or no use. */
  #broke(code: string): void {
    const carried = this.#letGo();
    this.drop();
    if (carried === undefined) return;
    // What is sent again goes out on a connection that served none, so there is no third time.
    const isUnseen = this.#wasUsed && !this.#hasBegun;
    if (isUnseen && performance.now() - carried.sentAt <= unseenMs) this.#owner.unseen(carried);
    else tellProblem(carried.handler, { kind: 'broken', code });
  }

  /** The connection is no use, and neither is sending its request again. */
  #failed(problem: ConnectionProblem): void {
    const carried = this.#letGo();
    this.drop();
    if (carried !== undefined) tellProblem(carried.handler, problem);
  }

  #letGo(): CarriedRequest | undefined {
    const carried = this.#carried;
    this.#carried = undefined;
    if (carried !== undefined) carried.connection = undefined;
    return carried;
  }
}

/** A problem that cannot be taken is a fault in its turn: nobody else would hear of it. */
function tellProblem(handler: AnswerHandler, problem: ConnectionProblem): void {
  try {
    handler.onProblem(problem);
  } catch (error) {
    if (problem.kind === 'fault') throw error;
    handler.onProblem({ kind: 'fault', error });
  }
}

/** A connection that tried several addresses fails with the errors of all. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'errors' in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : 'unknown';
}
