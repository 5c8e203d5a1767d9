/** `signalbox provider drain --json`. */
export type DrainReport = {
  readonly provider: string;
  /** Whether it is kept from new requests. */
  readonly draining: boolean;
  /** Requests that still run there. */
  readonly running: number;
};
