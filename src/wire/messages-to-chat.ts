import { failure } from '../plan/failure-catalogue.ts';
import { tokens } from '../plan/ids.ts';
import type { FinishReason, Usage } from '../plan/usage.ts';
import { failed, type ReadContext, type StreamPart, type StreamReader, type WholeAnswer } from './answer.ts';
import { answerHead } from './answer-head.ts';
import { asBuffer } from './as-buffer.ts';
import { type ChunkWriter, createChunkWriter } from './chat-chunks.ts';
import { asCount, asList, asNumber, asObject, asText, type Fields, parseObject } from './json-shape.ts';
import { largestAssembled, mostParts, TooLarge } from './limits.ts';
import { toOpenAiUsage } from './open-ai-usage.ts';
import { readErrorValue } from './read-error.ts';
import { createStreamReader } from './read-stream.ts';
import { createSseFramer, type SseEvent } from './sse.ts';

/** Reads a whole answer of Anthropic's Messages as OpenAI's chat completion. */
export function messagesToChat(body: Uint8Array, context: ReadContext): WholeAnswer {
  const message = parseObject(asBuffer(body).toString('utf8'));
  if (message === undefined) return failed(failure('upstream_malformed', 'The provider’s answer is not a JSON object'));
  if (message['type'] === 'error' || message['error'] !== undefined) return failed(readErrorValue(message));
  const blocks = asList(message['content']);
  if (blocks === undefined) return failed(failure('upstream_malformed', 'The provider’s answer has no "content"'));
  const usage = readUsage(message['usage']);
  const finish = finishOf(asText(message['stop_reason']));
  const answer = {
    ...answerHead(context, 'whole'),
    choices: [
      {
        index: 0,
        message: messageOf(blocks.map((block) => asObject(block) ?? {})),
        logprobs: null,
        finish_reason: finish,
      },
    ],
    ...(usage === undefined ? {} : { usage: toOpenAiUsage(usage) }),
  };
  return { kind: 'answer', body: Buffer.from(JSON.stringify(answer)), usage, finish };
}

