import {
  type ChatMessage,
  type ChatParameters,
  type ContentPart,
  foreignField,
  readMessages,
  readParameters,
  saysAnything,
} from './chat-request.ts';
import { asText, type Fields } from './json-shape.ts';

/** What the translation must know of the deployment. */
export type MessagesOptions = {
  readonly model: string;
  readonly stream: boolean;
  readonly maxOutputTokens: number | undefined;
};

/** Most tokens of an answer where neither request nor deployment names a number: Anthropic wants one. */
const defaultMaxTokens = 4096;

/**
 * Fields of a chat request that Anthropic's Messages have no words for, and what becomes of them:
 * those that would change the answer are refused, the others are left out.
 */
export const messagesFields: { readonly refused: readonly string[]; readonly dropped: readonly string[] } = {
  refused: [
    'audio',
    'functions',
    'function_call',
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'prediction',
    'web_search_options',
  ],
  dropped: [
    'frequency_penalty',
    'presence_penalty',
    'seed',
    'service_tier',
    'store',
    'stream_options',
    'verbosity',
    'metadata',
    'modalities',
    'prompt_cache_key',
  ],
};

/** Translates a chat request to Anthropic's Messages; gives the name of a field that cannot be said. */
export function chatToMessages(
  body: Fields,
  options: MessagesOptions,
): { readonly kind: 'body'; readonly body: Fields } | { readonly kind: 'refused'; readonly field: string } {
  const messages = readMessages(body['messages']);
  const refused =
    messagesFields.refused.find((field) => saysAnything(body[field])) ??
    (typeof body['n'] === 'number' && body['n'] > 1 ? 'n' : undefined) ??
    foreignField(body, messages);
  if (refused !== undefined) return { kind: 'refused', field: refused };
  const parameters = readParameters(body);
  return {
    kind: 'body',
    body: {
      model: options.model,
      max_tokens: parameters.maxTokens ?? options.maxOutputTokens ?? defaultMaxTokens,
      messages: joinTurns(messages.filter((message) => !isSystem(message))),
      ...systemOf(messages.filter(isSystem), parameters),
      ...(options.stream ? { stream: true } : {}),
      ...samplingOf(parameters),
      ...toolsOf(parameters),
      ...effortOf(parameters),
      ...(parameters.user === undefined ? {} : { metadata: { user_id: parameters.user } }),
      ...nativeFields(body),
    },
  };
}

/** Anthropic's own fields pass as they are: clients that know them send them on purpose. */
function nativeFields(body: Fields): Fields {
  const native = [
    'thinking',
    'top_k',
    'cache_control',
    'mcp_servers',
    'container',
    'context_management',
    'output_config',
  ];
  return Object.fromEntries(native.flatMap((key) => (body[key] === undefined ? [] : [[key, body[key]]])));
}

