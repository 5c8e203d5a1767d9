import { type ProviderId, providerId, seconds, tokens } from '../plan/ids.ts';
import type { JsonObject } from '../plan/json.ts';
import type { Credential, DialectName, ProbeSettings, Provider, RateLimit } from '../plan/provider.ts';
import { splitAddress, tierOfAddress } from './base-url.ts';
import { type Catalog, type DeploymentDraft, dialectOf, plainDraft } from './catalog.ts';
import type { Findings, Place } from './findings.ts';
import { readSecret } from './interpolate.ts';
import type { ParsedFile } from './parsed-file.ts';
import type { ModelShape, ProviderShape, ProvidersShape } from './shape-providers.ts';
import { readSize } from './size.ts';
import type { Environment } from './source-file.ts';

/** What lowering needs everywhere. */
export type Lowering = { readonly catalog: Catalog; readonly findings: Findings; readonly environment: Environment };

/** Puts the declared providers and their models into the catalog. */
export function lowerProviders(shape: ProvidersShape, file: ParsedFile, lowering: Lowering): void {
  for (const [name, provider] of Object.entries(shape.providers)) {
    const place: Place = { file, path: ['providers', name], part: 'key' };
    const lowered = lowerProvider(name, provider, shape.health_checks, { ...lowering, place });
    if (lowered === undefined) continue;
    lowering.catalog.providers.set(lowered.id, lowered);
    lowering.catalog.places.set(lowered.id, place);
    lowerModels(provider, lowered, { ...lowering, place });
  }
  checkCounts(shape, file, lowering);
}

type Here = Lowering & { readonly place: Place };

/** Types that serve no models: tools and web pages that the files list beside the others. */
const notModelServers: ReadonlySet<string> = new Set(['tool_server', 'web_ui']);

function lowerProvider(
  name: string,
  shape: ProviderShape,
  checks: ProvidersShape['health_checks'],
  here: Here,
): Provider | undefined {
  if (notModelServers.has(shape.type)) return undefined;
  const { file, path } = here.place;
  const dialect = dialectOf(shape.type, shape.api_format);
  if (dialect === undefined) {
    here.findings.add(
      'wrong-type',
      { file, path: [...path, 'type'] },
      `The type "${shape.type}" needs api_format: openai_compatible`,
      { wanted: 'openai_compatible' },
    );
    return undefined;
  }
  const status = shape.status ?? 'active';
  const address = addressOf(shape, dialect, here);
  if (address === undefined) return undefined;
  return {
    id: providerId(name),
    dialect,
    groups: groupsOf(shape),
    ...address,
    status: status === 'active' ? 'active' : 'disabled',
    description: shape.description,
    credential: credentialOf(shape, dialect, here),
    headers: headersOf(shape, here),
    apiVersion: shape.api_version,
    probe: probeOf(name, shape, checks),
    limit: limitOf(shape),
    seats: shape.max_parallel_requests,
    exclusiveGroup: shape.exclusive_group,
    tier: shape.tier ?? tierOfAddress(address.baseUrl),
    tls: { verify: shape.verify_tls ?? true, caFile: shape.ca_file },
  };
}

const defaultAddresses: Readonly<Partial<Record<DialectName, string>>> = {
  ollama: 'http://127.0.0.1:11434',
  llama_cpp: 'http://127.0.0.1:8080',
  vllm: 'http://127.0.0.1:8001',
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  echo: 'http://echo.invalid',
};

function addressOf(
  shape: ProviderShape,
  dialect: DialectName,
  { findings, place }: Here,
): { readonly baseUrl: string; readonly apiPath: string } | undefined {
  const text = shape.base_url ?? defaultAddresses[dialect];
  const at = { file: place.file, path: [...place.path, 'base_url'] };
  if (text === undefined) {
    findings.add('missing-key', place, 'The key "base_url" is missing', { wanted: 'the address of its server' });
    return undefined;
  }
  const isPlaceholder = /:[A-Z][A-Z0-9_]*(\/|$)/.test(text);
  const address = splitAddress(isPlaceholder ? text.replace(/:[A-Z][A-Z0-9_]*/, '') : text, dialect);
  const isInUse = shape.status === undefined || shape.status === 'active';
  if (address === undefined || (isPlaceholder && isInUse)) {
    findings.add('bad-url', at, `"base_url" has "${text}"`, {
      found: text,
      wanted: 'an address such as http://127.0.0.1:8080',
    });
    return undefined;
  }
  return address;
}

function groupsOf(shape: ProviderShape): readonly string[] {
  const own = shape.group === undefined ? [] : typeof shape.group === 'string' ? [shape.group] : shape.group;
  return [...new Set([...own, shape.type])];
}

