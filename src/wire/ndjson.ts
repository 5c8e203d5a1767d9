import { holdBytes } from './held-bytes.ts';
import { largestEvent, TooLarge } from './limits.ts';
import type { Framer } from './read-stream.ts';

const lineFeed = 0x0a;

/** Creates a framer of newline-delimited JSON: lines without their ends, none empty, at the end one whose end was forgotten. */
export function createNdjsonFramer(limit: number = largestEvent): Framer<string> {
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
      if (searched > limit) throw new TooLarge(`A line is larger than ${limit} bytes`);
      held.keepFrom(start);
      return lines;
    },
    end() {
      const line = held.take().toString('utf8').trim();
      return line === '' ? [] : [line];
    },
  };
}
