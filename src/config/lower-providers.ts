import { type Milliseconds, milliseconds, providerId, seconds } from '../plan/ids.ts';
import { nearest } from '../plan/nearest.ts';
import type { Budget, Credential, DialectName, ProbeSettings, Provider, RateLimit } from '../plan/provider.ts';
import type { Environment } from '../plan/secret.ts';
import { addressWanted, badAddress, shownAddress, splitAddress, tierOfAddress } from './base-url.ts';
import { dialectOf } from './dialect.ts';
import { inside, keyOf, type Place } from './findings.ts';
import { readSecret } from './interpolate.ts';
import { type DeclaredHeader, lowerHeaders } from './lower-headers.ts';
import { lowerModels } from './lower-models.ts';
import type { Lowering } from './lowering.ts';
import type { ParsedFile } from './parsed-file.ts';
import { checkedProviders, checkOf } from './shape-health-checks.ts';
import type { HealthCheckShape, HealthChecksShape } from './written-health-checks.ts';
import type { BudgetShape, ProviderShape, ProvidersShape } from './written-providers.ts';

/** Health checks, from whichever files have them; the first that speaks of a provider decides. */
export type HealthChecks = readonly { readonly shape: HealthChecksShape; readonly at: Place }[];

/** Puts the declared providers and their models into the inventory. */
export function lowerProviders(
  { shape, file }: { readonly shape: ProvidersShape; readonly file: ParsedFile },
  checks: HealthChecks,
  lowering: Lowering,
): void {
  for (const [name, provider] of Object.entries(shape.providers)) {
    const at: Place = { file, path: ['providers', name] };
    const dialect = dialectOf(provider.type);
    if (dialect === undefined) continue;
    const lowered = lowerProvider({ name, shape: provider, at, dialect }, checks, lowering);
    if (lowered === undefined) {
      breakNames(name, provider, lowering);
      continue;
    }
    lowering.inventory.providers.set(lowered.id, lowered);
    lowering.inventory.places.set(lowered.id, keyOf(at));
    lowerModels({ shape: provider, at }, lowered, lowering);
  }
  checkNames(checks, shape, lowering);
  compareCounts(shape, { file, path: ['metadata'] }, lowering);
}

/** Health checks that name a provider which is not declared would do nothing. */
function checkNames(checks: HealthChecks, { providers }: ProvidersShape, { findings }: Lowering): void {
  for (const { shape, at } of checks) {
    const own = checkedProviders(shape).map((name) => [name, inside(at, name)] as const);
    const endpoints = Object.keys(shape.endpoints ?? {}).map((name) => [name, inside(at, 'endpoints', name)] as const);
    for (const [name, place] of [...own, ...endpoints]) {
      if (Object.hasOwn(providers, name)) continue;
      const [near] = nearest(name, Object.keys(providers), 1);
      findings.add('unknown-provider', keyOf(place), `No provider is called "${name}"`, { found: name, nearest: near });
    }
  }
}

/** Counts that people keep by hand go stale; the truth is said beside them. */
function compareCounts({ providers, metadata }: ProvidersShape, at: Place, { findings }: Lowering): void {
  const all = Object.values(providers);
  const counts = {
    total_providers: all.length,
    total_models_available: all.reduce((sum, one) => sum + (one.models?.length ?? 0), 0),
  };
  for (const [key, count] of Object.entries(counts)) {
    const stated = metadata?.[key];
    if (typeof stated !== 'number' || stated === count) continue;
    findings.add('metadata-count', inside(at, key), `"${key}" says ${stated}, and ${count} are declared`, {
      found: stated,
      wanted: String(count),
    });
  }
}

function breakNames(name: string, { models }: ProviderShape, { inventory }: Lowering): void {
  inventory.broken.add(name);
  for (const model of models ?? []) inventory.broken.add(typeof model === 'string' ? model : model.name);
}

type Declared = {
  readonly name: string;
  readonly shape: ProviderShape;
  readonly at: Place;
  readonly dialect: DialectName;
};

/** Whether a status means that the provider is asked: what is only a measured state of an active one counts. */
function isActive(status: ProviderShape['status']): boolean {
  return status === undefined || status === 'active' || status === 'degraded' || status === 'unavailable';
}

function lowerProvider(declared: Declared, checks: HealthChecks, lowering: Lowering): Provider | undefined {
  const { name, shape, dialect } = declared;
  const address = addressOf(declared, lowering);
  if (address === undefined) return undefined;
  return {
    id: providerId(name),
    dialect,
    groups: groupsOf(shape),
    ...address,
    status: isActive(shape.status) ? 'active' : 'disabled',
    credential: credentialOf(declared, lowering),
    headers: headersOf(declared, lowering),
    apiVersion: shape.api_version,
    probe: probeOf(declared, checks, lowering.probe),
    limit: limitOf(shape),
    seats: shape.max_parallel_requests,
    exclusiveGroup: shape.exclusive_group,
    tier: shape.tier ?? tierOfAddress(address.baseUrl),
    tls: { verify: shape.verify_tls ?? lowering.tls.verify, caFile: shape.ca_file ?? lowering.tls.caFile },
    budget: budgetOf(shape.budget),
  };
}

/** Where a server of a type is, where no address is declared; undefined where only its owner knows. */
const usualAddresses: Readonly<Record<DialectName, string | undefined>> = {
  ollama: 'http://127.0.0.1:11434',
  llama_cpp: 'http://127.0.0.1:8080',
  vllm: 'http://127.0.0.1:8001',
  lm_studio: 'http://127.0.0.1:1234',
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  openai_compatible: undefined,
  azure: undefined,
  echo: 'http://echo.invalid',
};