/** Variables in which the vendors' own tools look for the key. */
const vendorVariables: Readonly<Partial<Record<DialectName, string>>> = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  azure: 'AZURE_API_KEY',
};

function credentialOf(shape: ProviderShape, dialect: DialectName, here: Here): Credential {
  const { file, path } = here.place;
  const method = shape.custom_config?.auth_method?.toLowerCase();
  if (method === 'none' || dialect === 'echo') return { kind: 'none' };
  const variable = shape.env_var ?? (shape.requires_api_key === false ? undefined : vendorVariables[dialect]);
  const key = shape.api_key === undefined ? 'env_var' : 'api_key';
  const text = shape.api_key ?? (variable === undefined ? undefined : `os.environ/${variable}`);
  if (text === undefined) return { kind: 'none' };
  // A provider that is not active is not asked, so its key is not missed.
  const isActive = shape.status === undefined || shape.status === 'active';
  const place: Place = Object.hasOwn(shape, key) ? { file, path: [...path, key] } : here.place;
  const secret = readSecret(text, place, isActive ? here.environment : quietly(here.environment, text), here.findings);
  if (secret === undefined) return { kind: 'none' };
  if (method === 'x-api-key' || (method === undefined && dialect === 'anthropic'))
    return { kind: 'header', header: 'x-api-key', secret };
  if (method === 'api-key' || dialect === 'azure') return { kind: 'header', header: 'api-key', secret };
  return { kind: 'bearer', secret };
}

