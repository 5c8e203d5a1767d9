import { type Milliseconds, milliseconds, seconds } from '../plan/ids.ts';
import { nearest } from '../plan/nearest.ts';
import type { Environment, SecretReference } from '../plan/secret.ts';
import type {
  CooldownSettings,
  NamedLimit,
  PolicyClass,
  RetrySettings,
  ServerSettings,
  Settings,
  Timeouts,
} from '../plan/settings.ts';
import { checkOrder } from './check-order.ts';
import { type Findings, inside, keyOf, type Place, quietFindings } from './findings.ts';
import { readSecret, type Variables } from './interpolate.ts';
import { readSection, type SectionReader } from './litellm/section.ts';
import { lowerCache } from './lower-cache.ts';
import { lowerKeys } from './lower-keys.ts';
import type { ParsedFile } from './parsed-file.ts';
import { limitKeys, readLimit } from './read-limit.ts';

/** The sections of settings.yaml or of a LiteLLM file, each read by its keys. */
export type SettingsSections = {
  readonly litellm: SectionReader;
  readonly router: SectionReader;
  readonly general: SectionReader;
  readonly server: SectionReader;
  readonly rateLimits: SectionReader;
  readonly cacheParams: SectionReader;
};

/** Opens the sections of a file; absent ones are empty. */
export function openSections(file: ParsedFile, findings: Findings): SettingsSections {
  const open = (
    name: 'litellm_settings' | 'router_settings' | 'general_settings' | 'server_settings' | 'rate_limit_settings',
  ): SectionReader => readSection({ file, path: [name] }, name, findings);
  const litellm = open('litellm_settings');
  return {
    litellm,
    router: open('router_settings'),
    general: open('general_settings'),
    server: open('server_settings'),
    rateLimits: open('rate_limit_settings'),
    cacheParams: readSection(
      { file, path: ['litellm_settings', 'cache_params'] },
      'cache_params',
      litellm.has('cache_params') ? findings : quietFindings,
    ),
  };
}

/** Settings but for routing, which needs the groups. */
export type PlainSettings = Omit<Settings, 'routing'>;

/** Lowers the sections to settings; what is absent takes its default. */
export function lowerSettings(sections: SettingsSections, environment: Environment, findings: Findings): PlainSettings {
  return {
    timeouts: lowerTimeouts(sections, findings),
    retry: lowerRetry(sections, findings),
    cooldown: lowerCooldown(sections, findings),
    server: lowerServer(sections, { environment, findings }),
    cache: lowerCache(sections, environment, findings),
    limits: lowerLimits(sections, findings),
  };
}

/** The first of several keys that declares a number of seconds, with its place. */
function firstSeconds(
  ...keys: readonly (readonly [section: SectionReader, key: string])[]
): { readonly ms: Milliseconds; readonly place: Place } | undefined {
  for (const [section, key] of keys) {
    const value = section.number(key);
    if (value !== undefined) return { ms: seconds(value), place: section.place(key) };
  }
  return undefined;
}

function lowerTimeouts({ litellm, router, server }: SettingsSections, findings: Findings): Timeouts {
  const request = firstSeconds([litellm, 'timeout'], [litellm, 'request_timeout']);
  const attempt = firstSeconds([router, 'timeout'], [litellm, 'request_timeout']);
  const firstToken = firstSeconds([router, 'stream_timeout'], [litellm, 'stream_timeout']);
  const requestMs = request?.ms ?? seconds(600);
  const attemptMs = attempt?.ms ?? requestMs;
  if (attempt !== undefined)
    checkOrder({ what: 'one attempt', ...attempt }, { what: 'the request', ms: requestMs }, findings);
  if (firstToken !== undefined)
    checkOrder({ what: 'the first token', ...firstToken }, { what: 'one attempt', ms: attemptMs }, findings);
  return {
    connectMs: seconds(5),
    firstTokenMs: firstToken?.ms ?? milliseconds(Math.min(attemptMs, 300_000)),
    betweenChunksMs: milliseconds(Math.min(attemptMs, 120_000)),
    attemptMs,
    requestMs,
    heartbeatAfterMs: firstSeconds([server, 'stream_heartbeat_after'])?.ms ?? seconds(15),
    drainMs: firstSeconds([server, 'drain_seconds'])?.ms ?? seconds(30),
  };
}

