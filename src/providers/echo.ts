import { tokens } from '../plan/ids.ts';
import type { Usage } from '../plan/usage.ts';
import { answerHead } from '../wire/answer-head.ts';
import { createChunkWriter } from '../wire/chat-chunks.ts';
import { convertEmbeddings } from '../wire/embeddings.ts';
import { asList, asObject, asText } from '../wire/json-shape.ts';
import { toOpenAiUsage } from '../wire/open-ai-usage.ts';
import { bodyFields, buildOpenAiRequest } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import type { BuildInput, Dialect, LocalAnswer, ReadContext, StreamPart } from './provider.ts';

/**
 * The built-in echo: it answers with the words it was sent, so that a client can be tried before
 * any model runs. It has no upstream and never pretends to be a model.
 */
export const echo: Dialect = {
  ...openai,
  name: 'echo',
  buildRequest: (input) => buildOpenAiRequest(input, { learnUsage: false }),
  answerLocally,
  probes: () => [],
  readProbe: () => ({
    state: 'up',
    detail: undefined,
    version: undefined,
    models: undefined,
    resident: undefined,
    servesOneModel: true,
  }),
  recognises: () => false,
  authorize: () => [],
};

function answerLocally(input: BuildInput, context: ReadContext): LocalAnswer {
  const body = bodyFields(input.body);
  if (input.endpoint === 'embeddings') return { kind: 'whole', answer: embed(body['input'], context) };
  const said = input.endpoint === 'chat' ? lastMessage(body['messages']) : promptText(body['prompt']);
  const words = said.match(/\s*\S+/g) ?? [];
  const usage = usageOf(words.length);
  if (!input.stream) return { kind: 'whole', answer: whole(words.join(''), usage, context) };
  return { kind: 'stream', parts: stream(words, usage, context) };
}

/** Text of the last message of the user, else of the last one. */
function lastMessage(messages: unknown): string {
  const list = (asList(messages) ?? []).map((message) => asObject(message));
  const last = list.findLast((message) => message?.['role'] === 'user') ?? list.at(-1);
  const content = last?.['content'];
  const parts = asList(content);
  return parts === undefined
    ? (asText(content) ?? '')
    : parts.map((part) => asText(asObject(part)?.['text']) ?? '').join(' ');
}

function promptText(prompt: unknown): string {
  return asText(prompt) ?? asText(asList(prompt)?.[0]) ?? '';
}

function usageOf(words: number): Usage {
  return {
    promptTokens: tokens(words),
    completionTokens: tokens(words),
    cachedTokens: undefined,
    reasoningTokens: undefined,
  };
}

function whole(text: string, usage: Usage, context: ReadContext): Extract<LocalAnswer, { kind: 'whole' }>['answer'] {
  const chat = context.endpoint === 'chat';
  const said = chat ? { message: { role: 'assistant', content: text } } : { text };
  const answer = {
    ...answerHead(context, 'whole'),
    choices: [{ index: 0, ...said, logprobs: null, finish_reason: 'stop' }],
    usage: toOpenAiUsage(usage),
  };
  return { kind: 'answer', body: Buffer.from(JSON.stringify(answer)), usage, finish: 'stop' };
}

function stream(words: readonly string[], usage: Usage, context: ReadContext): readonly StreamPart[] {
  const writer = createChunkWriter(context);
  return [...words.flatMap((word) => writer.text(word)), ...writer.finish('stop', usage)];
}

/** Length of an echoed vector: enough to be told from another, small enough to be read. */
const dimensions = 8;

function embed(value: unknown, context: ReadContext): Extract<LocalAnswer, { kind: 'whole' }>['answer'] {
  const list = asList(value);
  const inputs = list === undefined || typeof list[0] === 'number' ? [value] : list;
  const usage = usageOf(inputs.length);
  const answer = {
    object: 'list',
    data: inputs.map((input, index) => ({ object: 'embedding', index, embedding: vectorOf(JSON.stringify(input)) })),
    model: context.askedModel,
    usage: { prompt_tokens: usage.promptTokens, total_tokens: usage.promptTokens },
  };
  const body = convertEmbeddings(Buffer.from(JSON.stringify(answer)), context.encodingFormat);
  return { kind: 'answer', body, usage, finish: undefined };
}

/** A unit vector of letter counts: equal for equal texts, near for near ones. */
function vectorOf(text: string): number[] {
  const counts = new Array<number>(dimensions).fill(0);
  for (const letter of text) {
    const place = (letter.codePointAt(0) ?? 0) % dimensions;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const length = Math.hypot(...counts);
  return counts.map((value) => value / length);
}
