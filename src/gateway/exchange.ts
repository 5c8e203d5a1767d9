/**
 * One HTTP request and its answer, as the pipeline sees them. The listener makes these. Which HTTP
 * server stands behind is known to the files that hold it (`gateway.ts`, `listener.ts`,
 * `node-exchange.ts`, `read-body.ts`) and to no other, so that it can be replaced.
 */
export type Exchange = {
  readonly method: string;
  /** Path without query, percent-decoded once. */
  readonly path: string;
  readonly query: string;
  /** Value of a header, lower-case name; repeated ones joined as HTTP says. */
  header(name: string): string | undefined;
  readonly remoteAddress: string;
  /** Headers that every answer on this exchange carries (CORS): name, value, … */
  extraHeaders: readonly string[];
  /**
   * The whole body. Rejects with a failure: `body_too_large` past the limit, `overloaded` where the
   * bodies of all requests are too much together, `client_closed` when the client left,
   * `bad_request` when it fell silent or is encoded.
   */
  body(limitBytes: number): Promise<Uint8Array>;
  /** Calls back once if the client goes, or has gone, before the answer is complete; the result ends the watch. */
  whenClosed(listener: () => void): () => void;
  readonly closed: boolean;
  readonly started: boolean;
  /** Sends a whole answer: status, headers (name, value, …) and body. */
  answer(status: number, headers: readonly string[], body: Uint8Array | string): void;
  /** Sends status and headers and leaves the body open, for streams. */
  start(status: number, headers: readonly string[]): void;
  /** Sends bytes; false says that the client is slow: wait for `drained` before the next. */
  write(bytes: Uint8Array | string): boolean;
  drained(): Promise<void>;
  end(bytes?: Uint8Array | string): void;
  /** Cuts the connection without a proper end. */
  destroy(): void;
};