function quietly(environment: Environment, text: string): Environment {
  const name = /(?:os\.environ\/|\$\{)([A-Za-z_]\w*)/.exec(text)?.[1];
  return name === undefined ? environment : { ...environment, [name]: environment[name] ?? 'unused' };
}

function headersOf(shape: ProviderShape, here: Here): Provider['headers'] {
  const declared = { ...shape.custom_config?.headers, ...shape.headers };
  return Object.entries(declared).map(
    ([name, value]) => [name.toLowerCase(), secretHeader(name, value, here)] as const,
  );
}

function secretHeader(name: string, value: string, here: Here): Provider['headers'][number][1] {
  if (!/key|token|auth|secret/i.test(name)) return value;
  return readSecret(value, here.place, here.environment, here.findings) ?? value;
}

/** Probes are asked for once a minute, and given five seconds, where nothing else is said. */
export const defaultProbe: ProbeSettings = {
  enabled: true,
  path: undefined,
  intervalMs: seconds(60),
  timeoutMs: seconds(5),
  retries: 0,
};

function probeOf(name: string, shape: ProviderShape, checks: ProvidersShape['health_checks']): ProbeSettings {
  const own = shape.health_check;
  const endpoint = own?.endpoint ?? shape.health_endpoint ?? checks?.endpoints?.[name];
  return {
    enabled: own?.enabled ?? checks?.enabled ?? true,
    path: endpoint === undefined ? undefined : pathOf(endpoint),
    intervalMs: seconds(own?.interval_seconds ?? checks?.interval_seconds ?? 60),
    timeoutMs: seconds(own?.timeout_seconds ?? checks?.timeout_seconds ?? 5),
    retries: own?.retry_attempts ?? checks?.retry_attempts ?? 0,
  };
}

/** Probes are written as a path or as a whole address of the same server. */
function pathOf(endpoint: string): string {
  if (URL.canParse(endpoint)) return new URL(endpoint).pathname;
  return endpoint.startsWith('/') ? endpoint : `/${endpoint}`;
}

function limitOf(shape: ProviderShape): RateLimit {
  const limits = shape.rate_limits;
  return {
    requestsPerMinute: limits !== undefined && 'requests_per_minute' in limits ? limits.requests_per_minute : undefined,
    tokensPerMinute: limits !== undefined && 'tokens_per_minute' in limits ? limits.tokens_per_minute : undefined,
  };
}

function lowerModels(shape: ProviderShape, provider: Provider, here: Here): void {
  const seen = new Set<string>();
  (shape.models ?? []).forEach((entry, index) => {
    const model = typeof entry === 'string' ? { name: entry } : entry;
    const place: Place = { file: here.place.file, path: [...here.place.path, 'models', index] };
    if (seen.has(model.name)) {
      here.findings.add('duplicate-name', place, `The model "${model.name}" stands twice at "${provider.id}"`, {
        found: model.name,
      });
      return;
    }
    seen.add(model.name);
    here.catalog.add(draftOf(model, shape, provider, { ...here, place }));
  });
}

function draftOf(model: ModelShape, shape: ProviderShape, provider: Provider, here: Here): DeploymentDraft {
  const plain = plainDraft(provider.id, model.name);
  const context = model.context_length ?? (provider.dialect === 'vllm' ? shape.max_model_len : undefined);
  const price = shape.cost_per_1k_tokens?.[model.name];
  return {
    ...plain,
    kind: kindOf(model) ?? plain.kind,
    contextTokens: context === undefined ? undefined : tokens(context),
    maxOutputTokens: model.max_output_tokens === undefined ? undefined : tokens(model.max_output_tokens),
    capabilities: capabilitiesOf(model.capabilities),
    specialty: canonicalSpecialty(model.specialty),
    sizeBillions: sizeOf(model, here),
    quantization: model.quantization,
    options: (model.options ?? {}) as JsonObject,
    keepAlive: model.keep_alive,
    limit: { requestsPerMinute: model.rpm, tokensPerMinute: model.tpm },
    seats: model.max_parallel_requests ?? shape.max_parallel_requests,
    price: price === undefined ? undefined : { inputUsdPerToken: price / 1000, outputUsdPerToken: price / 1000 },
    tags: model.tags ?? [],
    description: model.description ?? model.use_case,
    info: infoOf(model),
  };
}

function kindOf(model: ModelShape): DeploymentDraft['kind'] {
  const word = model.mode ?? (model.specialty?.startsWith('embed') ? 'embedding' : undefined);
  return word === 'chat' || word === 'completion' || word === 'embedding' ? word : undefined;
}

function capabilitiesOf(list: readonly string[] | undefined): DeploymentDraft['capabilities'] {
  const closed = list?.includes('none') ?? false;
  const has = (...names: string[]): boolean | undefined =>
    list?.some((one) => names.includes(one)) ? true : closed ? false : undefined;
  return {
    tools: has('tools', 'function_calling'),
    vision: has('vision', 'image'),
    jsonSchema: has('json_schema', 'json'),
    reasoning: has('reasoning', 'thinking'),
  };
}

/** Families of specialties: words that mean one kind of work. */
const specialtyFamilies: Readonly<Record<string, string>> = {
  general: 'general',
  general_chat: 'general',
  chat: 'general',
  conversational: 'general',
  code: 'code',
  code_generation: 'code',
  coding: 'code',
};

/** The one word of a specialty's family. */
export function canonicalSpecialty(word: string | undefined): string | undefined {
  return word === undefined ? undefined : (specialtyFamilies[word] ?? word);
}

function sizeOf(model: ModelShape, { findings, place }: Here): number | undefined {
  const declared = model.size ?? model.parameters;
  if (declared === undefined) return readSize(/[:\-_/](\d+(?:\.\d+)?[bt])(?=$|[:\-_.])/i.exec(model.name)?.[1] ?? '');
  const size = readSize(declared);
  if (size === undefined) {
    findings.add('bad-size', { file: place.file, path: [...place.path, 'size'] }, `"size" has "${declared}"`, {
      found: declared,
      wanted: 'a number of parameters such as "7B" or "1T"',
    });
  }
  return size;
}

function infoOf(model: ModelShape): DeploymentDraft['info'] {
  const { pulled_at: pulled, version, notes, model_size_gb: size, kv_cache_available_gb: cache } = model;
  const day = pulled instanceof Date ? pulled.toISOString().slice(0, 10) : pulled;
  return Object.fromEntries(
    Object.entries({ pulled_at: day, version, notes, model_size_gb: size, kv_cache_available_gb: cache }).filter(
      ([, value]) => value !== undefined,
    ),
  ) as DeploymentDraft['info'];
}

/** Counts that people keep by hand are compared with the truth. */
function checkCounts(shape: ProvidersShape, file: ParsedFile, { findings, catalog }: Lowering): void {
  const active = Object.values(shape.providers).filter((one) => (one.status ?? 'active') === 'active').length;
  const models = catalog.deployments.length;
  for (const [key, truth] of [
    ['total_providers', active],
    ['total_models_available', models],
  ] as const) {
    const stated = shape.metadata?.[key];
    if (typeof stated === 'number' && stated !== truth) {
      findings.add(
        'metadata-count',
        { file, path: ['metadata', key] },
        `"${key}" says ${stated}, and ${truth} are declared`,
        { found: stated, fix: `Write ${truth}, or leave the count out` },
      );
    }
  }
}

/** Providers that a reference stands for: one by its name, or all active ones of a type or group. */
export function providersNamed(catalog: Catalog, reference: string): readonly Provider[] {
  const own = catalog.providers.get(providerId(reference));
  if (own !== undefined) return [own];
  return [...catalog.providers.values()].filter((one) => one.status === 'active' && one.groups.includes(reference));
}

/** Names by which providers can be referred to, for the nearest one. */
export function providerNames(catalog: Catalog): readonly (ProviderId | string)[] {
  return [...new Set([...catalog.providers.keys(), ...[...catalog.providers.values()].flatMap((one) => one.groups)])];
}
