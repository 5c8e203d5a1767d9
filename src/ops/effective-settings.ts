import type { CompiledPlan } from '../config/compile.ts';
import type { SettingReport } from '../contract/setting-report.ts';
import type { Json } from '../plan/json.ts';
import type { SecretReference } from '../plan/secret.ts';
import type { Settings } from '../plan/settings.ts';

type Section = Parameters<CompiledPlan['places']['setting']>[0];

/** A setting in force: its value in the plan, and the keys of the files that decide it, the first written one wins. */
type Setting = {
  readonly value: (settings: Settings) => Json;
  readonly unit?: string;
  readonly from: readonly (readonly [section: Section, key: string])[];
};

const seconds = (read: (settings: Settings) => number, ...from: Setting['from']): Setting => ({
  value: (settings) => read(settings) / 1000,
  unit: 'seconds',
  from,
});

/** Every setting of settings.yaml that a request or the process is governed by, in the order in which it is shown. */
const settings: readonly Setting[] = [
  { value: ({ server }) => server.host, from: [['server', 'host']] },
  { value: ({ server }) => server.port, from: [['server', 'port']] },
  { value: ({ server }) => secretText(server.masterKey), from: [['general', 'master_key']] },
  { value: ({ server }) => server.keys.map((key) => key.name), from: [['server', 'keys']] },
  {
    value: ({ server }) => (server.cors.enabled ? [...server.cors.allowedOrigins] : 'off'),
    from: [['server', 'cors']],
  },
  {
    value: ({ server }) => server.maxBodyBytes,
    unit: 'bytes',
    from: [
      ['server', 'max_body_bytes'],
      ['general', 'max_request_size_mb'],
    ],
  },
  {
    value: ({ server }) => server.maxParallelRequests ?? 'not bounded',
    from: [
      ['general', 'global_max_parallel_requests'],
      ['general', 'max_parallel_requests'],
    ],
  },
  { value: ({ server }) => server.showApiBase, from: [['server', 'show_api_base']] },
  { value: ({ server }) => server.alwaysIncludeUsage, from: [['general', 'always_include_stream_usage']] },
  seconds(({ timeouts }) => timeouts.requestMs, ['litellm', 'timeout'], ['litellm', 'request_timeout']),
  seconds(({ timeouts }) => timeouts.attemptMs, ['router', 'timeout'], ['litellm', 'request_timeout']),
  seconds(({ timeouts }) => timeouts.firstTokenMs, ['router', 'stream_timeout'], ['litellm', 'stream_timeout']),
  seconds(({ timeouts }) => timeouts.heartbeatAfterMs, ['server', 'stream_heartbeat_after']),
  seconds(({ timeouts }) => timeouts.drainMs, ['server', 'drain_seconds']),
  {
    value: ({ retry }) => retry.retries,
    unit: 'attempts',
    from: [
      ['router', 'num_retries'],
      ['litellm', 'num_retries'],
    ],
  },
  {
    value: ({ retry }) => retry.maxFallbacks,
    from: [
      ['router', 'max_fallbacks'],
      ['litellm', 'max_fallbacks'],
    ],
  },
  seconds(({ retry }) => retry.retryAfterMs, ['router', 'retry_after']),
  { value: ({ cooldown }) => !cooldown.enabled, from: [['router', 'disable_cooldowns']] },
  {
    value: ({ cooldown }) => cooldown.allowedFails,
    unit: 'failures a minute',
    from: [
      ['router', 'allowed_fails'],
      ['litellm', 'allowed_fails'],
    ],
  },
  seconds(({ cooldown }) => cooldown.cooldownMs, ['router', 'cooldown_time'], ['litellm', 'cooldown_time']),
  { value: ({ routing }) => routing.defaultStrategy.name, from: [['router', 'routing_strategy']] },
  { value: ({ cache }) => (cache.enabled ? cache.kind : 'off'), from: [['litellm', 'cache']] },
  seconds(({ cache }) => cache.ttlMs, ['litellm', 'cache_params.ttl']),
  {
    value: ({ cache }) => (cache.kind === 'redis' ? 'set by Redis' : cache.maxBytes),
    unit: 'bytes',
    from: [['server', 'cache_max_bytes']],
  },
  {
    value: ({ cache }) => Object.fromEntries([...cache.modelTtlMs].map(([name, ttl]) => [name, ttl / 1000])),
    unit: 'seconds',
    from: [['server', 'cache_ttl_by_model']],
  },
];

const sectionNames: Readonly<Partial<Record<Section, string>>> = {
  litellm: 'litellm_settings',
  router: 'router_settings',
  general: 'general_settings',
  server: 'server_settings',
};

/** Every setting in force with where it comes from; secrets are named by where they are read. */
export function effectiveSettings(
  { settings: inForce }: { readonly settings: Settings },
  { places, environment }: Pick<CompiledPlan, 'places' | 'environment'>,
): readonly SettingReport[] {
  return settings.map(({ value, unit, from }) => {
    const written = from.find(([section, key]) => places.setting(section, key) !== undefined);
    const [section, key] = written ?? from[0] ?? ['server', ''];
    const span = places.setting(section, key);
    const isVariable = key === 'master_key' && span === undefined && environment['LITELLM_MASTER_KEY'] !== undefined;
    return {
      key: `${sectionNames[section] ?? section}.${key}`,
      value: value(inForce),
      unit: unit ?? null,
      source: span === undefined ? (isVariable ? 'environment' : 'default') : `${span.file}:${span.line}`,
    };
  });
}

function secretText(secret: SecretReference | undefined): string {
  if (secret === undefined) return 'none';
  return secret.kind === 'env' ? `os.environ/${secret.name}` : '[secret]';
}
