import { tokens } from '../plan/ids.ts';
import type { Json } from '../plan/json.ts';
import type { ListedModel } from '../plan/listed-model.ts';
import type { ProbeAnswer, ProbeReport } from '../plan/probe.ts';
import type { Provider } from '../plan/provider.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import { timeoutFields } from '../wire/asked-timeouts.ts';
import { asList, asNumber, asObject, asText } from '../wire/json-shape.ts';
import { createOpenAiStreamReader } from '../wire/read-open-ai-stream.ts';
import { rehearsals } from '../wire/rehearsal.ts';
import { type BodyScan, memberValue } from '../wire/scan-body.ts';
import { type BodyEdit, spliceBody } from '../wire/splice-body.ts';
import type { BuildInput, BuildResult, HeaderList, ReadContext, StreamReader } from './provider.ts';

/** What differs between servers of OpenAI's wire when a request is built. */
export type OpenAiWireOptions = {
  /** Path of an endpoint behind the provider's base URL. */
  readonly path?: (input: BuildInput) => string;
  /** Ask for a stream though the client wants a whole answer; see llama-cpp.ts. */
  readonly alwaysStream?: boolean;
  /** Ask for usage in streams though the client did not: the gateway learns it and drops it. */
  readonly learnUsage: boolean;
};

/** Builds a request for a server of OpenAI's wire: the client's bytes with a closed list of edits. */
export function buildOpenAiRequest(input: BuildInput, options: OpenAiWireOptions): BuildResult {
  const { scan } = input;
  const streams = input.stream || (options.alwaysStream === true && input.endpoint !== 'embeddings');
  const edits = bodyEdits(input, scan, { streams, learnUsage: options.learnUsage });
  const path =
    options.path?.(input) ?? `${basePath(input.provider)}${input.provider.apiPath}/${endpointPath[input.endpoint]}`;
  return {
    kind: 'request',
    request: {
      method: 'POST',
      path,
      headers: requestHeaders(input, streams),
      body: spliceBody(input.body, scan, edits),
      streams,
      edits: edits.map((edit) => (edit.kind === 'remove' ? `-${edit.key}` : edit.key)),
    },
  };
}

/** Last piece of an endpoint's path. */
export const endpointPath: Readonly<Record<Endpoint, string>> = {
  chat: 'chat/completions',
  completions: 'completions',
  embeddings: 'embeddings',
};

/** Path that the base URL itself has, without a trailing slash. */
export function basePath(provider: Provider): string {
  const slash = provider.baseUrl.indexOf('/', provider.baseUrl.indexOf('//') + 2);
  return slash === -1 ? '' : provider.baseUrl.slice(slash).replace(/\/+$/, '');
}

/** Fields by which a request steers the gateway itself, as LiteLLM spells them; no upstream knows them. */
const steering = [
  ...['fallbacks', 'disable_fallbacks', 'num_retries', 'tags', 'cache'],
  ...timeoutFields,
  ...rehearsals.keys(),
];

/** What LiteLLM's clients note for their gateway; a strict upstream would refuse the request for it. */
const noted = ['litellm_metadata', 'litellm_call_id', 'litellm_trace_id', 'litellm_session_id'];

const gatewayFields: ReadonlySet<string> = new Set([...steering, ...noted]);

function bodyEdits(
  input: BuildInput,
  scan: BodyScan,
  options: { readonly streams: boolean; readonly learnUsage: boolean },
): readonly BodyEdit[] {
  const { deployment } = input;
  const edits = new Map<string, BodyEdit>();
  const put = (edit: BodyEdit): void => {
    edits.set(edit.key, edit);
  };
  for (const [key, value] of Object.entries(deployment.defaults)) {
    if (!scan.members.has(key)) put({ kind: 'default', key, value });
  }
  for (const key of scan.members.keys()) if (gatewayFields.has(key)) put({ kind: 'remove', key });
  for (const key of deployment.dropParams) {
    if (scan.members.has(key)) put({ kind: 'remove', key });
    else edits.delete(key);
  }
  for (const [key, value] of Object.entries(deployment.extraBody)) put({ kind: 'set', key, value });
  if (memberValue(input.body, scan, 'model') !== input.model) put({ kind: 'set', key: 'model', value: input.model });
  if (options.streams && !input.stream) put({ kind: 'set', key: 'stream', value: true });
  if (options.streams && options.learnUsage && !input.wantsUsage && input.endpoint !== 'embeddings') {
    put({ kind: 'set', key: 'stream_options', value: { ...streamOptions(input, scan), include_usage: true } });
  }
  return [...edits.values()];
}

function streamOptions(input: BuildInput, scan: BodyScan): { readonly [key: string]: Json } {
  // A member of a scanned body is JSON.
  return (asObject(memberValue(input.body, scan, 'stream_options')) ?? {}) as { readonly [key: string]: Json };
}

