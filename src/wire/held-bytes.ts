import { asBuffer } from './as-buffer.ts';

/** What a framer keeps of one piece for the next: the beginning of something unfinished. */
export type HeldBytes = {
  /** The held bytes with the piece behind them; the piece itself where nothing was held. */
  join(piece: Uint8Array): Buffer;
  /** Keeps what stands from this position of the joined bytes on, and forgets the rest. */
  keepFrom(start: number): void;
  /** Gives the held bytes back and forgets them. */
  take(): Buffer;
};

const nothing: Buffer = Buffer.alloc(0);

/**
 * Creates a holder. Its store doubles as it grows, so that an event in a million small pieces is
 * copied a few times and not a million times.
 */
export function holdBytes(): HeldBytes {
  let store = nothing;
  let length = 0;
  let joined = nothing;
  return {
    join(piece) {
      if (length === 0) {
        joined = asBuffer(piece);
        return joined;
      }
      if (length + piece.length > store.length) {
        const larger = Buffer.allocUnsafe((length + piece.length) * 2);
        store.copy(larger, 0, 0, length);
        store = larger;
      }
      store.set(piece, length);
      length += piece.length;
      joined = store.subarray(0, length);
      return joined;
    },
    keepFrom(start) {
      // Unfinished as a whole: it stands in the store already.
      if (start === 0 && length > 0) return;
      length = joined.length - start;
      // A new store, since what was finished are views of the old one.
      store = length === 0 ? nothing : Buffer.allocUnsafe(length * 2);
      joined.copy(store, 0, start);
      joined = nothing;
    },
    take() {
      const rest = store.subarray(0, length);
      store = nothing;
      length = 0;
      return rest;
    },
  };
}
