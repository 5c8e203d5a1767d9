import { failure } from '../plan/failure-catalogue.ts';
import { tokens } from '../plan/ids.ts';
import type { ListedModel } from '../plan/listed-model.ts';
import type { ProbeAnswer, ProbeReport, ResidentModel } from '../plan/probe.ts';
import { bodyFields } from '../wire/chat-to-messages.ts';
import { chatToOllama, completionToOllama, embeddingsToOllama } from '../wire/chat-to-ollama.ts';
import { asList, asNumber, asObject, asText } from '../wire/json-shape.ts';
import { createOllamaReader, ollamaToChat } from '../wire/ollama-to-chat.ts';
import { basePath, buildOpenAiRequest, probeJson, statusDetail } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import type { AnswerReading, BuildInput, BuildResult, Dialect } from './provider.ts';

/**
 * Ollama, local or in its cloud. Its /v1 is OpenAI's wire and goes through untouched; where the
 * deployment declares runner options or keep_alive, or the request gives some, its own wire is
 * spoken instead, since /v1 cannot carry them. It cuts a prompt that is too long without a word;
 * only its own wire can be told to refuse it.
 */
export const ollama: Dialect = {
  ...openai,
  name: 'ollama',
  buildRequest,
  probes: (provider) => [
    { path: `${basePath(provider)}/api/version`, required: true },
    { path: `${basePath(provider)}/api/tags`, required: true },
    { path: `${basePath(provider)}/api/ps`, required: false },
  ],
  readProbe,
  recognises: (answers) => asText(asObject(probeJson(answers, '/api/version'))?.['version']) !== undefined,
};

function buildRequest(input: BuildInput): BuildResult {
  if (needsNative(input)) return buildNative(input);
  const native = hasUnheardLimit(input) || input.isLong === true ? buildNative(input) : undefined;
  return native?.kind === 'request' ? native : buildOpenAiRequest(input, { learnUsage: true });
}

/** Its /v1 does not hear `max_completion_tokens`, by which newer clients say what they said by `max_tokens`. */
function hasUnheardLimit({ endpoint, scan: { members } }: BuildInput): boolean {
  return endpoint === 'chat' && members.has('max_completion_tokens') && !members.has('max_tokens');
}

/** Fields of a request that only the native wire can carry. */
const nativeFields = ['think', 'keep_alive', 'num_ctx', 'top_k', 'min_p', 'repeat_penalty', 'mirostat'];

function needsNative({ deployment, scan }: BuildInput): boolean {
  if (Object.keys(deployment.options).length > 0 || deployment.keepAlive !== undefined) return true;
  if (
    nativeFields.some((field) => deployment.defaults[field] !== undefined || deployment.extraBody[field] !== undefined)
  )
    return true;
  return nativeFields.some((field) => scan.members.has(field));
}

const nativePaths = { chat: '/api/chat', completions: '/api/generate', embeddings: '/api/embed' };
const translators = { chat: chatToOllama, completions: completionToOllama, embeddings: embeddingsToOllama };

/** A prompt that is too long is refused, and an answer ends where the context does instead of losing its beginning. */
function uncut(endpoint: BuildInput['endpoint'], body: object): object {
  return endpoint === 'embeddings' ? { ...body, truncate: false } : { ...body, truncate: false, shift: false };
}

const nativeReading: AnswerReading = {
  readWhole: ollamaToChat,
  createStreamReader: createOllamaReader,
  streamContentType: 'application/x-ndjson',
};

function buildNative(input: BuildInput): BuildResult {
  const { deployment, provider, endpoint } = input;
  const whole = { ...deployment.defaults, ...bodyFields(input.body), ...deployment.extraBody };
  const kept = Object.fromEntries(Object.entries(whole).filter(([key]) => !deployment.dropParams.includes(key)));
  const stream = input.stream && endpoint !== 'embeddings';
  const translated = translators[endpoint](kept, {
    model: input.model,
    stream,
    options: deployment.options,
    keepAlive: deployment.keepAlive,
  });
  if (translated.kind === 'refused') {
    return {
      kind: 'refused',
      failure: failure('upstream_unsupported', `Ollama’s own wire cannot say "${translated.field}"`, {
        param: translated.field,
      }),
    };
  }
  return {
    kind: 'request',
    request: {
      method: 'POST',
      path: `${basePath(provider)}${nativePaths[endpoint]}`,
      headers: ['content-type', 'application/json'],
      body: Buffer.from(JSON.stringify(input.isLong === true ? uncut(endpoint, translated.body) : translated.body)),
      streams: stream,
      reading: nativeReading,
      edits: ['translated'],
    },
  };
}

function readProbe(answers: readonly ProbeAnswer[]): ProbeReport {
  const version = asText(asObject(probeJson(answers, '/api/version'))?.['version']);
  const models = asList(asObject(probeJson(answers, '/api/tags'))?.['models'])?.flatMap(readListed);
  const resident = asList(asObject(probeJson(answers, '/api/ps'))?.['models'])?.flatMap(readResident);
  const isUp = version !== undefined || models !== undefined;
  return {
    state: isUp ? 'up' : 'down',
    detail: isUp ? undefined : statusDetail(answers.find((answer) => answer.status >= 400)?.status),
    version,
    models,
    resident,
    servesOneModel: false,
  };
}

function readListed(value: unknown): ListedModel[] {
  const model = asObject(value);
  const id = asText(model?.['name']) ?? asText(model?.['model']);
  if (model === undefined || id === undefined) return [];
  const details = asObject(model['details']);
  const isEmbedding = asList(model['capabilities'])?.includes('embedding') === true;
  return [
    {
      id,
      kind: isEmbedding ? 'embedding' : undefined,
      contextTokens: undefined,
      sizeBytes: asNumber(model['size']),
      parameterSize: asText(details?.['parameter_size']),
      quantization: asText(details?.['quantization_level']),
      digest: asText(model['digest']),
    },
  ];
}

function readResident(value: unknown): ResidentModel[] {
  const model = asObject(value);
  const id = asText(model?.['name']) ?? asText(model?.['model']);
  if (model === undefined || id === undefined) return [];
  const context = asNumber(model['context_length']);
  return [
    {
      id,
      // One that still loads is listed like the others.
      state: 'loaded',
      effectiveContext: context === undefined ? undefined : tokens(context),
      memoryBytes: asNumber(model['size']),
      expiresAt: asText(model['expires_at']),
      busySeats: undefined,
      seats: undefined,
      waiting: undefined,
    },
  ];
}
