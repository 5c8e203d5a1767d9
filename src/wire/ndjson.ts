import { holdBytes } from './held-bytes.ts';
import { largestEvent } from './limits.ts';
import { SseTooLarge } from './sse.ts';

/** Cuts a byte stream into lines of newline-delimited JSON. */
export type NdjsonFramer = {
  /** Lines that this piece completes, without their ends; empty ones are left out. */
  push(piece: Uint8Array): string[];
  /** The last line, if its end was forgotten. */
  end(): string[];
};

const lineFeed = 0x0a;

/** Creates a framer for one stream; a line past the limit throws {@link SseTooLarge}. */
export function createNdjsonFramer(limit: number = largestEvent): NdjsonFramer {
  const held = holdBytes();
  let searched = 0;
  return {
    push(piece) {
      const bytes = held.join(piece);
      const lines: string[] = [];
      let start = 0;
      for (let end = bytes.indexOf(lineFeed, searched); end !== -1; end = bytes.indexOf(lineFeed, start)) {
        const line = bytes.toString('utf8', start, end).trim();
        if (line !== '') lines.push(line);
        start = end + 1;
      }
      searched = bytes.length - start;
      if (searched > limit) throw new SseTooLarge(`A line is larger than ${limit} bytes`);
      held.keepFrom(start);
      return lines;
    },
    end() {
      const line = held.take().toString('utf8').trim();
      return line === '' ? [] : [line];
    },
  };
}