function requestHeaders(input: BuildInput, streams: boolean): HeaderList {
  const passed: string[] = [];
  for (const name of ['openai-organization', 'openai-project', 'openai-beta']) {
    const value = input.headers.get(name);
    if (value !== undefined && input.provider.dialect === 'openai') passed.push(name, value);
  }
  return ['content-type', 'application/json', 'accept', streams ? 'text/event-stream' : 'application/json', ...passed];
}

/** Headers with the key as the provider's credential wants it. */
export function authorizeByCredential(provider: Provider, key: string | undefined): HeaderList {
  if (key === undefined || provider.credential.kind === 'none') return [];
  if (provider.credential.kind === 'header') return [provider.credential.header, key];
  return ['authorization', `Bearer ${key}`];
}

/** Creates a reader of streamed chunks. */
export function openAiStreamReader(context: ReadContext): StreamReader {
  return createOpenAiStreamReader(context.askedModel);
}

/** The answer to the probe whose path, without its query, ends so. */
export function answerOf(answers: readonly ProbeAnswer[], ending: string): ProbeAnswer | undefined {
  return answers.find((one) => one.path.split('?', 1)[0]?.endsWith(ending));
}

/**
 * The answer that tells health: the one that is none of the others, whatever path was declared for
 * it; where a path of the others was declared, that one.
 */
export function healthAnswer(answers: readonly ProbeAnswer[], others: readonly string[]): ProbeAnswer | undefined {
  return (
    answers.find((one) => !others.some((ending) => answerOf([one], ending) !== undefined)) ??
    answerOf(answers, '/models')
  );
}

/** Parses the body of a probe's answer; undefined where it is not JSON or not a success. */
export function probeJson(answers: readonly ProbeAnswer[], ending: string): unknown {
  const answer = answerOf(answers, ending);
  if (answer === undefined || answer.status !== 200) return undefined;
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}

/** Models of `GET /v1/models`; undefined where the answer is none. */
export function readModelList(value: unknown): readonly ListedModel[] | undefined {
  const list = asList(asObject(value)?.['data']) ?? asList(value);
  if (list === undefined) return undefined;
  return list.flatMap((entry) => {
    const model = asObject(entry);
    const id = asText(model?.['id']);
    if (model === undefined || id === undefined) return [];
    const meta = asObject(model['meta']);
    const context = asNumber(model['max_model_len']) ?? asNumber(meta?.['n_ctx']) ?? asNumber(model['context_length']);
    return [
      {
        id,
        kind: undefined,
        contextTokens: context === undefined ? undefined : tokens(context),
        sizeBytes: asNumber(meta?.['size']),
        parameterSize: undefined,
        quantization: undefined,
        digest: undefined,
      },
    ];
  });
}

/**
 * What a service answers that is well and does not tell how it is: a key that may ask models and not
 * list them, a path that it does not offer, too many questions. Its requests would be served.
 */
const untold: ReadonlySet<number> = new Set([403, 405, 429, 501]);

/** A report that says no more than whether the required answer was good. */
export function plainReport(answers: readonly ProbeAnswer[], models: readonly ListedModel[] | undefined): ProbeReport {
  const refused = answers.find((answer) => answer.status >= 400);
  const isUp =
    models !== undefined || hasNoList(answers) || answers.some(({ status }) => status < 400 || untold.has(status));
  return {
    state: isUp ? 'up' : 'down',
    detail: isUp ? oddity(answers, models) : statusDetail(refused?.status),
    version: undefined,
    models,
    resident: undefined,
    servesOneModel: false,
  };
}

/**
 * Some servers have no list of models and answer chat all the same. Another path than that of a list
 * was declared by somebody as the one that tells health, so that its absence does tell.
 */
function hasNoList(answers: readonly ProbeAnswer[]): boolean {
  return answerOf(answers, '/models')?.status === 404;
}

function oddity(answers: readonly ProbeAnswer[], models: readonly ListedModel[] | undefined): string | undefined {
  const list = answerOf(answers, '/models');
  if (models !== undefined || list === undefined) return undefined;
  if (list.status === 404) return 'it has no list of models (status 404): check base_url if its requests fail';
  if (list.status >= 400) return `it does not tell its models (status ${list.status})`;
  return 'its answer is no list of models: check base_url and type';
}

/** What a probe's status says, for people. */
export function statusDetail(status: number | undefined): string {
  if (status === undefined) return 'no answer';
  if (isKeyRefused(status)) return `the key is refused or missing (status ${status})`;
  if (status === 404) return 'the path does not exist (status 404): check base_url and type';
  return `status ${status}`;
}

/** Whether a status says that the key is wrong or missing, so that no request would be served. */
export function isKeyRefused(status: number | undefined): boolean {
  return status === 401 || status === 403;
}
