import type { Usage } from '../plan/usage.ts';
import type { StreamPart } from './answer.ts';
import { asBuffer } from './as-buffer.ts';
import { asList, asNumber, asObject, type Fields } from './json-shape.ts';
import { readFinishReason } from './open-ai-usage.ts';

/**
 * A whole answer of OpenAI's shape as the stream that a client asked for: each choice in one
 * chunk, its finish, the usage, and the end. Unknown fields stay where a stream has them.
 */
export function wholeToChunks(body: Uint8Array, usage: Usage | undefined): readonly StreamPart[] {
  const text = asBuffer(body).toString('utf8');
  const { choices: list, usage: counts, ...others } = asObject(JSON.parse(text)) ?? {};
  const choices = (asList(list) ?? []).map((choice) => asObject(choice) ?? {});
  const isText = choices.some((choice) => choice['text'] !== undefined);
  const head = { ...others, object: isText ? 'text_completion' : 'chat.completion.chunk' };
  const event = (rest: Fields): Uint8Array => Buffer.from(`data: ${JSON.stringify({ ...head, ...rest })}\n\n`);
  return [
    ...choices.map(
      (choice, place): StreamPart => ({ kind: 'content', bytes: event({ choices: [said(choice, place)] }) }),
    ),
    ...choices.map((choice, place): StreamPart => {
      const reason = readFinishReason(choice['finish_reason']) ?? 'stop';
      const empty = isText ? { text: '' } : { delta: {} };
      const index = asNumber(choice['index']) ?? place;
      return {
        kind: 'finish',
        bytes: event({ choices: [{ index, ...empty, finish_reason: choice['finish_reason'] || reason }] }),
        reason,
        usage,
      };
    }),
    ...(usage === undefined ? [] : [{ kind: 'usage', bytes: event({ choices: [], usage: counts }), usage } as const]),
    { kind: 'done' },
  ];
}

function said(choice: Fields, place: number): Fields {
  const { index, message, ...rest } = choice;
  const { tool_calls: calls, ...fields } = asObject(message) ?? {};
  const list = asList(calls)?.map((call, at) => ({ index: at, ...asObject(call) }));
  return {
    index: asNumber(index) ?? place,
    ...(message === undefined ? {} : { delta: { ...fields, ...(list === undefined ? {} : { tool_calls: list }) } }),
    ...rest,
    finish_reason: null,
  };
}