function messageOf(blocks: readonly Fields[]): Fields {
  const join = (type: string, key: string): string =>
    blocks.flatMap((block) => (block['type'] === type ? [asText(block[key]) ?? ''] : [])).join('');
  const calls = blocks.flatMap((block) =>
    block['type'] === 'tool_use'
      ? [
          {
            id: block['id'],
            type: 'function',
            function: { name: block['name'], arguments: JSON.stringify(block['input'] ?? {}) },
          },
        ]
      : [],
  );
  const text = join('text', 'text');
  const thinking = join('thinking', 'thinking');
  const signed = blocks.filter((block) => block['type'] === 'thinking' || block['type'] === 'redacted_thinking');
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    ...(thinking === '' ? {} : { reasoning_content: thinking }),
    // Signed blocks must come back as they are when a tool's result is sent, so they are handed on.
    ...(signed.length === 0 ? {} : { thinking_blocks: signed }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** OpenAI counts cached input as part of the prompt, Anthropic beside it. */
function readUsage(value: unknown): Usage | undefined {
  const usage = asObject(value);
  if (usage === undefined || Object.keys(usage).length === 0) return undefined;
  const input = asCount(usage['input_tokens']);
  const cached = asCount(usage['cache_read_input_tokens']);
  const output = asCount(usage['output_tokens']);
  const thinking = asCount(asObject(usage['output_tokens_details'])?.['thinking_tokens']);
  return {
    promptTokens:
      input === undefined
        ? undefined
        : tokens(input + (cached ?? 0) + (asCount(usage['cache_creation_input_tokens']) ?? 0)),
    completionTokens: output === undefined ? undefined : tokens(output),
    cachedTokens: cached === undefined ? undefined : tokens(cached),
    reasoningTokens: thinking === undefined ? undefined : tokens(thinking),
  };
}

function finishOf(reason: string | undefined): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return 'tool_calls';
    case 'refusal':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/** Creates a reader of Anthropic's streamed events as OpenAI's chunks. */
export function createMessagesReader(context: ReadContext): StreamReader {
  const writer = createChunkWriter(context);
  const state: StreamState = { usage: {}, stop: undefined, tools: new Map(), thinking: new Map() };
  const read = ({ data }: SseEvent): readonly StreamPart[] => {
    if (data === '') return [];
    const event = parseObject(data);
    if (event === undefined)
      return [failed(failure('upstream_malformed', 'The provider sent an event that is not a JSON object'))];
    if (event['type'] === 'error' || event['error'] !== undefined) return [failed(readErrorValue(event))];
    return readEvent(event, state, writer);
  };
  return createStreamReader(createSseFramer(), {
    read,
    // An answer that has told why it stopped is whole, though its last event is missing.
    end: () => (state.stop === undefined ? [failed(failure('upstream_truncated'))] : finish(state, writer)),
    isWhole: ({ data }) => parseObject(data) !== undefined,
  });
}

type StreamState = {
  usage: Fields;
  stop: string | undefined;
  /** Block index → the tool call's own number and whether arguments came. */
  readonly tools: Map<number, { readonly index: number; hasArguments: boolean }>;
  /** Block index → the thinking that came so far. */
  readonly thinking: Map<number, string>;
};

function finish(state: StreamState, writer: ChunkWriter): StreamPart[] {
  return writer.finish(finishOf(state.stop), readUsage(state.usage));
}

function readEvent(event: Fields, state: StreamState, writer: ChunkWriter): StreamPart[] {
  switch (event['type']) {
    case 'message_start':
      state.usage = asObject(asObject(event['message'])?.['usage']) ?? {};
      return [];
    case 'content_block_start':
      return startBlock(event, state, writer);
    case 'content_block_delta':
      return readDelta(event, state, writer);
    case 'content_block_stop':
      return stopBlock(event, state, writer);
    case 'message_delta':
      state.stop = asText(asObject(event['delta'])?.['stop_reason']) ?? state.stop;
      state.usage = { ...state.usage, ...asObject(event['usage']) };
      return [];
    case 'message_stop':
      return finish(state, writer);
    default:
      // Pings, and events that later versions add.
      return [];
  }
}

function startBlock(event: Fields, state: StreamState, writer: ChunkWriter): StreamPart[] {
  const block = asObject(event['content_block']);
  if (block?.['type'] === 'text' && isFilled(block['text'])) return writer.text(asText(block['text']) ?? '');
  if (block?.['type'] === 'redacted_thinking') return writer.thinkingBlock(block);
  if (block?.['type'] !== 'tool_use') return [];
  const index = state.tools.size;
  if (index >= mostParts) throw new TooLarge(`The answer has more than ${mostParts} calls`);
  const input = asObject(block['input']);
  const whole = input !== undefined && Object.keys(input).length > 0 ? JSON.stringify(input) : '';
  state.tools.set(asNumber(event['index']) ?? index, { index, hasArguments: whole !== '' });
  return writer.toolCall({
    index,
    id: asText(block['id']) ?? `call_${index}`,
    name: asText(block['name']) ?? '',
    arguments: whole,
  });
}

function readDelta(event: Fields, state: StreamState, writer: ChunkWriter): StreamPart[] {
  const delta: Fields = asObject(event['delta']) ?? {};
  switch (delta['type']) {
    case 'text_delta':
      return isFilled(delta['text']) ? writer.text(asText(delta['text']) ?? '') : [];
    case 'thinking_delta': {
      const piece = asText(delta['thinking']) ?? '';
      const thinking = (state.thinking.get(blockIndex(event)) ?? '') + piece;
      // Kept for its signature; blocks follow one another, and each has one.
      if (thinking.length > largestAssembled || state.thinking.size > mostParts)
        throw new TooLarge(`The thinking is longer than ${largestAssembled} letters`);
      state.thinking.set(blockIndex(event), thinking);
      return piece === '' ? [] : writer.reasoning(piece);
    }
    case 'signature_delta': {
      const thinking = state.thinking.get(blockIndex(event)) ?? '';
      return writer.thinkingBlock({ type: 'thinking', thinking, signature: delta['signature'] });
    }
    case 'input_json_delta': {
      const tool = state.tools.get(blockIndex(event));
      const piece = asText(delta['partial_json']) ?? '';
      if (tool === undefined || piece === '') return [];
      tool.hasArguments = true;
      return writer.toolArguments(tool.index, piece);
    }
    default:
      return [];
  }
}

/** A call without arguments gets an empty object: clients parse what they are given. */
function stopBlock(event: Fields, state: StreamState, writer: ChunkWriter): StreamPart[] {
  const tool = state.tools.get(blockIndex(event));
  return tool === undefined || tool.hasArguments ? [] : writer.toolArguments(tool.index, '{}');
}

function blockIndex(event: Fields): number {
  return asNumber(event['index']) ?? -1;
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
