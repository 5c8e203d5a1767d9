import { isUtf8 } from 'node:buffer';
import { holdBytes } from './held-bytes.ts';
import { largestEvent, TooLarge } from './limits.ts';
import type { Framer } from './read-stream.ts';

/** One event of a server-sent event stream. */
export type SseEvent = {
  /** The event's own bytes with its blank line, as they came; bytes that are no UTF-8 are replaced. */
  readonly raw: Buffer;
  /** Joined `data` lines; empty for an event that has none (a comment). */
  readonly data: string;
  readonly event: string | undefined;
  /** Whether the event is one `data` line ended by LF, so that its bytes can go on as they are. */
  readonly isPlain: boolean;
};

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const blankLine = Buffer.from('\n\n');
const byteOrderMark = Buffer.from('\uFEFF');

/**
 * Creates a framer for one stream; see the HTML standard, section 9.2. Its events may be views of
 * the pieces, so these must not be written to again. At the end it gives an event whose blank line
 * was forgotten.
 */
export function createSseFramer(limit: number = largestEvent): Framer<SseEvent> {
  const held = holdBytes();
  let isFirst = true;
  // Streams with LF alone, nearly all, are searched natively; one CR sends a stream the longer way.
  let hasReturns = false;
  // Where the search goes on in the held bytes; in a stream with CRs, always the start of a line.
  let searched = 0;

  /** Position behind the next blank line, or -1. */
  const endByLineFeeds = (bytes: Buffer): number => {
    const blank = bytes.indexOf(blankLine, searched);
    // The last byte may be the first LF of a blank line.
    searched = blank === -1 ? Math.max(searched, bytes.length - 1) : blank + blankLine.length;
    return blank === -1 ? -1 : searched;
  };

  const endByLines = (bytes: Buffer): number => {
    for (;;) {
      const line = lineEnd(bytes, searched);
      const after = line === -1 ? -1 : afterLineEnd(bytes, line);
      if (after === -1) return -1;
      const isBlank = line === searched;
      searched = after;
      if (isBlank) return after;
    }
  };

  return {
    push(piece) {
      if (!hasReturns && piece.includes(carriageReturn)) {
        hasReturns = true;
        searched = 0;
      }
      const bytes = held.join(piece);
      let start = 0;
      if (isFirst) {
        if (bytes.length < byteOrderMark.length && byteOrderMark.subarray(0, bytes.length).equals(bytes)) {
          held.keepFrom(0);
          return [];
        }
        isFirst = false;
        if (bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark)) start = byteOrderMark.length;
        searched = start;
      }
      const events: SseEvent[] = [];
      for (;;) {
        const end = hasReturns ? endByLines(bytes) : endByLineFeeds(bytes);
        if (end === -1) break;
        events.push(readEvent(bytes.subarray(start, end)));
        start = end;
      }
      if (bytes.length - start > limit) throw new TooLarge(`An event is larger than ${limit} bytes`);
      held.keepFrom(start);
      searched -= start;
      return events;
    },
    end() {
      const rest = held.take();
      return rest.length === 0 ? [] : [readEvent(rest)];
    },
  };
}

function lineEnd(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === lineFeed || byte === carriageReturn) return at;
  }
  return -1;
}

/** Position behind the line end at `at`; -1 where a CR is the last byte and its LF may follow. */
function afterLineEnd(bytes: Buffer, at: number): number {
  if (bytes[at] === lineFeed) return at + 1;
  if (at + 1 >= bytes.length) return -1;
  return bytes[at + 1] === lineFeed ? at + 2 : at + 1;
}

function readEvent(raw: Buffer): SseEvent {
  // The common form, one data line, is cut out without splitting.
  if (startsWithData(raw) && raw.indexOf(lineFeed) === raw.length - 2 && raw[raw.length - 1] === lineFeed) {
    const data = raw.toString('utf8', dataStart(raw), raw.length - 2);
    if (!data.includes('\r')) return { raw: readable(raw, data), data, event: undefined, isPlain: true };
  }
  let event: string | undefined;
  const data: string[] = [];
  for (const line of raw.toString('utf8').split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon === 0 || line === '') continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') event = value;
    // Earlier builds of llama-server tell an error, a prompt that is too long among them, in a field of its own.
    else if (field === 'error') event = field;
    if (field === 'data' || field === 'error') data.push(value);
  }
  return { raw, data: data.join('\n'), event, isPlain: false };
}

/** Clients read strictly, and would end at a letter that a server has cut in two. */
function readable(raw: Buffer, text: string): Buffer {
  return text.includes('\uFFFD') && !isUtf8(raw) ? Buffer.from(raw.toString('utf8')) : raw;
}

/** Position of the data in the raw bytes of a plain event; they end two bytes before its end. */
export function dataStart(raw: Uint8Array): number {
  return raw[5] === 0x20 ? 6 : 5;
}

function startsWithData(raw: Uint8Array): boolean {
  return raw[0] === 0x64 && raw[1] === 0x61 && raw[2] === 0x74 && raw[3] === 0x61 && raw[4] === 0x3a;
}
