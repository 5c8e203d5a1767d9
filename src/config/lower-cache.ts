import { type Milliseconds, seconds } from '../plan/ids.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import type { Environment, SecretReference } from '../plan/secret.ts';
import type { CacheSettings, RedisSettings } from '../plan/settings.ts';
import { type Findings, inside, keyOf } from './findings.ts';
import { readSecret } from './interpolate.ts';
import type { SectionReader } from './litellm/section.ts';

/** The sections that say something of the cache. */
export type CacheSections = {
  readonly litellm: SectionReader;
  readonly cacheParams: SectionReader;
  readonly server: SectionReader;
};

/** Lowers `cache`, `cache_params` and the keys of server_settings that LiteLLM has no words for. */
export function lowerCache(sections: CacheSections, environment: Environment, findings: Findings): CacheSettings {
  const { litellm, cacheParams, server } = sections;
  const enabled = litellm.boolean('cache') ?? false;
  const kind = kindOf(cacheParams, findings);
  noteIdle(sections, { enabled, kind }, findings);
  return {
    enabled,
    kind,
    ttlMs: positive(cacheParams, 'ttl', findings) ?? seconds(3600),
    modelTtlMs: lowerModelTtl(server, findings),
    mode: modeOf(cacheParams, findings),
    endpoints: endpointsOf(cacheParams),
    namespace: cacheParams.text('namespace') ?? 'signalbox',
    maxBytes: server.number('cache_max_bytes') ?? (kind === 'disk' ? 1024 : 64) * 1024 * 1024,
    directory: cacheParams.text('disk_cache_dir'),
    redis: lowerRedis(cacheParams, kind === 'redis' ? environment : {}, findings),
  };
}

/** Who names a Redis means it, with or without `type`. */
function kindOf(cacheParams: SectionReader, findings: Findings): CacheSettings['kind'] {
  const kind = cacheParams.text('type');
  switch (kind) {
    case 'disk':
    case 'redis':
      return kind;
    case undefined:
      return cacheParams.has('host') || cacheParams.has('redis_url') ? 'redis' : 'local';
    case 'local':
    case 'in-memory':
      return 'local';
    default:
      findings.add('wrong-type', cacheParams.place('type'), `"type" has "${kind}"`, {
        found: kind,
        wanted: 'local, disk or redis',
      });
      return 'local';
  }
}

function modeOf(cacheParams: SectionReader, findings: Findings): CacheSettings['mode'] {
  const mode = cacheParams.text('mode');
  if (mode !== undefined && mode !== 'default_on' && mode !== 'default_off')
    findings.add('wrong-type', cacheParams.place('mode'), `"mode" has "${mode}"`, {
      found: mode,
      wanted: 'default_on or default_off',
    });
  return mode === 'default_off' ? 'default_off' : 'default_on';
}

/** LiteLLM's types of calls, as far as the gateway serves them; it has each twice. */
const callTypes: Readonly<Record<string, Endpoint>> = {
  completion: 'chat',
  acompletion: 'chat',
  text_completion: 'completions',
  atext_completion: 'completions',
  embedding: 'embeddings',
  aembedding: 'embeddings',
};

function endpointsOf(cacheParams: SectionReader): ReadonlySet<Endpoint> {
  const named = cacheParams.texts('supported_call_types') ?? Object.keys(callTypes);
  return new Set(named.flatMap((name) => callTypes[name] ?? []));
}

function positive(section: SectionReader, key: string, findings: Findings): Milliseconds | undefined {
  const value = section.number(key);
  if (value === undefined || value > 0) return value === undefined ? undefined : seconds(value);
  findings.add('wrong-type', section.place(key), `"${key}" has ${value}`, { found: value, wanted: 'a number above 0' });
  return undefined;
}

function lowerModelTtl(server: SectionReader, findings: Findings): ReadonlyMap<string, Milliseconds> {
  const declared = server.raw('cache_ttl_by_model');
  const byModel = new Map<string, Milliseconds>();
  if (declared === undefined || declared === null) return byModel;
  const place = server.place('cache_ttl_by_model');
  if (typeof declared !== 'object' || Array.isArray(declared)) {
    findings.add('wrong-type', place, '"cache_ttl_by_model" is no map', { wanted: 'a map of names to seconds' });
    return byModel;
  }
  for (const [name, value] of Object.entries(declared)) {
    if (typeof value === 'number' && value > 0) byModel.set(name, seconds(value));
    else
      findings.add('wrong-type', inside(place, name), `"${name}" has ${JSON.stringify(value)}`, {
        wanted: 'seconds, a number above 0',
      });
  }
  return byModel;
}

/** What is not declared is taken from the variables that LiteLLM reads. */
function lowerRedis(cacheParams: SectionReader, environment: Environment, findings: Findings): RedisSettings {
  const secret = (key: string, variable: string): SecretReference | undefined => {
    const text = cacheParams.text(key);
    if (text !== undefined) return readSecret(text, cacheParams.place(key), { environment, findings });
    return environment[variable] ? { kind: 'env', name: variable } : undefined;
  };
  const hasHost = cacheParams.has('host');
  return {
    url: hasHost ? undefined : secret('redis_url', 'REDIS_URL'),
    host: cacheParams.text('host') ?? environment['REDIS_HOST'] ?? '127.0.0.1',
    port: cacheParams.number('port') ?? (Number(environment['REDIS_PORT']) || 6379),
    username: cacheParams.text('username') ?? environment['REDIS_USERNAME'],
    password: secret('password', 'REDIS_PASSWORD'),
    database: cacheParams.number('db') ?? 0,
    tls: cacheParams.boolean('ssl') ?? false,
  };
}

const keysOfKind: Readonly<Record<CacheSettings['kind'], readonly string[]>> = {
  local: [],
  disk: ['disk_cache_dir'],
  redis: ['host', 'port', 'username', 'password', 'db', 'redis_url', 'ssl'],
};

/** Keys that nothing reads: all of them where the cache is off, else those of another kind of store. */
function noteIdle(
  { cacheParams, server, litellm }: CacheSections,
  { enabled, kind }: Pick<CacheSettings, 'enabled' | 'kind'>,
  findings: Findings,
): void {
  if (!enabled) {
    for (const [section, key] of [
      [litellm, 'cache_params'],
      [server, 'cache_max_bytes'],
      [server, 'cache_ttl_by_model'],
    ] as const)
      if (section.has(key))
        findings.add('cache-key-idle', keyOf(section.place(key)), `"${key}" has no effect, since the cache is off`, {
          found: key,
          fix: 'Set litellm_settings.cache to true',
        });
    return;
  }
  for (const other of ['disk', 'redis'] as const) {
    if (other === kind) continue;
    for (const key of keysOfKind[other])
      if (cacheParams.has(key))
        findings.add('cache-key-idle', keyOf(cacheParams.place(key)), `"${key}" has no effect: the cache is ${kind}`, {
          found: key,
          fix: `Set type to ${other}, or take it out`,
        });
  }
  if (kind === 'redis' && server.has('cache_max_bytes'))
    findings.add('cache-key-idle', keyOf(server.place('cache_max_bytes')), '"cache_max_bytes" does not bind Redis', {
      found: 'cache_max_bytes',
      fix: 'Set maxmemory on the Redis server',
    });
}
