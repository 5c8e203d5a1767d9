import { asList, asObject, asText, type Fields } from './json-shape.ts';

/** A piece of a message's content, as far as other wires know it. */
export type ContentPart =
  | { readonly kind: 'text'; readonly text: string; readonly cacheControl: unknown }
  | { readonly kind: 'image'; readonly mediaType: string; readonly base64: string; readonly cacheControl: unknown }
  | { readonly kind: 'image_url'; readonly url: string; readonly cacheControl: unknown }
  | { readonly kind: 'other'; readonly type: string };

/** A call of a tool in an assistant's message. */
export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: Fields };

/** One message of a chat, read. */
export type ChatMessage = {
  readonly role: string;
  readonly parts: readonly ContentPart[];
  readonly toolCalls: readonly ToolCall[];
  readonly toolCallId: string | undefined;
  readonly reasoning: string | undefined;
  /** Thinking that its model has signed, as it was handed out. */
  readonly thinkingBlocks: readonly Fields[];
};

/** Reads the messages of a chat request, for wires that say them otherwise. */
export function readMessages(value: unknown): readonly ChatMessage[] {
  return (asList(value) ?? []).map((one) => {
    const message: Fields = asObject(one) ?? {};
    return {
      role: asText(message['role']) ?? 'user',
      parts: readParts(message['content']),
      toolCalls: readToolCalls(message['tool_calls']),
      toolCallId: asText(message['tool_call_id']),
      reasoning: asText(message['reasoning_content']) ?? asText(message['reasoning']),
      thinkingBlocks: objectsOf(message['thinking_blocks']),
    };
  });
}

function objectsOf(value: unknown): readonly Fields[] {
  return (asList(value) ?? []).flatMap((one) => {
    const fields = asObject(one);
    return fields === undefined ? [] : [fields];
  });
}

/** All text of a message, pieces on lines of their own. */
export function textOf(parts: readonly ContentPart[]): string {
  return parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
}

function readParts(content: unknown): readonly ContentPart[] {
  const whole = asText(content);
  if (whole !== undefined) return whole === '' ? [] : [{ kind: 'text', text: whole, cacheControl: undefined }];
  return (asList(content) ?? []).map((one): ContentPart => {
    const part: Fields = asObject(one) ?? {};
    const type = asText(part['type']) ?? 'unknown';
    const cacheControl = part['cache_control'];
    if (type === 'text') return { kind: 'text', text: asText(part['text']) ?? '', cacheControl };
    if (type === 'refusal') return { kind: 'text', text: asText(part['refusal']) ?? '', cacheControl };
    if (type !== 'image_url') return { kind: 'other', type };
    const url = asText(asObject(part['image_url'])?.['url']) ?? asText(part['image_url']) ?? '';
    const data = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,(.*)$/is.exec(url);
    return data === null
      ? { kind: 'image_url', url, cacheControl }
      : { kind: 'image', mediaType: data[1] ?? '', base64: data[2] ?? '', cacheControl };
  });
}

function readToolCalls(value: unknown): readonly ToolCall[] {
  return (asList(value) ?? []).map((one, index) => {
    const call: Fields = asObject(one) ?? {};
    const called: Fields = asObject(call['function']) ?? {};
    return {
      id: asText(call['id']) ?? `call_${index}`,
      name: asText(called['name']) ?? '',
      arguments: readArguments(called['arguments']),
    };
  });
}

/** Arguments travel as text; what is no object is kept under one name rather than lost. */
function readArguments(value: unknown): Fields {
  const text = asText(value);
  if (text === undefined) return asObject(value) ?? {};
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return asObject(parsed) ?? { value: parsed };
  } catch {
    return { value: text };
  }
}

/** Whether a field of a request says anything: empty values are what clients send for "not set". */
export function saysAnything(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  const list = asList(value);
  if (list !== undefined) return list.length > 0;
  const fields = asObject(value);
  return fields === undefined || Object.keys(fields).length > 0;
}

/** What of tools, choices and parts is of a kind that only OpenAI's own wire can say; undefined where nothing is. */
export function foreignField(body: Fields, messages: readonly ChatMessage[]): string | undefined {
  const part = messages.flatMap((message) => message.parts).find((one) => one.kind === 'other');
  if (part?.kind === 'other') return `messages (a part of type ${part.type})`;
  const tool = (asList(body['tools']) ?? []).find((one) => asObject(asObject(one)?.['function']) === undefined);
  if (tool !== undefined) return `tools (one of type ${asText(asObject(tool)?.['type']) ?? 'unknown'})`;
  const choice = asText(asObject(body['tool_choice'])?.['type']);
  return choice === undefined || choice === 'function' ? undefined : `tool_choice (of type ${choice})`;
}

/** Limits, samplings and forms of a chat request that several wires take. */
export type ChatParameters = {
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly presencePenalty: number | undefined;
  readonly frequencyPenalty: number | undefined;
  readonly reasoningEffort: string | undefined;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string } | undefined;
  readonly isParallel: boolean;
  readonly format:
    | { readonly kind: 'text' }
    | { readonly kind: 'json' }
    | { readonly kind: 'schema'; readonly schema: Fields };
  readonly user: string | undefined;
};

/** A tool that the model may call. */
export type ToolDefinition = {
  readonly name: string;
  readonly description: string | undefined;
  readonly parameters: Fields;
};

/** Reads the parameters of a chat request. */
export function readParameters(body: Fields): ChatParameters {
  const number = (key: string): number | undefined => (typeof body[key] === 'number' ? body[key] : undefined);
  const stop = body['stop'];
  return {
    maxTokens: number('max_completion_tokens') ?? number('max_tokens'),
    temperature: number('temperature'),
    topP: number('top_p'),
    seed: number('seed'),
    stop: typeof stop === 'string' ? [stop] : (asList(stop) ?? []).filter((one) => typeof one === 'string'),
    presencePenalty: number('presence_penalty'),
    frequencyPenalty: number('frequency_penalty'),
    reasoningEffort: asText(body['reasoning_effort']),
    tools: readTools(body['tools']),
    toolChoice: readToolChoice(body['tool_choice']),
    isParallel: body['parallel_tool_calls'] !== false,
    format: readFormat(body['response_format']),
    user: asText(body['user']) ?? asText(body['safety_identifier']),
  };
}

function readTools(value: unknown): readonly ToolDefinition[] {
  return (asList(value) ?? []).flatMap((one) => {
    const tool = asObject(asObject(one)?.['function']);
    const name = asText(tool?.['name']);
    if (tool === undefined || name === undefined) return [];
    return [
      {
        name,
        description: asText(tool['description']),
        parameters: asObject(tool['parameters']) ?? { type: 'object', properties: {} },
      },
    ];
  });
}

function readToolChoice(value: unknown): ChatParameters['toolChoice'] {
  if (value === 'auto' || value === 'none' || value === 'required') return value;
  const name = asText(asObject(asObject(value)?.['function'])?.['name']);
  return name === undefined ? undefined : { name };
}

function readFormat(value: unknown): ChatParameters['format'] {
  const format = asObject(value);
  if (format?.['type'] === 'json_object') return { kind: 'json' };
  const schema = asObject(asObject(format?.['json_schema'])?.['schema']);
  return format?.['type'] === 'json_schema' && schema !== undefined ? { kind: 'schema', schema } : { kind: 'text' };
}
