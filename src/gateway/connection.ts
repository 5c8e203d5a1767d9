import type { Socket } from 'node:net';
import { asBuffer } from '../wire/as-buffer.ts';
import { type ResponseHead, ResponseReader, type ResponseSink } from '../wire/http-response.ts';
import { atTurnEnd } from './turn-end.ts';

/** A request as it goes out; the pool adds host, length and connection. */
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
  | {
      readonly kind: 'broken';
      readonly code: string;
      /** A kept connection ended as it was used again, so the server may never have seen the request. */
      readonly isUnseen: boolean;
    }
  /** The server's answer is not HTTP; the words say where. */
  | { readonly kind: 'malformed'; readonly detail: string };

/** Whom an answer is told: a head, data, and one end or problem; nothing after an abort. */
export type AnswerHandler = {
  onHead(head: ResponseHead): void;
  /** The bytes are gone once this returns: what is kept must be copied. */
  onData(bytes: Buffer): void;
  onEnd(): void;
  onProblem(problem: ConnectionProblem): void;
};

/** What the receiver of an answer may do to it. */
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
  closed(connection: Connection): void;
};

/**
 * Where every connection's bytes are read to: each read is handed on whole before the next begins,
 * so one place does for all, and nothing is allocated for a read.
 */
export const readBuffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Largest body that goes out in one piece with its head, which costs the system less than two. */
const smallBody = 16 * 1024;

const nothing = { onHead: () => {}, onData: () => {}, onEnd: () => {}, onProblem: () => {} };

/** A connection to a server, with the one request that it carries. A class for its identity and lifetime. */
export class Connection implements ResponseSink, Transfer {
  /** Until when it may be used again, on the monotonic clock. */
  freeUntil = 0;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #owner: ConnectionOwner;
  readonly #reader = new ResponseReader(this);
  #handler: AnswerHandler = nothing;
  #isBusy = false;
  #wasUsed = false;
  #isConnected = false;
  /** Waits until the connection stands, or for the end of the turn. */
  #unsent: OutgoingRequest | undefined;
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
    socket.on('close', () => {
      this.#broke('ECONNRESET');
      owner.closed(this);
    });
  }

  get keepAliveMs(): number | undefined {
    return this.#reader.keepAliveMs;
  }

  /** Sends a request; the connection must be free. */
  send(request: OutgoingRequest, handler: AnswerHandler): void {
    this.#handler = handler;
    this.#isBusy = true;
    this.#hasBegun = false;
    this.#hasEnded = false;
    this.#reader.begin();
    this.#unsent = request;
    if (this.#isConnected) atTurnEnd(() => this.#sendNow());
  }

  /** The connection stands, by TLS too where there is any. */
  connected(): void {
    this.#isConnected = true;
    this.#sendNow();
  }

  /** Gives the connection up, for a reason of ours. */
  giveUp(code: string): void {
    this.#broke(code);
    this.#socket.destroy();
  }

  /** Takes bytes that were read. */
  received(bytes: Buffer): void {
    // A server that speaks without being asked is not listened to again.
    if (!this.#isBusy) return void this.#socket.destroy();
    this.#hasBegun = true;
    const problem = this.#reader.read(bytes);
    if (this.#hasEnded) return this.#finish();
    if (problem === undefined) return;
    this.#fail({ kind: 'malformed', detail: problem });
    this.#socket.destroy();
  }

  head(head: ResponseHead): void {
    this.#handler.onHead(head);
  }

  data(bytes: Buffer): void {
    this.#handler.onData(bytes);
  }

  end(): void {
    this.#hasEnded = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  abort(): void {
    this.#handler = nothing;
    this.#isBusy = false;
    this.#unsent = undefined;
    this.#socket.destroy();
  }

  #sendNow(): void {
    const request = this.#unsent;
    this.#unsent = undefined;
    if (request !== undefined && !this.#socket.destroyed) this.#write(request);
  }

  #write({ method, path, headers, body }: OutgoingRequest): void {
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nconnection: keep-alive\r\n`;
    for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
    head += body.length > 0 || method !== 'GET' ? `content-length: ${body.length}\r\n\r\n` : '\r\n';
    if (body.length <= smallBody) {
      // Each byte is one letter of a text in latin1.
      this.#socket.write(body.length === 0 ? head : head + asBuffer(body).toString('latin1'), 'latin1');
      return;
    }
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  /** The answer is whole: the connection is free, or done with. */
  #finish(): void {
    const handler = this.#handler;
    this.#handler = nothing;
    this.#isBusy = false;
    this.#wasUsed = true;
    // A server that answers before it has read the whole request may take its rest for the next one.
    if (this.#reader.keepsAlive && this.#socket.writableLength === 0 && !this.#socket.destroyed)
      this.#owner.freed(this);
    else this.#socket.destroy();
    handler.onEnd();
  }

  /** The server sends no more. */
  #ended(): void {
    if (this.#isBusy && this.#reader.close()) this.#finish();
    else this.#broke('ECONNRESET');
    this.#socket.destroy();
  }

  #broke(code: string): void {
    if (this.#isBusy) this.#fail({ kind: 'broken', code, isUnseen: this.#wasUsed && !this.#hasBegun });
  }

  #fail(problem: ConnectionProblem): void {
    const handler = this.#handler;
    this.#handler = nothing;
    this.#isBusy = false;
    handler.onProblem(problem);
  }
}

/** A connection that tried several addresses fails with the errors of all. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'errors' in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : 'unknown';
}
