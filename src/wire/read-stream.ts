import { failure } from '../plan/failure-catalogue.ts';
import type { StreamPart, StreamReader } from './answer.ts';
import { TooLarge } from './limits.ts';

/** Cuts a stream into the events of its wire, whatever its pieces. Throws {@link TooLarge} past a limit. */
export type Framer<Event> = {
  /** Events that this piece completes, in order. */
  push(piece: Uint8Array): Event[];
  /** What stands behind the last end of an event. */
  end(): Event[];
};

/** How the events of one wire are read. Nothing is asked of it after a part that ends the answer. */
export type EventReading<Event> = {
  read(event: Event): readonly StreamPart[];
  /** What the end of the body means for an answer that has not ended before. */
  end(): readonly StreamPart[];
  /** Whether an event that lacks its own end is whole all the same: else the stream was cut within it. */
  isWhole(event: Event): boolean;
};

/** Creates a reader of one stream: it tells each part once, and none behind an end. */
export function createStreamReader<Event>(framer: Framer<Event>, reading: EventReading<Event>): StreamReader {
  let isOver = false;
  const told = (parts: StreamPart[], more: readonly StreamPart[]): void => {
    for (const part of more) {
      parts.push(part);
      if (part.kind === 'done' || part.kind === 'failed') isOver = true;
    }
  };
  const readAll = (events: readonly Event[]): StreamPart[] => {
    const parts: StreamPart[] = [];
    for (const event of events) {
      if (isOver) break;
      told(parts, reading.read(event));
    }
    return parts;
  };
  return {
    read(piece) {
      if (isOver) return [];
      try {
        return readAll(framer.push(piece));
      } catch (error) {
        if (!(error instanceof TooLarge)) throw error;
        isOver = true;
        return [{ kind: 'failed', failure: failure('upstream_too_large', error.message) }];
      }
    },
    end() {
      if (isOver) return [];
      const parts = readAll(framer.end().filter((event) => reading.isWhole(event)));
      if (!isOver) told(parts, reading.end());
      return parts;
    },
  };
}
