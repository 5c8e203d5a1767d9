import {
  type ChatMessage,
  type ChatParameters,
  foreignField,
  readMessages,
  readParameters,
  saysAnything,
  textOf,
} from './chat-request.ts';
import { asList, asText, type Fields } from './json-shape.ts';

/** What the translation must know of the deployment. */
export type OllamaOptions = {
  readonly model: string;
  readonly stream: boolean;
  /** Runner options that the configuration declares. */
  readonly options: Fields;
  readonly keepAlive: string | number | undefined;
};

/** A translated body, or the name of a field that Ollama's own wire has no words for. */
export type OllamaBody =
  | { readonly kind: 'body'; readonly body: Fields }
  | { readonly kind: 'refused'; readonly field: string };

/** Options of Ollama's runner that clients give at the top of a request. */
const optionFields = [
  'top_k',
  'min_p',
  'typical_p',
  'repeat_penalty',
  'repeat_last_n',
  'num_ctx',
  'num_keep',
  'num_gpu',
  'num_batch',
  'num_thread',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
];

/** Fields that would change the answer and cannot be said: they are refused. Others that it lacks are left out. */
export const ollamaFields: { readonly refused: readonly string[]; readonly dropped: readonly string[] } = {
  refused: ['audio', 'functions', 'function_call', 'logit_bias', 'prediction', 'web_search_options'],
  dropped: [
    'metadata',
    'modalities',
    'parallel_tool_calls',
    'prompt_cache_key',
    'safety_identifier',
    'service_tier',
    'store',
    'stream_options',
    'user',
    'verbosity',
  ],
};

/** Translates a chat request to Ollama's /api/chat. */
export function chatToOllama(body: Fields, known: OllamaOptions): OllamaBody {
  const messages = readMessages(body['messages']);
  const hasAddress = messages.some(({ parts }) => parts.some((part) => part.kind === 'image_url'));
  const refused =
    refusedField(body) ??
    foreignField(body, messages) ??
    (hasAddress ? 'image_url (only data: addresses, Ollama fetches nothing)' : undefined);
  if (refused !== undefined) return { kind: 'refused', field: refused };
  const parameters = readParameters(body);
  const tools = offeredTools(parameters);
  return {
    kind: 'body',
    body: {
      model: known.model,
      messages: translateMessages(messages),
      stream: known.stream,
      ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
      ...formatOf(parameters),
      ...thinkOf(parameters, body),
      ...(body['logprobs'] === undefined ? {} : { logprobs: body['logprobs'] }),
      ...(body['top_logprobs'] === undefined ? {} : { top_logprobs: body['top_logprobs'] }),
      ...commonFields(body, parameters, known),
    },
  };
}

/** Ollama cannot be told to call a tool, but it can be offered the wanted one only, or none. */
function offeredTools({ tools, toolChoice }: ChatParameters): ChatParameters['tools'] {
  if (toolChoice === 'none') return [];
  return typeof toolChoice === 'object' ? tools.filter((tool) => tool.name === toolChoice.name) : tools;
}

/** Translates a completions request to Ollama's /api/generate. */
export function completionToOllama(body: Fields, known: OllamaOptions): OllamaBody {
  const refused =
    refusedField(body) ?? (asText(body['prompt']) === undefined ? 'prompt (one text at a time)' : undefined);
  if (refused !== undefined) return { kind: 'refused', field: refused };
  const suffix = asText(body['suffix']);
  return {
    kind: 'body',
    body: {
      model: known.model,
      prompt: asText(body['prompt']) ?? '',
      stream: known.stream,
      ...(suffix === undefined ? { raw: true } : { suffix }),
      ...commonFields(body, readParameters(body), known),
    },
  };
}

/** Translates an embeddings request to Ollama's /api/embed. */
export function embeddingsToOllama(body: Fields, known: OllamaOptions): OllamaBody {
  const input = body['input'];
  const isText = typeof input === 'string' || (asList(input) ?? [0]).every((one) => typeof one === 'string');
  if (!isText) return { kind: 'refused', field: 'input (lists of tokens)' };
  return {
    kind: 'body',
    body: {
      model: known.model,
      input,
      ...(typeof body['dimensions'] === 'number' ? { dimensions: body['dimensions'] } : {}),
      ...(Object.keys(known.options).length === 0 ? {} : { options: known.options }),
      ...(known.keepAlive === undefined ? {} : { keep_alive: known.keepAlive }),
    },
  };
}

function refusedField(body: Fields): string | undefined {
  const found = ollamaFields.refused.find((field) => saysAnything(body[field]));
  return found ?? (typeof body['n'] === 'number' && body['n'] > 1 ? 'n' : undefined);
}

/** What the request says of sampling goes over what the configuration says; the configured context is never changed, since another one reloads the model. */
function commonFields(body: Fields, parameters: ChatParameters, known: OllamaOptions): Fields {
  const asked: Record<string, unknown> = {};
  for (const field of optionFields) if (body[field] !== undefined) asked[field] = body[field];
  const said: Fields = {
    num_predict: parameters.maxTokens,
    temperature: parameters.temperature,
    top_p: parameters.topP,
    seed: parameters.seed,
    stop: parameters.stop.length === 0 ? undefined : parameters.stop,
    presence_penalty: parameters.presencePenalty,
    frequency_penalty: parameters.frequencyPenalty,
  };
  const runner = Object.fromEntries(Object.entries(known.options).filter(([key]) => reloading.has(key)));
  const options = defined({ ...known.options, ...asked, ...defined(said), ...runner });
  const keepAlive = body['keep_alive'] ?? known.keepAlive;
  return {
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
  };
}

/** Options of which another value makes Ollama load the model anew. */
const reloading: ReadonlySet<string> = new Set([
  'num_ctx',
  'num_gpu',
  'num_batch',
  'num_thread',
  'main_gpu',
  'use_mmap',
]);

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function formatOf({ format }: ChatParameters): Fields {
  if (format.kind === 'text') return {};
  return { format: format.kind === 'json' ? 'json' : format.schema };
}

const efforts: Readonly<Record<string, string | boolean>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'max',
  max: 'max',
};

/** Sent only where a request says something of thinking: models without it refuse the field. */
function thinkOf({ reasoningEffort }: ChatParameters, body: Fields): Fields {
  if (body['think'] !== undefined) return { think: body['think'] };
  const effort = reasoningEffort === undefined ? undefined : efforts[reasoningEffort];
  return effort === undefined ? {} : { think: effort };
}

function translateMessages(messages: readonly ChatMessage[]): readonly Fields[] {
  const names = new Map(messages.flatMap((message) => message.toolCalls.map((call) => [call.id, call.name] as const)));
  return messages.map((message) => {
    const images = message.parts.flatMap((part) => (part.kind === 'image' ? [part.base64] : []));
    const name = message.toolCallId === undefined ? undefined : names.get(message.toolCallId);
    return {
      role: message.role === 'developer' ? 'system' : message.role,
      content: textOf(message.parts),
      ...(images.length === 0 ? {} : { images }),
      ...(message.reasoning === undefined ? {} : { thinking: message.reasoning }),
      ...(message.toolCalls.length === 0
        ? {}
        : {
            tool_calls: message.toolCalls.map((call) => ({
              id: call.id,
              function: { name: call.name, arguments: call.arguments },
            })),
          }),
      ...(message.toolCallId === undefined ? {} : { tool_call_id: message.toolCallId }),
      ...(name === undefined ? {} : { tool_name: name }),
    };
  });
}
