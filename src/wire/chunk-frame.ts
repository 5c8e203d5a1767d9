import { asBuffer } from './as-buffer.ts';
import type { SseEvent } from './sse.ts';

/**
 * What stands around the text of a streamed chunk. Chunks of one stream differ in that text alone,
 * so a chunk in the frame of one that was parsed needs no parsing: it is content of the same
 * choice, without finish, usage or error.
 */
export type ChunkFrame = {
  /** JSON up to the text's opening quote, and from its closing quote on. */
  readonly head: string;
  readonly tail: string;
  /** The same for the client, as parts of a whole event, where they differ; else undefined. */
  readonly sent: { readonly head: string; readonly tail: string } | undefined;
};

const textKeys = ['"content":"', '"reasoning_content":"', '"reasoning":"', '"text":"'];

/**
 * Learns the frame of a chunk that is content, from the event and what is sent for it; undefined
 * where its text cannot be told for certain.
 */
export function learnFrame(event: SseEvent, sent: Uint8Array): ChunkFrame | undefined {
  if (!event.isPlain) return undefined;
  const frame = frameOf(event.data);
  if (frame === undefined || sent === event.raw) return frame;
  const theirs = frameOf(asBuffer(sent).toString('utf8'));
  return theirs === undefined ? undefined : { ...frame, sent: theirs };
}

/** The one text of a chunk stands behind the one text key in it: a key within a text would have its quotes escaped. */
function frameOf(data: string): ChunkFrame | undefined {
  for (const key of textKeys) {
    const at = data.indexOf(key);
    if (at === -1) continue;
    const start = at + key.length;
    const end = data.indexOf('"', start);
    const isOnly = data.indexOf(key, start) === -1;
    const isCertain = isOnly && end > start && !data.slice(start, end).includes('\\') && !data.includes('"tool_calls"');
    if (isCertain) return { head: data.slice(0, start), tail: data.slice(end), sent: undefined };
  }
  return undefined;
}

/** The event for the client, if the chunk stands in the frame; undefined where it has to be parsed. */
export function inFrame(frame: ChunkFrame, event: SseEvent): Buffer | undefined {
  const { data } = event;
  const { head, tail, sent } = frame;
  const end = data.length - tail.length;
  // An empty text is no content, and one with escapes is left to the parser.
  if (!event.isPlain || end <= head.length || !data.startsWith(head) || !data.endsWith(tail)) return undefined;
  const text = data.slice(head.length, end);
  if (!isPlainText(text)) return undefined;
  if (sent === undefined) return event.raw;
  return Buffer.from(sent.head + text + sent.tail);
}

/** Whether a JSON string may hold the text as it is: no quote, no escape, no control letter. */
function isPlainText(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}
