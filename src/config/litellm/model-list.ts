import { type DeploymentIndex, providerId, seconds, tokens } from '../../plan/ids.ts';
import type { Json, JsonObject } from '../../plan/json.ts';
import { nearest } from '../../plan/nearest.ts';
import type { Credential, Provider } from '../../plan/provider.ts';
import type { SecretReference } from '../../plan/secret.ts';
import { splitAddress, tierOfAddress } from '../base-url.ts';
import { canonical } from '../canonical.ts';
import { type DeploymentDraft, plainDraft } from '../catalog.ts';
import { inside, type Place } from '../findings.ts';
import { memberOf } from '../group-builder.ts';
import { readSecret } from '../interpolate.ts';
import { type DeclaredHeader, lowerHeaders } from '../lower-headers.ts';
import type { Lowering } from '../lowering.ts';
import type { ParsedFile } from '../parsed-file.ts';
import { litellmKeys } from './keys.ts';
import { inferPrefix, notOffered, type Prefix, prefixes } from './prefixes.ts';
import { readSection, type SectionReader, valueAt } from './section.ts';

/** Puts a LiteLLM model_list into catalog and groups: entries of one name form a pool. */
export function lowerModelList(file: ParsedFile, lowering: Lowering, options: { readonly dropParams: boolean }): void {
  const list = valueAt(file.value, ['model_list']);
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) {
    lowering.findings.add('wrong-type', { file, path: ['model_list'] }, '"model_list" is no list', {
      wanted: 'a list of deployments',
    });
    return;
  }
  list.forEach((_entry, index) => {
    lowerEntry(file, index, lowering, options);
  });
}

type Entry = {
  readonly params: SectionReader;
  readonly info: SectionReader;
  readonly place: Place;
};

function lowerEntry(
  file: ParsedFile,
  index: number,
  lowering: Lowering,
  options: { readonly dropParams: boolean },
): void {
  const { findings, groups } = lowering;
  const place: Place = { file, path: ['model_list', index] };
  const name = valueAt(file.value, ['model_list', index, 'model_name']);
  if (typeof name !== 'string' || name === '') {
    findings.add('missing-key', place, 'The key "model_name" is missing', { wanted: 'the name that clients ask for' });
    return;
  }
  checkEntryKeys(file, index, lowering);
  const entry: Entry = {
    params: readSection(file, 'litellm_params', ['model_list', index, 'litellm_params'], findings),
    info: readSection(file, 'model_info', ['model_list', index, 'model_info'], findings),
    place,
  };
  const deployment = lowerDeployment(name, entry, file, lowering, options);
  if (deployment === undefined) return;
  const group =
    groups.get(name) ??
    groups.add({
      name,
      kind: name.includes('*') ? 'wildcard' : 'model',
      place: { ...place, path: [...place.path, 'model_name'] },
    });
  group.listed = !name.includes('*');
  group.description ??= entry.info.text('description');
  group.members.push(
    memberOf(deployment, { order: entry.params.number('order') ?? 1, weight: entry.params.number('weight') }),
  );
}

const entryKeys = ['model_name', 'litellm_params', 'model_info', 'tpm', 'rpm'];

function checkEntryKeys(file: ParsedFile, index: number, { findings }: Lowering): void {
  const entry = valueAt(file.value, ['model_list', index]);
  for (const key of Object.keys(entry as object)) {
    if (entryKeys.includes(key) || key.startsWith('x-')) continue;
    const [near] = nearest(key, entryKeys, 1);
    const inside = Object.hasOwn(litellmKeys.litellm_params, key) ? 'litellm_params' : undefined;
    findings.add('unknown-key', { file, path: ['model_list', index, key], part: 'key' }, `Unknown key "${key}"`, {
      found: key,
      nearest: near,
      ...(inside === undefined ? {} : { fix: `Move it into ${inside}` }),
    });
  }
}

function lowerDeployment(
  name: string,
  entry: Entry,
  file: ParsedFile,
  lowering: Lowering,
  options: { readonly dropParams: boolean },
): DeploymentIndex | undefined {
  const { findings } = lowering;
  const model = entry.params.text('model');
  if (model === undefined || model === '') {
    if (entry.params.raw('model') === undefined)
      findings.add('missing-key', entry.place, `The deployment of "${name}" has no litellm_params.model`, {
        wanted: 'provider/name',
      });
    return undefined;
  }
  const credential = credentialValues(entry, file);
  const found = splitModel(model, entry, credential, lowering);
  if (found === undefined) return undefined;
  const provider = providerOf(found, entry, credential, lowering);
  if (provider === undefined) return undefined;
  return lowering.catalog.add(draftOf(found.model, provider, entry, options)).index;
}