const policyClasses: Readonly<Record<string, PolicyClass>> = Object.fromEntries(
  (
    [
      'BadRequestError',
      'AuthenticationError',
      'TimeoutError',
      'RateLimitError',
      'ContentPolicyViolationError',
      'InternalServerError',
      'ServiceUnavailableError',
      'BadGatewayError',
      'NotFoundError',
      'Default',
    ] as const
  ).map((name) => [name, name]),
);

type WrittenPolicy = { readonly value: unknown; readonly place: Place; readonly ending: 'Retries' | 'AllowedFails' };

function readPolicy({ value, place, ending }: WrittenPolicy, findings: Findings): ReadonlyMap<PolicyClass, number> {
  const policy = new Map<PolicyClass, number>();
  if (typeof value !== 'object' || value === null) return policy;
  for (const [key, count] of Object.entries(value)) {
    const kind = key.endsWith(ending) ? policyClasses[key.slice(0, -ending.length)] : undefined;
    const at: Place = { ...place, path: [...place.path, key] };
    if (kind === undefined)
      findings.add('unknown-key', { ...at, part: 'key' }, `Unknown key "${key}"`, {
        found: key,
        nearest: nearest(
          key,
          Object.keys(policyClasses).map((one) => `${one}${ending}`),
          1,
        )[0],
        wanted: `such as TimeoutError${ending}`,
      });
    else if (typeof count !== 'number')
      findings.add('wrong-type', at, `"${key}" has ${JSON.stringify(count)}`, { wanted: 'a number' });
    else policy.set(kind, count);
  }
  return policy;
}

function policyAt(section: SectionReader, key: string, ending: WrittenPolicy['ending']): WrittenPolicy {
  return { value: section.raw(key), place: section.place(key), ending };
}

function lowerRetry({ litellm, router }: SettingsSections, findings: Findings): RetrySettings {
  const groups = router.raw('model_group_retry_policy');
  const groupPolicy = new Map<string, ReadonlyMap<PolicyClass, number>>();
  if (typeof groups === 'object' && groups !== null) {
    const place = router.place('model_group_retry_policy');
    for (const [name, value] of Object.entries(groups))
      groupPolicy.set(name, readPolicy({ value, place: inside(place, name), ending: 'Retries' }, findings));
  }
  return {
    retries: router.number('num_retries') ?? litellm.number('num_retries') ?? 2,
    maxFallbacks: router.number('max_fallbacks') ?? litellm.number('max_fallbacks') ?? 5,
    retryAfterMs: firstSeconds([router, 'retry_after'])?.ms ?? milliseconds(0),
    policy: readPolicy(policyAt(router, 'retry_policy', 'Retries'), findings),
    groupPolicy,
  };
}

function lowerCooldown({ litellm, router }: SettingsSections, findings: Findings): CooldownSettings {
  const cooldownMs = firstSeconds([router, 'cooldown_time'], [litellm, 'cooldown_time'])?.ms ?? seconds(5);
  return {
    enabled: router.boolean('disable_cooldowns') !== true,
    allowedFails: router.number('allowed_fails') ?? litellm.number('allowed_fails') ?? 3,
    windowMs: seconds(60),
    cooldownMs,
    maxCooldownMs: milliseconds(Math.max(cooldownMs, 60_000)),
    rateLimitedMs: seconds(60),
    allowedFailsPolicy: readPolicy(policyAt(router, 'allowed_fails_policy', 'AllowedFails'), findings),
  };
}

/** The port that every tool expects. */
const defaultPort = 4000;

function lowerServer({ general, server, litellm }: SettingsSections, variables: Variables): ServerSettings {
  const { findings } = variables;
  const port = server.number('port') ?? defaultPort;
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    findings.add('bad-port', server.place('port'), `"port" has ${port}`, {
      found: port,
      wanted: 'a whole number from 1 to 65535',
    });
  const cors = server.raw('cors');
  const megabytes = general.number('max_request_size_mb');
  return {
    host: server.text('host') ?? '127.0.0.1',
    port,
    cors: lowerCors(cors, server.place('cors'), findings),
    masterKey: lowerMasterKey(general, variables),
    keys: lowerKeys(server.raw('keys'), server.place('keys'), variables),
    maxBodyBytes:
      server.number('max_body_bytes') ?? (megabytes === undefined ? 32 * 1024 * 1024 : megabytes * 1024 * 1024),
    maxParallelRequests:
      general.number('global_max_parallel_requests') ??
      general.number('max_parallel_requests') ??
      litellm.number('max_concurrent_requests'),
    queue: {
      maxWaitMs: firstSeconds([server, 'max_queue_wait'])?.ms,
      maxLength: server.number('max_queue_length') ?? 256,
    },
    showApiBase: server.boolean('show_api_base') ?? false,
    alwaysIncludeUsage: general.boolean('always_include_stream_usage') ?? false,
  };
}