function isSystem({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}

/** One text, or blocks where a client marks what is to be cached. */
function systemOf(messages: readonly ChatMessage[], { format }: ChatParameters): Fields {
  const wantsJson = format.kind === 'json';
  const blocks = [
    ...messages.flatMap((message) => message.parts.flatMap(blockOf)),
    ...(wantsJson ? [{ type: 'text', text: 'Answer with one JSON object and nothing else.' }] : []),
  ];
  if (blocks.length === 0) return {};
  const isMarked = blocks.some((block) => 'cache_control' in block);
  return { system: isMarked ? blocks : blocks.map((block) => asText(block['text']) ?? '').join('\n\n') };
}

function samplingOf({ temperature, topP, stop }: ChatParameters): Fields {
  const stops = stop.filter((one) => one.trim() !== '');
  return {
    // OpenAI's scale ends at 2, Anthropic's at 1.
    ...(temperature === undefined ? {} : { temperature: Math.min(1, temperature) }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stops.length === 0 ? {} : { stop_sequences: stops }),
  };
}

function toolsOf({ tools, toolChoice, isParallel }: ChatParameters): Fields {
  if (tools.length === 0) return {};
  const isOneByOne = !isParallel && toolChoice !== 'none';
  const choice =
    toolChoice === undefined && !isOneByOne
      ? undefined
      : { ...choiceOf(toolChoice), ...(isOneByOne ? { disable_parallel_tool_use: true } : {}) };
  return {
    tools: tools.map(({ name, description, parameters }) => ({
      name,
      ...(description === undefined ? {} : { description }),
      input_schema: { type: 'object', ...parameters },
    })),
    ...(choice === undefined ? {} : { tool_choice: choice }),
  };
}

function choiceOf(choice: ChatParameters['toolChoice']): Fields {
  if (choice === undefined || choice === 'auto') return { type: 'auto' };
  if (choice === 'none') return { type: 'none' };
  return choice === 'required' ? { type: 'any' } : { type: 'tool', name: choice.name };
}

function effortOf({ reasoningEffort, format }: ChatParameters): Fields {
  const effort =
    reasoningEffort === undefined || reasoningEffort === 'none'
      ? undefined
      : reasoningEffort === 'minimal'
        ? 'low'
        : reasoningEffort;
  const schema = format.kind === 'schema' ? { type: 'json_schema', schema: format.schema } : undefined;
  return {
    ...(reasoningEffort === 'none' ? { thinking: { type: 'disabled' } } : {}),
    ...(effort === undefined && schema === undefined
      ? {}
      : {
          output_config: {
            ...(effort === undefined ? {} : { effort }),
            ...(schema === undefined ? {} : { format: schema }),
          },
        }),
  };
}

type Turn = { readonly role: 'user' | 'assistant'; readonly content: Fields[] };

/** Turns must alternate, and results of tools stand first in the user's turn after the calls. */
function joinTurns(messages: readonly ChatMessage[]): readonly Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const blocks = blocksOf(message);
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else if (blocks.length > 0) turns.push({ role, content: blocks });
  }
  for (const { content } of turns) content.sort((a, b) => resultsFirst(a) - resultsFirst(b));
  const last = turns.at(-1);
  // A beginning that the model is to continue must not end in blanks.
  const lastBlock = last?.role === 'assistant' ? last.content.at(-1) : undefined;
  if (last !== undefined && lastBlock?.['type'] === 'text')
    last.content[last.content.length - 1] = { ...lastBlock, text: asText(lastBlock['text'])?.trimEnd() };
  return turns;
}

function resultsFirst(block: Fields): number {
  return block['type'] === 'tool_result' ? 0 : 1;
}

function blocksOf(message: ChatMessage): Fields[] {
  const content = message.parts.flatMap(blockOf);
  if (message.role === 'tool' || message.role === 'function') {
    return [{ type: 'tool_result', tool_use_id: cleanId(message.toolCallId ?? 'call_0'), content }];
  }
  return [
    ...message.thinkingBlocks,
    ...content,
    ...message.toolCalls.map(({ id, name, arguments: input }) => ({ type: 'tool_use', id: cleanId(id), name, input })),
  ];
}

function blockOf(part: ContentPart): Fields[] {
  switch (part.kind) {
    case 'text':
      // It refuses a text of blanks, which models write before a call.
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text, ...cacheOf(part.cacheControl) }];
    case 'image': {
      const source = { type: 'base64', media_type: part.mediaType, data: part.base64 };
      return [{ type: 'image', source, ...cacheOf(part.cacheControl) }];
    }
    case 'image_url':
      return [{ type: 'image', source: { type: 'url', url: part.url }, ...cacheOf(part.cacheControl) }];
    case 'other':
      return [];
  }
}

function cacheOf(mark: unknown): Fields {
  return mark === undefined || mark === null ? {} : { cache_control: mark };
}

/** Ids of other vendors may hold letters that Anthropic's must not; equal ids stay equal. */
function cleanId(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9_-]/g, '_');
}
