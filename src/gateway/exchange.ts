/**
 * One HTTP request and its answer, as the pipeline sees them. The listener makes these; nothing
 * else in the gateway knows which HTTP server stands behind, so that it can be replaced.
 */
export type Exchange = {
  readonly method: string;
  /** Path without query, percent-decoded once. */
  readonly path: string;
  readonly query: string;
  /** Value of a header, lower-case name; repeated ones joined as HTTP says. */
  header(name: string): string | undefined;
  headers(): Iterable<readonly [name: string, value: string]>;
  readonly remoteAddress: string;
  /**
   * The whole body. Rejects with a failure: `body_too_large` past the limit, `client_closed` when
   * the client left, `bad_request` when it fell silent.
   */
  body(limitBytes: number): Promise<Uint8Array>;
  /** Called once, when the client is gone before the answer was complete. */
  onClosed(listener: () => void): void;
  readonly closed: boolean;
  readonly started: boolean;
  /** Sends status and headers (name, value, …). */
  start(status: number, headers: readonly string[]): void;
  /** Sends bytes; false says that the client is slow: wait for `drained` before the next. */
  write(bytes: Uint8Array | string): boolean;
  drained(): Promise<void>;
  end(bytes?: Uint8Array | string): void;
  /** Cuts the connection without a proper end. */
  destroy(): void;
};