/** Keys that stand in every example and so protect nothing. */
const knownKeys: ReadonlySet<string> = new Set([
  'sk-1234',
  'sk-12345',
  'sk-123456',
  'sk-1234567890',
  'sk-test',
  'sk-master',
  'sk-litellm',
  'sk-master-key',
  'changeme',
  'password',
  'secret',
  'admin',
]);

/** Whether a master key is publicly known or too short to keep anybody out. */
export function isWeakKey(key: string): boolean {
  return knownKeys.has(key.toLowerCase()) || key.length < 12;
}

function lowerMasterKey(general: SectionReader, variables: Variables): SecretReference | undefined {
  const { environment, findings } = variables;
  const text = general.text('master_key');
  const place = general.place('master_key');
  if (text === undefined)
    return environment['LITELLM_MASTER_KEY'] ? { kind: 'env', name: 'LITELLM_MASTER_KEY' } : undefined;
  const secret = readSecret(text, place, variables);
  const value =
    secret === undefined ? undefined : secret.kind === 'literal' ? secret.secret.reveal() : environment[secret.name];
  if (value !== undefined && value !== '' && isWeakKey(value)) {
    findings.add('secret-weak', place, 'The master key is publicly known or shorter than 12 characters', {
      fix: 'Make one with: signalbox key generate',
    });
  }
  return secret;
}

function lowerCors(value: unknown, place: Place, findings: Findings): ServerSettings['cors'] {
  if (value === undefined || value === null) return { enabled: false, allowedOrigins: [] };
  if (typeof value !== 'object' || Array.isArray(value)) {
    findings.add('wrong-type', place, '"cors" is no map', { wanted: '{enabled: true, allowed_origins: [...]}' });
    return { enabled: false, allowedOrigins: [] };
  }
  for (const key of Object.keys(value)) {
    if (key !== 'enabled' && key !== 'allowed_origins')
      findings.add('unknown-key', { ...place, path: [...place.path, key], part: 'key' }, `Unknown key "${key}"`, {
        found: key,
        nearest: nearest(key, ['enabled', 'allowed_origins'], 1)[0],
        wanted: 'enabled or allowed_origins',
      });
  }
  const enabled = 'enabled' in value ? value.enabled === true : true;
  const origins: unknown = 'allowed_origins' in value ? value.allowed_origins : [];
  const list = (Array.isArray(origins) ? origins : [origins]).filter((one) => typeof one === 'string');
  for (const [index, origin] of list.entries()) {
    const isOrigin = origin === '*' || /^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/i.test(origin);
    if (!isOrigin)
      findings.add(
        'wrong-type',
        { ...place, path: [...place.path, 'allowed_origins', index] },
        `"${origin}" is no origin`,
        { found: origin, wanted: 'scheme and host such as http://localhost:5173 or http://localhost:*' },
      );
  }
  return { enabled, allowedOrigins: list };
}

function lowerLimits({ rateLimits }: SettingsSections, findings: Findings): readonly NamedLimit[] {
  const limits = rateLimits.raw('limits');
  if (rateLimits.boolean('enabled') === false || typeof limits !== 'object' || limits === null) return [];
  return Object.entries(limits).map(([name, value]: [string, unknown]) => {
    const place = inside(rateLimits.place('limits'), name);
    for (const key of Object.keys(typeof value === 'object' && value !== null ? value : {})) {
      if (limitKeys.includes(key) || key.startsWith('x-')) continue;
      findings.add('unknown-key', keyOf(inside(place, key)), `Unknown key "${key}"`, {
        found: key,
        nearest: nearest(key, limitKeys, 1)[0],
        wanted: limitKeys.join(', '),
      });
    }
    return { name, limit: readLimit(value, place, findings) };
  });
}
