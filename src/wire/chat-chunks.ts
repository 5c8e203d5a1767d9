import type { FinishReason, Usage } from '../plan/usage.ts';
import type { ReadContext, StreamPart } from './answer.ts';
import { answerHead } from './answer-head.ts';
import type { Fields } from './json-shape.ts';
import { toOpenAiUsage } from './open-ai-usage.ts';

/** Writes OpenAI's chunks for an answer that came in another wire; each call gives the parts to send. */
export type ChunkWriter = {
  text(text: string, logprobs?: readonly unknown[]): StreamPart[];
  reasoning(text: string): StreamPart[];
  /** Thinking that its model has signed: a client hands it back as it is, with the results of tools. */
  thinkingBlock(block: Fields): StreamPart[];
  /** Begins a tool call; `index` counts calls, not blocks. */
  toolCall(call: {
    readonly index: number;
    readonly id: string;
    readonly name: string;
    readonly arguments: string;
  }): StreamPart[];
  toolArguments(index: number, piece: string): StreamPart[];
  finish(reason: FinishReason, usage: Usage | undefined): StreamPart[];
};

/** Creates a writer; the role goes out before the first content. */
export function createChunkWriter(context: ReadContext): ChunkWriter {
  const isChat = context.endpoint === 'chat';
  const head = answerHead(context, 'chunk');
  let hasBegun = false;
  const event = (rest: object): Uint8Array => Buffer.from(`data: ${JSON.stringify({ ...head, ...rest })}\n\n`);
  const choice = (fields: object, reason: FinishReason | null = null): Uint8Array =>
    event({ choices: [{ index: 0, logprobs: null, ...fields, finish_reason: reason }] });
  const content = (delta: object): StreamPart[] => {
    const parts: StreamPart[] = [];
    if (!hasBegun && isChat)
      parts.push({ kind: 'opening', bytes: choice({ delta: { role: 'assistant', content: '' } }) });
    hasBegun = true;
    parts.push({ kind: 'content', bytes: choice(delta) });
    return parts;
  };
  return {
    text: (text, logprobs) => {
      const known = logprobs === undefined ? {} : { logprobs: { content: logprobs } };
      return content(isChat ? { delta: { content: text }, ...known } : { text });
    },
    reasoning: (text) => content({ delta: { reasoning_content: text } }),
    thinkingBlock: (block) => content({ delta: { thinking_blocks: [block] } }),
    toolCall: ({ index, id, name, arguments: text }) =>
      content({ delta: { tool_calls: [{ index, id, type: 'function', function: { name, arguments: text } }] } }),
    toolArguments: (index, piece) => content({ delta: { tool_calls: [{ index, function: { arguments: piece } }] } }),
    finish(reason, usage) {
      const parts: StreamPart[] = [];
      if (!hasBegun && isChat)
        parts.push({ kind: 'opening', bytes: choice({ delta: { role: 'assistant', content: '' } }) });
      parts.push({ kind: 'finish', bytes: choice(isChat ? { delta: {} } : { text: '' }, reason), reason, usage });
      if (usage !== undefined)
        parts.push({ kind: 'usage', bytes: event({ choices: [], usage: toOpenAiUsage(usage) }), usage });
      parts.push({ kind: 'done' });
      return parts;
    },
  };
}