/** Values of the credential_list entry that a deployment names. */
function credentialValues(entry: Entry, file: ParsedFile): Readonly<Record<string, unknown>> {
  const wanted = entry.params.text('litellm_credential_name');
  const list = valueAt(file.value, ['credential_list']);
  if (wanted === undefined || !Array.isArray(list)) return {};
  const found: unknown = list.find((one: unknown) => valueAt(one, ['credential_name']) === wanted);
  const values = valueAt(found, ['credential_values']);
  return typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : {};
}

type SplitModel = { readonly prefixName: string; readonly prefix: Prefix; readonly model: string };

function splitModel(
  model: string,
  entry: Entry,
  credential: Readonly<Record<string, unknown>>,
  { findings }: Lowering,
): SplitModel | undefined {
  const forced = entry.params.text('custom_llm_provider');
  const slash = model.indexOf('/');
  const first = slash === -1 ? undefined : model.slice(0, slash);
  const base = entry.params.text('api_base') ?? entry.params.text('base_url') ?? textOf(credential['api_base']);
  const place = entry.params.place('model');
  const own = first !== undefined && (prefixes.has(first) || notOffered.has(first)) ? first : undefined;
  const prefixName = forced ?? own ?? inferPrefix(model, base);
  if (prefixName !== undefined && notOffered.has(prefixName)) {
    findings.add(
      'unsupported-provider',
      place,
      `"${model}": ${prefixName} needs requests that are signed or of another wire, which is not offered`,
      {
        found: prefixName,
        fix: 'Use the vendor’s OpenAI-compatible endpoint as openai/NAME with api_base, or start with --lenient to leave it out',
      },
    );
    return undefined;
  }
  const prefix = prefixName === undefined ? undefined : prefixes.get(prefixName);
  if (prefixName === undefined || prefix === undefined) {
    const [near] = nearest(forced ?? first ?? model, prefixes.keys(), 1);
    findings.add('unknown-prefix', place, `"${model}" names no provider that is known`, {
      found: model,
      nearest: near,
      fix: 'Write openai/NAME and api_base for a server of OpenAI’s wire',
    });
    return undefined;
  }
  const isStripped = own === prefixName || (forced !== undefined && first === forced);
  return { prefixName, prefix, model: isStripped ? model.slice(slash + 1) : model };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Entries of equal dialect, address and key share one provider. */
function providerOf(
  { prefixName, prefix }: SplitModel,
  entry: Entry,
  credential: Readonly<Record<string, unknown>>,
  lowering: Lowering,
): Provider | undefined {
  const { catalog, findings, environment } = lowering;
  const declared = entry.params.text('api_base') ?? entry.params.text('base_url') ?? textOf(credential['api_base']);
  const base =
    declared ??
    (prefix.baseUrlVariable === undefined ? undefined : environment[prefix.baseUrlVariable]) ??
    prefix.baseUrl;
  const basePlace = entry.params.place(
    entry.params.has('api_base') ? 'api_base' : entry.params.has('base_url') ? 'base_url' : 'model',
  );
  if (base === undefined) {
    findings.add('missing-key', basePlace, `A deployment of ${prefixName} wants api_base`, {
      wanted: 'the address of its server',
    });
    return undefined;
  }
  // OpenAI's own prefix with another address is how every compatible server is written.
  const dialect =
    prefix.dialect === 'openai' && !/^https:\/\/api\.openai\.com/.test(base) ? 'openai_compatible' : prefix.dialect;
  const address = splitAddress(base, dialect);
  if (address === undefined) {
    findings.add('bad-url', basePlace, `"${base}" is no address`, {
      found: base,
      wanted: 'an address such as http://127.0.0.1:8080/v1',
    });
    return undefined;
  }
  const identity = {
    dialect,
    ...address,
    credential: credentialOf(
      prefix,
      entry,
      credential,
      dialect,
      declared !== undefined && prefix.dialect === 'openai',
      lowering,
    ),
    headers: headersOf(entry, lowering),
    apiVersion:
      entry.params.text('api_version') ?? textOf(credential['api_version']) ?? environment['AZURE_API_VERSION'],
  };
  const key = canonical(identity);
  const known = [...catalog.providers.values()].find(
    (one) =>
      canonical({
        dialect: one.dialect,
        baseUrl: one.baseUrl,
        apiPath: one.apiPath,
        credential: one.credential,
        headers: one.headers,
        apiVersion: one.apiVersion,
      }) === key,
  );
  if (known !== undefined) return known;
  const provider: Provider = {
    id: freeProviderName(entry.info.text('provider') ?? prefixName, lowering),
    groups: [dialect],
    status: 'active',
    description: undefined,
    probe: lowering.probe,
    limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
    seats: undefined,
    exclusiveGroup: undefined,
    tier: prefix.tier ?? tierOfAddress(address.baseUrl),
    tls: { verify: true, caFile: undefined },
    ...identity,
  };
  catalog.providers.set(provider.id, provider);
  catalog.places.set(provider.id, entry.place);
  return provider;
}

function freeProviderName(wanted: string, { catalog }: Lowering): Provider['id'] {
  let name = wanted;
  for (let number = 2; catalog.providers.has(providerId(name)); number++) name = `${wanted}-${number}`;
  return providerId(name);
}

function credentialOf(
  prefix: Prefix,
  entry: Entry,
  credential: Readonly<Record<string, unknown>>,
  dialect: Provider['dialect'],
  isCompatible: boolean,
  { environment, findings }: Lowering,
): Credential {
  const declared = entry.params.text('api_key') ?? textOf(credential['api_key']);
  // A compatible server of one's own is not asked with OpenAI's key.
  const variable = isCompatible ? undefined : prefix.keyVariable;
  const isOptional = prefix.baseUrl === undefined || tierOfAddress(prefix.baseUrl) === 'local';
  const fallback =
    variable === undefined || (isOptional && environment[variable] === undefined)
      ? undefined
      : `os.environ/${variable}`;
  const text = declared ?? fallback;
  if (text === undefined) return { kind: 'none' };
  const place = entry.params.place(declared === undefined ? 'model' : 'api_key');
  const secret: SecretReference | undefined = readSecret(text, place, environment, findings);
  if (secret === undefined) return { kind: 'none' };
  if (dialect === 'anthropic') return { kind: 'header', header: 'x-api-key', secret };
  return dialect === 'azure' ? { kind: 'header', header: 'api-key', secret } : { kind: 'bearer', secret };
}

function headersOf({ params }: Entry, { environment, findings }: Lowering): Provider['headers'] {
  const declared = (['headers', 'extra_headers'] as const).flatMap((key) =>
    Object.entries(objectOf(params.raw(key))).flatMap(([name, value]): DeclaredHeader[] =>
      typeof value === 'string' ? [[name, value, inside(params.place(key), name)]] : [],
    ),
  );
  const headers = lowerHeaders(declared, environment, findings);
  const organization = params.raw('organization');
  return typeof organization === 'string' ? [...headers, ['openai-organization', organization]] : headers;
}

function objectOf(value: unknown): JsonObject {
  // A map of a parsed YAML file holds what JSON can hold; dates were refused as texts above.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** Fields of litellm_params that steer the gateway; all others are defaults of the request. */
const steering: ReadonlySet<string> = new Set(Object.keys(litellmKeys.litellm_params));
/** Options of Ollama's runner among the fields that people give as parameters. */
const ollamaOptions: ReadonlySet<string> = new Set([
  'num_ctx',
  'num_gpu',
  'num_batch',
  'num_thread',
  'main_gpu',
  'use_mmap',
  'num_keep',
  'top_k',
  'min_p',
  'typical_p',
  'repeat_last_n',
  'repeat_penalty',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'num_predict',
]);

function draftOf(
  model: string,
  provider: Provider,
  entry: Entry,
  options: { readonly dropParams: boolean },
): DeploymentDraft {
  const plain = plainDraft(provider.id, model);
  const { params, info } = entry;
  const isOllama = provider.dialect === 'ollama';
  const all = objectOf(valueAt(entry.place.file.value, [...entry.place.path, 'litellm_params']));
  const others = Object.entries(all).filter(
    ([key]) => !key.startsWith('x-') && (!steering.has(key) || (isOllama && ollamaOptions.has(key))),
  );
  const context = info.number('max_input_tokens') ?? info.number('context_length') ?? info.number('max_tokens');
  const output = info.number('max_output_tokens');
  const input = params.number('input_cost_per_token') ?? info.number('input_cost_per_token');
  const cost = params.number('output_cost_per_token') ?? info.number('output_cost_per_token');
  const mode = info.text('mode');
  const total = params.number('timeout');
  const first = params.number('stream_timeout');
  const cooldown = params.number('cooldown_time');
  const keepAlive = params.raw('keep_alive');
  return {
    ...plain,
    kind: mode === 'chat' || mode === 'completion' || mode === 'embedding' ? mode : plain.kind,
    contextTokens: context === undefined ? undefined : tokens(context),
    maxOutputTokens: output === undefined ? undefined : tokens(output),
    capabilities: {
      tools: info.boolean('supports_function_calling'),
      vision: info.boolean('supports_vision'),
      jsonSchema: info.boolean('supports_response_schema'),
      reasoning: info.boolean('supports_reasoning'),
    },
    options: isOllama
      ? { ...objectOf(params.raw('options')), ...Object.fromEntries(others.filter(([key]) => ollamaOptions.has(key))) }
      : {},
    keepAlive: isOllama && (typeof keepAlive === 'string' || typeof keepAlive === 'number') ? keepAlive : undefined,
    defaults: Object.fromEntries(others.filter(([key]) => !(isOllama && ollamaOptions.has(key)))),
    extraBody: objectOf(params.raw('extra_body')),
    dropParams: [
      ...(params.texts('additional_drop_params') ?? []),
      ...((params.boolean('drop_params') ?? options.dropParams) ? unsupportedFields(provider) : []),
    ],
    limit: { requestsPerMinute: params.number('rpm'), tokensPerMinute: params.number('tpm') },
    seats: params.number('max_parallel_requests'),
    price:
      input === undefined && cost === undefined
        ? undefined
        : { inputUsdPerToken: input ?? 0, outputUsdPerToken: cost ?? 0 },
    tags: params.texts('tags') ?? info.texts('tags') ?? [],
    timeouts: {
      totalMs: total === undefined ? undefined : seconds(total),
      firstTokenMs: first === undefined ? undefined : seconds(first),
      betweenChunksMs: undefined,
    },
    retries: params.number('num_retries'),
    cooldownMs: cooldown === undefined ? undefined : seconds(cooldown),
    description: info.text('description'),
    info: infoOf(entry),
  };
}

/** What people wrote into model_info and nothing else takes. */
function infoOf(entry: Entry): { readonly [key: string]: Json } {
  const all = objectOf(valueAt(entry.place.file.value, [...entry.place.path, 'model_info']));
  return Object.fromEntries(
    Object.entries(all).filter(
      ([key]) => !Object.hasOwn(litellmKeys.model_info, key) || key === 'notes' || key === 'base_model',
    ),
  );
}

/** Fields of OpenAI's requests that a wire does not take: what drop_params leaves out. */
const unsupported: Readonly<Partial<Record<Provider['dialect'], readonly string[]>>> = {
  anthropic: [
    'frequency_penalty',
    'presence_penalty',
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'n',
    'seed',
    'service_tier',
    'store',
    'prediction',
    'verbosity',
    'web_search_options',
    'audio',
    'modalities',
  ],
  ollama: [
    'logit_bias',
    'n',
    'user',
    'service_tier',
    'store',
    'prediction',
    'verbosity',
    'web_search_options',
    'audio',
    'modalities',
    'parallel_tool_calls',
    'metadata',
  ],
  llama_cpp: [
    'service_tier',
    'store',
    'prediction',
    'verbosity',
    'web_search_options',
    'audio',
    'modalities',
    'user',
    'metadata',
  ],
  vllm: ['service_tier', 'store', 'prediction', 'verbosity', 'web_search_options', 'audio', 'modalities', 'metadata'],
  openai_compatible: ['service_tier', 'store', 'prediction', 'verbosity', 'web_search_options', 'metadata'],
};

function unsupportedFields(provider: Provider): readonly string[] {
  return unsupported[provider.dialect] ?? [];
}
