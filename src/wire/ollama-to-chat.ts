import { failure } from '../plan/failure-catalogue.ts';
import { tokens } from '../plan/ids.ts';
import type { FinishReason, Usage } from '../plan/usage.ts';
import { failed, type ReadContext, type StreamPart, type StreamReader, type WholeAnswer } from './answer.ts';
import { answerHead } from './answer-head.ts';
import { asBuffer } from './as-buffer.ts';
import { createChunkWriter } from './chat-chunks.ts';
import { convertEmbeddings } from './embeddings.ts';
import { asCount, asList, asObject, asText, type Fields, parseObject } from './json-shape.ts';
import { createNdjsonFramer } from './ndjson.ts';
import { toOpenAiUsage } from './open-ai-usage.ts';
import { readErrorValue } from './read-error.ts';
import { createStreamReader } from './read-stream.ts';

/** Reads a whole answer of Ollama's own wire as OpenAI's. */
export function ollamaToChat(body: Uint8Array, context: ReadContext): WholeAnswer {
  const answer = parseObject(asBuffer(body).toString('utf8'));
  if (answer === undefined) return failed(failure('upstream_malformed', 'The provider’s answer is not a JSON object'));
  if (answer['error'] !== undefined) return failed(readErrorValue(answer));
  if (context.endpoint === 'embeddings') return readEmbeddings(answer, context);
  if (answer['done'] !== true) return failed(failure('upstream_truncated'));
  const usage = readUsage(answer);
  const calls = readCalls(asObject(answer['message'])?.['tool_calls'], context, 0);
  const finish = finishOf(answer, calls.length > 0);
  const isChat = context.endpoint === 'chat';
  const written = {
    ...answerHead(context, 'whole'),
    choices: [
      {
        index: 0,
        ...(isChat ? { message: messageOf(answer, calls) } : { text: asText(answer['response']) ?? '' }),
        logprobs: logprobsOf(answer),
        finish_reason: finish,
      },
    ],
    usage: toOpenAiUsage(usage),
  };
  return { kind: 'answer', body: Buffer.from(JSON.stringify(written)), usage, finish };
}

function messageOf(answer: Fields, calls: readonly Call[]): Fields {
  const message: Fields = asObject(answer['message']) ?? {};
  const text = asText(message['content']) ?? '';
  const thinking = asText(message['thinking']);
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    ...(thinking === undefined || thinking === '' ? {} : { reasoning_content: thinking }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, name, arguments: text }) => ({
            id,
            type: 'function',
            function: { name, arguments: text },
          })),
        }),
  };
}

function logprobsOf(answer: Fields): Fields | null {
  const list = asList(answer['logprobs']);
  return list === undefined ? null : { content: list };
}

type Call = { readonly index: number; readonly id: string; readonly name: string; readonly arguments: string };

/** Calls come whole, their arguments as an object, and in older versions without an id. */
function readCalls(value: unknown, context: ReadContext, first: number): readonly Call[] {
  return (asList(value) ?? []).map((one, at) => {
    const call: Fields = asObject(one) ?? {};
    const called: Fields = asObject(call['function']) ?? {};
    const index = first + at;
    return {
      index,
      id: asText(call['id']) ?? `call_${context.requestId}_${index}`,
      name: asText(called['name']) ?? '',
      arguments: JSON.stringify(called['arguments'] ?? {}),
    };
  });
}

/** Counts of zero are left out by Ollama. */
function readUsage(answer: Fields): Usage {
  return {
    promptTokens: tokens(asCount(answer['prompt_eval_count']) ?? 0),
    completionTokens: tokens(asCount(answer['eval_count']) ?? 0),
    cachedTokens: undefined,
    reasoningTokens: undefined,
  };
}

function finishOf(answer: Fields, hasCalls: boolean): FinishReason {
  if (hasCalls) return 'tool_calls';
  return answer['done_reason'] === 'length' ? 'length' : 'stop';
}

function readEmbeddings(answer: Fields, context: ReadContext): WholeAnswer {
  const list = asList(answer['embeddings']);
  if (list === undefined) return failed(failure('upstream_malformed', 'The provider’s answer has no "embeddings"'));
  const prompt = tokens(asCount(answer['prompt_eval_count']) ?? 0);
  const written = {
    object: 'list',
    data: list.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: context.askedModel,
    usage: { prompt_tokens: prompt, total_tokens: prompt },
  };
  const body = convertEmbeddings(Buffer.from(JSON.stringify(written)), context.encodingFormat);
  const usage: Usage = {
    promptTokens: prompt,
    completionTokens: undefined,
    cachedTokens: undefined,
    reasoningTokens: undefined,
  };
  return { kind: 'answer', body, usage, finish: undefined };
}

/** Creates a reader of Ollama's lines as OpenAI's chunks. Only a line with `done: true` completes an answer. */
export function createOllamaReader(context: ReadContext): StreamReader {
  const writer = createChunkWriter(context);
  let calls = 0;
  const read = (line: string): readonly StreamPart[] => {
    const chunk = parseObject(line);
    if (chunk === undefined)
      return [failed(failure('upstream_malformed', 'The provider sent a line that is not a JSON object'))];
    if (chunk['error'] !== undefined) return [failed(readErrorValue(chunk))];
    const message: Fields = asObject(chunk['message']) ?? {};
    const parts: StreamPart[] = [];
    const thinking = asText(message['thinking']) ?? '';
    const text = asText(message['content']) ?? asText(chunk['response']) ?? '';
    if (thinking !== '') parts.push(...writer.reasoning(thinking));
    if (text !== '') parts.push(...writer.text(text, asList(chunk['logprobs'])));
    for (const call of readCalls(message['tool_calls'], context, calls)) {
      calls++;
      parts.push(...writer.toolCall(call));
    }
    if (chunk['done'] === true) parts.push(...writer.finish(finishOf(chunk, calls > 0), readUsage(chunk)));
    return parts;
  };
  return createStreamReader(createNdjsonFramer(), {
    read,
    end: () => [failed(failure('upstream_truncated'))],
    isWhole: (line) => parseObject(line) !== undefined,
  });
}
