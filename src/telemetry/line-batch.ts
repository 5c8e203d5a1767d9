/** Takes bytes and calls back once they are out; they stay as they are until then. */
export type SendBytes = (bytes: Uint8Array, done: () => void) => void;

/** Lines on their way out, gathered into few writes. */
export type LineBatch = {
  /** Takes a line; false says that it was dropped, since nobody takes what was sent before. */
  add(line: string): boolean;
  /** Sends what is held. */
  flush(): void;
};

const chunkBytes = 64 * 1024;
/** Bytes that may wait for a slow disk or pipe: a full one must not fill the memory. */
export const mostPendingBytes: number = 16 * 1024 * 1024;
/** Chunks that are kept for use again. */
const mostSpare = 4;

/**
 * Creates a batch. Lines become bytes outside the heap at once: as texts they would all outlive
 * their requests by the time of a batch, and the garbage collection of that costs more than the lines.
 */
export function createLineBatch(send: SendBytes): LineBatch {
  const spare: Buffer[] = [];
  let chunk: Buffer = Buffer.allocUnsafeSlow(chunkBytes);
  let used = 0;
  let pending = 0;
  const pass = (bytes: Uint8Array, whole: Buffer | undefined): void => {
    pending += bytes.length;
    send(bytes, () => {
      pending -= bytes.length;
      if (whole !== undefined && spare.length < mostSpare) spare.push(whole);
    });
  };
  const flush = (): void => {
    if (used === 0) return;
    const full = chunk;
    const bytes = full.subarray(0, used);
    used = 0;
    chunk = spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
    pass(bytes, full);
  };
  return {
    flush,
    add(line) {
      if (pending > mostPendingBytes) return false;
      // A letter of a JavaScript string takes three bytes at most.
      const most = line.length * 3;
      if (used + most > chunkBytes) flush();
      if (most > chunkBytes) pass(Buffer.from(line), undefined);
      else used += chunk.write(line, used);
      return true;
    },
  };
}
