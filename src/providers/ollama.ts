import { failure } from '../plan/failure-catalogue.ts';
import type { ListedModel } from '../plan/listed-model.ts';
import type { ProbeAnswer, ProbeReport, ResidentModel } from '../plan/probe.ts';
import { asBuffer } from '../wire/as-buffer.ts';
import { chatToOllama, completionToOllama, embeddingsToOllama } from '../wire/chat-to-ollama.ts';
import { asList, asNumber, asObject, asText, type Fields } from '../wire/json-shape.ts';
import { createOllamaReader, ollamaToChat } from '../wire/ollama-to-chat.ts';
import { basePath, buildOpenAiRequest, saidFields, saysField } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import { healthAnswer, listedModel, probeJson, residentModel, statusDetail, tokensOf } from './probe-answers.ts';
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
    ...(provider.probe.path === undefined ? [] : [{ path: provider.probe.path, required: true }]),
    { path: `${basePath(provider)}${paths.version}`, required: true },
    { path: `${basePath(provider)}${paths.tags}`, required: true },
    { path: `${basePath(provider)}${paths.running}`, required: false },
  ],
  readProbe,
  recognises: (answers) => readVersion(answers) !== undefined,
};

function buildRequest(input: BuildInput): BuildResult {
  if (needsNative(input)) return buildNative(input);
  const native = isUnheard(input) || input.isLong === true ? buildNative(input) : undefined;
  return native?.kind === 'request' ? native : buildOpenAiRequest(input, { learnUsage: true });
}

/**
 * Whether the request says what its /v1 does not hear: `max_completion_tokens`, by which newer
 * clients say what they said by `max_tokens`, and the words of a developer, whom templates do not
 * know and pass over. Its own wire says the one otherwise, and the other as the system's.
 */
function isUnheard(input: BuildInput): boolean {
  if (input.endpoint !== 'chat') return false;
  const messages = input.scan.members.get('messages')?.value;
  // Within a text the quotes would be escaped.
  if (messages !== undefined && asBuffer(input.body).subarray(messages.start, messages.end).includes('"developer"'))
    return true;
  return saysField(input, 'max_completion_tokens') && !saysField(input, 'max_tokens');
}

/** Fields of a request that only the native wire can carry. */
const nativeFields = ['think', 'keep_alive', 'num_ctx', 'top_k', 'min_p', 'repeat_penalty', 'mirostat'];

function needsNative(input: BuildInput): boolean {
  const { options, keepAlive } = input.deployment;
  if (Object.keys(options).length > 0 || keepAlive !== undefined) return true;
  return nativeFields.some((field) => saysField(input, field));
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
  const stream = input.stream && endpoint !== 'embeddings';
  const translated = translators[endpoint](saidFields(input), {
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

/** Its own probes; another that was declared stands before them. */
const paths = { version: '/api/version', tags: '/api/tags', running: '/api/ps' };

function readProbe(answers: readonly ProbeAnswer[]): ProbeReport {
  const version = readVersion(answers);
  const listed = entriesOf(answers, paths.tags);
  const declared = healthAnswer(answers, Object.values(paths));
  const isWell = declared === undefined || declared.status < 400;
  const isUp = isWell && (version !== undefined || listed !== undefined);
  const refused = isWell ? answers.find(({ status }) => status >= 400) : declared;
  return {
    state: isUp ? 'up' : 'down',
    detail: isUp ? undefined : statusDetail(refused?.status),
    version,
    models: listed?.map(readListed),
    resident: entriesOf(answers, paths.running)?.flatMap((entry) => readResident(entry, listed ?? [])),
    servesOneModel: false,
  };
}

function readVersion(answers: readonly ProbeAnswer[]): string | undefined {
  return asText(asObject(probeJson(answers, paths.version))?.['version']);
}

type Entry = { readonly id: string; readonly model: Fields };

function entriesOf(answers: readonly ProbeAnswer[], path: string): readonly Entry[] | undefined {
  return asList(asObject(probeJson(answers, path))?.['models'])?.flatMap((value): Entry[] => {
    const model = asObject(value);
    const id = asText(model?.['name']) ?? asText(model?.['model']);
    return model === undefined || id === undefined ? [] : [{ id, model }];
  });
}

function readListed({ id, model }: Entry): ListedModel {
  const details = asObject(model['details']);
  return listedModel(id, {
    kind: asList(model['capabilities'])?.includes('embedding') === true ? 'embedding' : undefined,
    sizeBytes: asNumber(model['size']),
    parameterSize: asText(details?.['parameter_size']),
    quantization: asText(details?.['quantization_level']),
  });
}

/**
 * A model in memory under each of its names: it is told by the one that loaded it alone, and those
 * of the same digest are served without a load. One that still loads is told like the others.
 */
function readResident({ id, model }: Entry, listed: readonly Entry[]): readonly ResidentModel[] {
  const digest = asText(model['digest']);
  const others = listed.filter((one) => digest !== undefined && one.model['digest'] === digest && one.id !== id);
  const told = {
    effectiveContext: tokensOf(model['context_length']),
    memoryBytes: asNumber(model['size']),
    expiresAt: asText(model['expires_at']),
  };
  return [id, ...others.map((one) => one.id)].map((name) => residentModel(name, 'loaded', told));
}
