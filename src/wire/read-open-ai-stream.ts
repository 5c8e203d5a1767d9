import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { FinishReason } from '../plan/usage.ts';
import { failed, type StreamPart, type StreamReader } from './answer.ts';
import { type ChunkFrame, inFrame, learnFrame } from './chunk-frame.ts';
import { asList, asNumber, asObject, asText, type Fields, parseObject } from './json-shape.ts';
import { mostParts } from './limits.ts';
import { readFinishReason, readOpenAiUsage } from './open-ai-usage.ts';
import { readErrorValue } from './read-error.ts';
import { createStreamReader } from './read-stream.ts';
import { scanBody } from './scan-body.ts';
import { spliceBody } from './splice-body.ts';
import { spliceModel } from './splice-model.ts';
import { createSseFramer, dataStart, type SseEvent } from './sse.ts';

/**
 * Creates a reader of OpenAI's chunks. Events keep their bytes but for `model`, which becomes the
 * asked name. A stream is complete when every choice that began has finished; `[DONE]` alone does
 * not prove it, and its absence does not disprove it.
 */
export function createOpenAiStreamReader(askedModel: string): StreamReader {
  const open = new Set<number>();
  const finished = new Set<number>();
  let frame: ChunkFrame | undefined;

  const conclude = (): readonly StreamPart[] => {
    if (finished.size > 0 && open.size === 0) return [{ kind: 'done' }];
    const began = finished.size > 0 || open.size > 0;
    return [
      failed(failure('upstream_truncated', began ? undefined : 'The provider ended its stream without an answer')),
    ];
  };

  const readEvent = (event: SseEvent): readonly StreamPart[] => {
    const quick = frame === undefined ? undefined : inFrame(frame, event);
    if (quick !== undefined) return [{ kind: 'content', bytes: quick }];
    if (event.data === '') return [];
    if (isDone(event)) return conclude();
    const chunk = parseObject(event.data);
    if (event.event === 'error') return [failed(readErrorValue(chunk ?? event.data))];
    if (chunk === undefined)
      return [failed(failure('upstream_malformed', 'The provider sent an event that is not a JSON object'))];
    const error = errorOf(chunk);
    if (error !== undefined) return [failed(error)];
    const part = readChunk(chunk, event);
    // After a finish nothing may pass unread, since a choice that goes on is not complete.
    frame = part?.kind === 'content' && finished.size === 0 ? learnFrame(event, part.bytes) : undefined;
    return part === undefined ? [] : [part];
  };

  const readChunk = (chunk: Fields, event: SseEvent): StreamPart | undefined => {
    const choices = asList(chunk['choices']);
    const usage = readOpenAiUsage(chunk['usage'] ?? asObject(chunk['x_groq'])?.['usage']);
    if (choices === undefined || choices.length === 0) {
      if (usage !== undefined) return { kind: 'usage', bytes: eventBytes(chunk, event, askedModel), usage };
      // Azure opens with its verdict on the prompt; what has no choices at all says nothing to a client.
      return choices === undefined ? undefined : { kind: 'opening', bytes: eventBytes(chunk, event, askedModel) };
    }
    const read = readChoices(choices);
    if (open.size + finished.size > mostParts)
      return failed(failure('upstream_too_large', `The provider’s answer has more than ${mostParts} choices`));
    const bytes = eventBytes(chunk, event, askedModel);
    if (read.reason !== undefined) return { kind: 'finish', bytes, reason: read.reason, usage };
    const isBehind = !read.isContent && open.size === 0;
    if (usage !== undefined && isBehind) return { kind: 'usage', bytes, usage };
    return { kind: read.isContent ? 'content' : 'opening', bytes };
  };

  const readChoices = (choices: readonly unknown[]): { reason: FinishReason | undefined; isContent: boolean } => {
    let reason: FinishReason | undefined;
    let isContent = false;
    for (const value of choices) {
      const choice = asObject(value) ?? {};
      const index = asNumber(choice['index']) ?? 0;
      const ends = readFinishReason(choice['finish_reason']);
      const says = hasContent(choice);
      isContent ||= says;
      if (ends === undefined) {
        // What says nothing behind a finish does not take it back.
        if (says || !finished.has(index)) open.add(index);
      } else {
        open.delete(index);
        finished.add(index);
        reason = ends;
      }
    }
    return { reason, isContent };
  };

  return createStreamReader(createSseFramer(), {
    read: readEvent,
    end: conclude,
    isWhole: (event) => isDone(event) || parseObject(event.data) !== undefined,
  });
}

function isDone({ data }: SseEvent): boolean {
  return data.startsWith('[DONE]');
}

function errorOf(chunk: Fields): Failure | undefined {
  const error = chunk['error'];
  if (error !== undefined && error !== null && error !== false) return readErrorValue(chunk);
  if (chunk['object'] === 'error') return readErrorValue(chunk);
  const choices = asList(chunk['choices']);
  const hasFailed = choices?.some((choice) => asObject(choice)?.['finish_reason'] === 'error') === true;
  return hasFailed ? failure('upstream_error', 'The provider ended its answer with an error') : undefined;
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

/**
 * The event for the client: its own bytes but for `model`. Clients fail on a usage chunk without
 * `choices`, so it gets its empty list.
 */
function eventBytes(chunk: Fields, event: SseEvent, askedModel: string): Uint8Array {
  const model = asText(chunk['model']);
  const hasChoices = asList(chunk['choices']) !== undefined;
  if (event.isPlain && hasChoices) {
    if (model === undefined || model === askedModel) return event.raw;
    return spliceModel(event.raw, dataStart(event.raw), event.raw.length - 2, askedModel);
  }
  // Line ends within the JSON are blanks between its tokens.
  const json = Buffer.from(event.data.replaceAll('\n', ' '));
  const scanned = scanBody(json);
  const spliced =
    scanned.kind === 'invalid'
      ? json
      : spliceBody(json, scanned.scan, [
          ...(hasChoices ? [] : [{ kind: 'set', key: 'choices', value: [] } as const]),
          ...(model === undefined ? [] : [{ kind: 'set', key: 'model', value: askedModel } as const]),
        ]);
  return Buffer.concat([dataField, spliced, blankLine]);
}

const dataField = Buffer.from('data: ');
const blankLine = Buffer.from('\n\n');
