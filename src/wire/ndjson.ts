import { largestEvent, SseTooLarge } from './sse.ts';

/** Cuts a byte stream into lines of newline-delimited JSON. */
export type NdjsonFramer = {
  /** Lines that this piece completes, without their ends; empty ones are left out. */
  push(piece: Uint8Array): string[];
  /** The last line, if its end was forgotten. */
  end(): string[];
};

/** Creates a framer for one stream; a line past the limit throws {@link SseTooLarge}. */
export function createNdjsonFramer(limit: number = largestEvent): NdjsonFramer {
  let held: Buffer | undefined;
  return {
    push(piece) {
      const view = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      const bytes = held === undefined ? view : Buffer.concat([held, view]);
      const lines: string[] = [];
      let start = 0;
      for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
        const line = bytes.toString('utf8', start, end).trim();
        if (line !== '') lines.push(line);
        start = end + 1;
      }
      const rest = bytes.subarray(start);
      if (rest.length > limit) throw new SseTooLarge(`A line is larger than ${limit} bytes`);
      held = rest.length === 0 ? undefined : Buffer.from(rest);
      return lines;
    },
    end() {
      const line = held?.toString('utf8').trim() ?? '';
      held = undefined;
      return line === '' ? [] : [line];
    },
  };
}
