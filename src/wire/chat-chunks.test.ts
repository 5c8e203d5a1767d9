import { describe, expect, test } from 'vitest';
import { tokens } from '../plan/ids.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import type { StreamPart } from './answer.ts';
import { type ChunkWriter, createChunkWriter } from './chat-chunks.ts';

const usage = {
  promptTokens: tokens(3),
  completionTokens: tokens(2),
  cachedTokens: undefined,
  reasoningTokens: undefined,
};

function write(endpoint: Endpoint, script: (writer: ChunkWriter) => StreamPart[][]): readonly StreamPart[] {
  const context = {
    endpoint,
    askedModel: 'asked',
    requestId: 'r1',
    createdAt: 17,
    encodingFormat: undefined,
  };
  return script(createChunkWriter(context)).flat();
}

type Chunk = {
  readonly choices: readonly { readonly delta?: object; readonly text?: string }[];
  readonly usage?: object;
};

function chunks(parts: readonly StreamPart[]): readonly Chunk[] {
  return parts.flatMap((part) => {
    if (!('bytes' in part)) return [];
    const text = Buffer.from(part.bytes).toString('utf8');
    // One line of data and a blank line: what line readers can take.
    expect(text).toMatch(/^data: [^\n]+\n\n$/);
    return [JSON.parse(text.slice('data: '.length))];
  });
}

const talk = (writer: ChunkWriter): StreamPart[][] => [
  writer.reasoning('hm'),
  writer.text('Hi'),
  writer.toolCall({ index: 0, id: 'c', name: 'f', arguments: '' }),
  writer.toolArguments(0, '{}'),
  writer.finish('tool_calls', usage),
];

describe('spine 3.4: chunks that every client can read', () => {
  test('the role comes once and first, and deltas are never null', () => {
    expect(chunks(write('chat', talk)).map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'hm' },
      { content: 'Hi' },
      { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
      {},
      undefined,
    ]);
  });

  test('one id, time and model for all, and each choice has its index and its reason', () => {
    const all = chunks(write('chat', talk));
    for (const chunk of all) {
      expect(chunk).toMatchObject({ id: 'chatcmpl-r1', object: 'chat.completion.chunk', created: 17, model: 'asked' });
    }
    const reasons = all.slice(0, -1).map((chunk) => chunk.choices[0]);
    for (const choice of reasons) expect(choice).toMatchObject({ index: 0, logprobs: null });
    expect(reasons.at(-1)).toMatchObject({ finish_reason: 'tool_calls' });
    expect(all.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
  });

  test('the parts say what they are', () => {
    const kinds = (parts: readonly StreamPart[]): readonly string[] => parts.map((part) => part.kind);
    expect(kinds(write('chat', talk))).toEqual([
      'opening',
      'content',
      'content',
      'content',
      'content',
      'finish',
      'usage',
      'done',
    ]);
    // An answer of nothing still has its role, for clients that want one.
    expect(kinds(write('chat', (writer) => [writer.finish('stop', undefined)]))).toEqual(['opening', 'finish', 'done']);
  });

  test('completions have text where chats have deltas', () => {
    const parts = write('completions', (writer) => [writer.text('Hi'), writer.finish('length', undefined)]);
    expect(chunks(parts)).toEqual([
      {
        id: 'cmpl-r1',
        object: 'text_completion',
        created: 17,
        model: 'asked',
        choices: [{ index: 0, text: 'Hi', logprobs: null, finish_reason: null }],
      },
      {
        id: 'cmpl-r1',
        object: 'text_completion',
        created: 17,
        model: 'asked',
        choices: [{ index: 0, text: '', logprobs: null, finish_reason: 'length' }],
      },
    ]);
  });
});