function addressOf(
  { shape, at, dialect }: Declared,
  { findings }: Lowering,
): { readonly baseUrl: string; readonly apiPath: string } | undefined {
  const text = shape.base_url ?? usualAddresses[dialect];
  if (text === undefined) {
    findings.add('missing-key', keyOf(at), 'The key "base_url" is missing', { wanted: 'the address of its server' });
    return undefined;
  }
  // Templates have a word where the port will stand; it does no harm while they are not asked.
  const placeholder = /:[A-Z][A-Z0-9_]*(?=\/|$)/;
  const isTemplate = placeholder.test(text) && !isActive(shape.status);
  const address = splitAddress(isTemplate ? text.replace(placeholder, '') : text, dialect);
  if (address !== undefined) return address;
  findings.add(badAddress(text), inside(at, 'base_url'), `"base_url" has "${shownAddress(text)}"`, {
    found: shownAddress(text),
    wanted: addressWanted(text),
  });
  return undefined;
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

function credentialOf({ shape, at, dialect }: Declared, lowering: Lowering): Credential {
  const method = shape.custom_config?.auth_method;
  if (method === 'none' || dialect === 'echo') return { kind: 'none' };
  const variable = shape.env_var ?? (shape.requires_api_key === false ? undefined : vendorVariables[dialect]);
  const text = shape.api_key ?? (variable === undefined ? undefined : `os.environ/${variable}`);
  if (text === undefined) return { kind: 'none' };
  const key = shape.api_key !== undefined ? 'api_key' : shape.env_var !== undefined ? 'env_var' : undefined;
  const place = key === undefined ? keyOf(at) : inside(at, key);
  // A provider that is not active is not asked, so its key is not missed.
  const environment = isActive(shape.status) ? lowering.environment : withoutGap(lowering.environment, text);
  const secret = readSecret(text, place, { environment, findings: lowering.findings });
  if (secret === undefined) return { kind: 'none' };
  if (method === 'x-api-key' || (method === undefined && dialect === 'anthropic'))
    return { kind: 'header', header: 'x-api-key', secret };
  if (method === 'api-key' || (method === undefined && dialect === 'azure'))
    return { kind: 'header', header: 'api-key', secret };
  return { kind: 'bearer', secret };
}

function withoutGap(environment: Environment, text: string): Environment {
  const name = /(?:os\.environ\/|\$\{)([A-Za-z_]\w*)/.exec(text)?.[1];
  return name === undefined ? environment : { ...environment, [name]: environment[name] || 'unused' };
}

function headersOf({ shape, at }: Declared, lowering: Lowering): Provider['headers'] {
  const within = (map: Readonly<Record<string, string>> | undefined, ...path: string[]): readonly DeclaredHeader[] =>
    Object.entries(map ?? {}).map(([name, value]) => [name, value, inside(at, ...path, name)]);
  const declared = [
    ...within(shape.custom_config?.headers, 'custom_config', 'headers'),
    ...within(shape.headers, 'headers'),
  ];
  return lowerHeaders(declared, lowering);
}

function probeOf({ name, shape }: Declared, checks: HealthChecks, usual: ProbeSettings): ProbeSettings {
  const spoken: readonly HealthCheckShape[] = [
    ...[shape.health_check, shape.health_checks].filter((one) => one !== undefined),
    ...(shape.health_endpoint === undefined ? [] : [{ endpoint: shape.health_endpoint }]),
    ...checks.flatMap((one) => checkOf(one.shape, name) ?? []),
    ...checks.flatMap(({ shape: all }) => {
      const endpoint = all.endpoints?.[name];
      return endpoint === undefined ? [all] : [{ endpoint }, all];
    }),
  ];
  const first = <Key extends keyof HealthCheckShape>(key: Key): HealthCheckShape[Key] =>
    spoken.find((one) => one[key] !== undefined)?.[key];
  const endpoint = first('endpoint');
  const interval = first('interval_seconds');
  const timeout = first('timeout_seconds');
  return {
    enabled: first('enabled') ?? usual.enabled,
    path: endpoint === undefined ? undefined : pathOf(endpoint),
    intervalMs: interval === undefined ? usual.intervalMs : seconds(interval),
    timeoutMs: timeout === undefined ? usual.timeoutMs : seconds(timeout),
    retries: first('retry_attempts') ?? usual.retries,
  };
}

/** Probes are written as a path or as a whole address of the same server. */
function pathOf(endpoint: string): string {
  if (URL.canParse(endpoint)) return new URL(endpoint).pathname;
  return endpoint.startsWith('/') ? endpoint : `/${endpoint}`;
}

function limitOf({ rate_limits: limits }: ProviderShape): RateLimit {
  if (limits === undefined || !('requests_per_minute' in limits || 'tokens_per_minute' in limits))
    return { requestsPerMinute: undefined, tokensPerMinute: undefined };
  return { requestsPerMinute: limits.requests_per_minute, tokensPerMinute: limits.tokens_per_minute };
}

const day = 24 * 60 * 60 * 1000;
const windows: Readonly<Record<NonNullable<BudgetShape['budget_window']>, Milliseconds>> = {
  '1h': milliseconds(day / 24),
  '1d': milliseconds(day),
  '7d': milliseconds(7 * day),
  '30d': milliseconds(30 * day),
};

/** A spending cap, with its window of thirty days where none is declared. */
export function budgetOf(shape: BudgetShape | undefined): Budget | undefined {
  return shape === undefined
    ? undefined
    : { maxUsd: shape.max_budget_usd, windowMs: windows[shape.budget_window ?? '30d'] };
}
