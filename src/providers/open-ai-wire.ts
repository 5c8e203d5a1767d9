import type { Json } from '../plan/json.ts';
import type { Provider } from '../plan/provider.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import { asBuffer } from '../wire/as-buffer.ts';
import { timeoutFields } from '../wire/asked-timeouts.ts';
import { asObject, type Fields, parseObject } from '../wire/json-shape.ts';
import { createOpenAiStreamReader } from '../wire/read-open-ai-stream.ts';
import { rehearsals } from '../wire/rehearsal.ts';
import { type BodyScan, memberText, memberValue } from '../wire/scan-body.ts';
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
  const learns = options.learnUsage && !deployment.dropParams.includes('stream_options');
  if (options.streams && learns && !input.wantsUsage && input.endpoint !== 'embeddings') {
    const value = { ...streamOptions(input, edits.get('stream_options')), include_usage: true };
    put({ kind: 'set', key: 'stream_options', value });
  }
  return [...edits.values()];
}

/** What the deployment says of the stream, else the client. */
function streamOptions({ body, scan }: BuildInput, edit: BodyEdit | undefined): { readonly [key: string]: Json } {
  const said = edit !== undefined && edit.kind !== 'remove' ? edit.value : memberValue(body, scan, 'stream_options');
  // A member of a scanned body is JSON, and so is what a plan holds.
  return (asObject(said) ?? {}) as { readonly [key: string]: Json };
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

/** Whether the request that goes out says a field, by what the deployment makes of the client's. */
export function saysField({ body, scan, deployment }: BuildInput, field: string): boolean {
  const { defaults, dropParams, extraBody } = deployment;
  if (extraBody[field] !== undefined) return true;
  if (dropParams.includes(field)) return false;
  const text = memberText(body, scan, field);
  return text === undefined ? defaults[field] !== undefined : text !== 'null';
}

/** All that the request says, by what the deployment makes of the client's: for a wire that says it otherwise. */
export function saidFields({ body, deployment }: BuildInput): Fields {
  const { defaults, dropParams, extraBody } = deployment;
  const said = Object.entries({ ...defaults, ...bodyFields(body) }).filter(([key]) => !dropParams.includes(key));
  return { ...Object.fromEntries(said), ...extraBody };
}

/** The members of a body; the scan has proven it to be an object. */
export function bodyFields(body: Uint8Array): Fields {
  return parseObject(asBuffer(body).toString('utf8')) ?? {};
}
