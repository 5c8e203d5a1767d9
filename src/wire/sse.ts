/** One event of a server-sent event stream. */
export type SseEvent = {
  /** The event's own bytes with its blank line, as they came. */
  readonly raw: Uint8Array;
  /** Joined `data` lines; empty for an event that has none (a comment). */
  readonly data: string;
  readonly event: string | undefined;
};

/** Cuts a byte stream into events, whatever its pieces; see the HTML standard, section 9.2. */
export type SseFramer = {
  /** Events that this piece completes, in order. Throws {@link SseTooLarge} past the limit. */
  push(piece: Uint8Array): SseEvent[];
  /** What stands after the last blank line: an event, if a server forgot its blank line. */
  end(): SseEvent[];
};

/** An event is larger than the gateway holds. */
export class SseTooLarge extends Error {}

/** Largest event that is held: an image or a long tool call fits, an endless line does not. */
export const largestEvent: number = 16 * 1024 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Creates a framer for one stream. */
export function createSseFramer(limit: number = largestEvent): SseFramer {
  let held: Buffer | undefined;
  let first = true;
  return {
    push(piece) {
      const events: SseEvent[] = [];
      let bytes = view(piece);
      if (held !== undefined) bytes = Buffer.concat([held, bytes]);
      if (first) {
        if (bytes.length === 0 || (bytes.length < 3 && bytes[0] === 0xef)) {
          held = Buffer.from(bytes);
          return events;
        }
        first = false;
        if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
      }
      let start = 0;
      for (;;) {
        const end = eventEnd(bytes, start);
        if (end === -1) break;
        events.push(readEvent(bytes.subarray(start, end)));
        start = end;
      }
      const rest = bytes.subarray(start);
      if (rest.length > limit) throw new SseTooLarge(`An event is larger than ${limit} bytes`);
      // The piece belongs to the caller and may be reused, so what is held is copied.
      held = rest.length === 0 ? undefined : Buffer.from(rest);
      return events;
    },
    end() {
      if (held === undefined) return [];
      const event = readEvent(held);
      held = undefined;
      return event.data === '' ? [] : [event];
    },
  };
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * Position behind the blank line that ends the event beginning at `start`, or -1. Streams that end
 * their lines with LF alone, nearly all, are searched natively.
 */
function eventEnd(bytes: Buffer, start: number): number {
  for (let at = start; ; ) {
    const line = bytes.indexOf(lineFeed, at);
    const bare = bytes.indexOf(carriageReturn, at);
    const next = bare !== -1 && (line === -1 || bare < line) ? bare : line;
    if (next === -1) return -1;
    const after = afterLineEnd(bytes, next);
    if (after === -1) return -1;
    const following = bytes[after];
    if (following === lineFeed) return after + 1;
    if (following === carriageReturn) return afterLineEnd(bytes, after);
    // A line that is empty from the start ends nothing but itself.
    if (next === start) return after;
    at = after;
  }
}

/** Position behind the line end at `at`; -1 where a CR is the last byte and its LF may follow. */
function afterLineEnd(bytes: Buffer, at: number): number {
  if (bytes[at] === lineFeed) return at + 1;
  if (at + 1 >= bytes.length) return -1;
  return bytes[at + 1] === lineFeed ? at + 2 : at + 1;
}

const dataField = Buffer.from('data:');

function readEvent(raw: Buffer): SseEvent {
  // The common form, one data line, is cut out without splitting.
  if (raw.length > 8 && raw.subarray(0, 5).equals(dataField)) {
    const end = raw.indexOf(lineFeed);
    if (end !== -1 && raw.indexOf(carriageReturn) === -1 && end + 2 >= raw.length) {
      const from = raw[5] === 0x20 ? 6 : 5;
      return { raw, data: raw.toString('utf8', from, end), event: undefined };
    }
  }
  let event: string | undefined;
  const data: string[] = [];
  for (const line of raw.toString('utf8').split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon === 0 || line === '') continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
  }
  return { raw, data: data.join('\n'), event };
}
