import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { FinishReason, Usage } from '../plan/usage.ts';
import { asList, asNumber, asObject, asText, type Fields } from './json-shape.ts';
import { readFinishReason, readOpenAiUsage } from './open-ai-usage.ts';
import { readErrorValue } from './read-error.ts';
import { spliceModel } from './splice-model.ts';
import { createSseFramer, type SseEvent } from './sse.ts';

/** A piece of a streamed answer in OpenAI's wire; the providers' `StreamPart` has the same members. */
type Part =
  | { readonly kind: 'opening'; readonly bytes: Uint8Array }
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'finish';
      readonly bytes: Uint8Array;
      readonly reason: FinishReason;
      readonly usage: Usage | undefined;
    }
  | { readonly kind: 'usage'; readonly bytes: Uint8Array; readonly usage: Usage }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Reads a stream of chat or completion chunks; see {@link createOpenAiStreamReader}. */
export type OpenAiStreamReader = {
  read(chunk: Uint8Array): Part[];
  end(): Part[];
};

/**
 * Creates a reader of OpenAI's chunks. Events keep their bytes but for `model`, which becomes the
 * asked name. A stream is complete when every choice that began has finished; `[DONE]` alone does
 * not prove it, and its absence does not disprove it.
 */
export function createOpenAiStreamReader(askedModel: string): OpenAiStreamReader {
  const framer = createSseFramer();
  const open = new Set<number>();
  const finished = new Set<number>();
  let over = false;

  const isComplete = (): boolean => finished.size > 0 && open.size === 0;

  const conclude = (): Part => {
    over = true;
    if (isComplete()) return { kind: 'done' };
    const began = open.size > 0 || finished.size > 0;
    return {
      kind: 'failed',
      failure: failure('upstream_truncated', began ? undefined : 'The provider ended its stream without an answer'),
    };
  };

  const readEvent = (event: SseEvent): Part | undefined => {
    if (event.data === '') return undefined;
    if (event.data.startsWith('[DONE]')) return conclude();
    const chunk = parse(event.data);
    const failed =
      chunk === undefined
        ? failure('upstream_malformed', 'The provider sent an event that is not JSON')
        : errorOf(chunk, event);
    if (chunk === undefined || failed !== undefined) {
      over = true;
      return { kind: 'failed', failure: failed ?? failure('upstream_malformed') };
    }
    return readChunk(chunk, event, askedModel, open, finished);
  };

  return {
    read(bytes) {
      if (over) return [];
      const parts: Part[] = [];
      for (const event of framer.push(bytes)) {
        const part = readEvent(event);
        if (part !== undefined) append(parts, part);
        if (over) break;
      }
      return parts;
    },
    end() {
      if (over) return [];
      const parts: Part[] = [];
      for (const event of framer.end()) {
        const part = readEvent(event);
        if (part !== undefined) append(parts, part);
      }
      if (!over) parts.push(conclude());
      return parts;
    },
  };
}

/** Content that came together goes on together: one write instead of many. */
function append(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (part.kind === 'content' && last?.kind === 'content') {
    parts[parts.length - 1] = { kind: 'content', bytes: Buffer.concat([last.bytes, part.bytes]) };
  } else parts.push(part);
}

function parse(text: string): Fields | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function errorOf(chunk: Fields, event: SseEvent): Failure | undefined {
  const error = chunk['error'];
  if (error !== undefined && error !== null && error !== false) return readErrorValue(chunk);
  if (event.event === 'error') return readErrorValue(chunk);
  return chunk['object'] === 'error' ? readErrorValue(chunk) : undefined;
}

function readChunk(
  chunk: Fields,
  event: SseEvent,
  askedModel: string,
  open: Set<number>,
  finished: Set<number>,
): Part | undefined {
  const choices = asList(chunk['choices']);
  const usage = readOpenAiUsage(chunk['usage']);
  if (choices === undefined || choices.length === 0) {
    if (usage !== undefined)
      return { kind: 'usage', bytes: eventBytes(chunk, event, askedModel, choices === undefined), usage };
    // Azure opens with its verdict on the prompt; what has no choices at all says nothing to a client.
    return choices === undefined ? undefined : { kind: 'opening', bytes: eventBytes(chunk, event, askedModel, false) };
  }
  let reason: FinishReason | undefined;
  let isContent = false;
  for (const value of choices) {
    const choice = asObject(value) ?? {};
    const index = asNumber(choice['index']) ?? 0;
    const ends = readFinishReason(choice['finish_reason']);
    isContent ||= hasContent(choice);
    if (ends === undefined) open.add(index);
    else {
      open.delete(index);
      finished.add(index);
      reason = ends;
    }
  }
  const bytes = eventBytes(chunk, event, askedModel, false);
  if (reason !== undefined) return { kind: 'finish', bytes, reason, usage };
  return isContent ? { kind: 'content', bytes } : { kind: 'opening', bytes };
}

/** Whether a choice carries something of an answer, as opposed to its role alone. */
function hasContent(choice: Fields): boolean {
  if (isFilled(choice['text'])) return true;
  const delta = asObject(choice['delta']) ?? asObject(choice['message']);
  if (delta === undefined) return false;
  for (const [key, value] of Object.entries(delta)) if (key !== 'role' && isFilled(value)) return true;
  return false;
}

function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return !(Array.isArray(value) && value.length === 0);
}

const dataField = Buffer.from('data:');

/** The event for the client: its own bytes where they are one plain `data` line, else written anew. */
function eventBytes(chunk: Fields, event: SseEvent, askedModel: string, needsChoices: boolean): Uint8Array {
  const raw = Buffer.from(event.raw.buffer, event.raw.byteOffset, event.raw.length);
  const model = asText(chunk['model']);
  const plain =
    !needsChoices &&
    raw.subarray(0, 5).equals(dataField) &&
    raw.at(-1) === 0x0a &&
    raw.at(-2) === 0x0a &&
    !event.data.includes('\n');
  if (plain) {
    if (model === undefined || model === askedModel) return Buffer.from(raw);
    return spliceModel(raw, raw.indexOf(0x7b), raw.lastIndexOf(0x7d) + 1, askedModel);
  }
  const written = {
    ...chunk,
    ...(needsChoices ? { choices: [] } : {}),
    ...(model === undefined ? {} : { model: askedModel }),
  };
  return Buffer.from(`data: ${JSON.stringify(written)}\n\n`);
}
