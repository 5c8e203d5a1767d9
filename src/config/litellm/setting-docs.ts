import type { FieldNotes } from '../field.ts';
import type { Section } from './keys.ts';

/** Sections that settings.yaml has. */
export type SettingsSection = Extract<
  Section,
  | 'litellm_settings'
  | 'router_settings'
  | 'general_settings'
  | 'server_settings'
  | 'rate_limit_settings'
  | 'cache_params'
>;

/** What a setting takes, in JSON Schema's words or as one of ours that stands for several. */
export type SettingType =
  | 'number'
  | 'boolean'
  | 'booleanOrFile'
  | 'string'
  | 'strings'
  | 'list'
  | 'map'
  | 'fallbacks'
  | 'secret';

/** What people have to know of one setting. */
export type SettingDoc = FieldNotes & { readonly type: SettingType; readonly meaning: string };

const setting = (type: SettingType, meaning: string, notes: FieldNotes = {}): SettingDoc => ({
  type,
  meaning,
  ...notes,
});
const seconds = (meaning: string, notes: FieldNotes = {}): SettingDoc =>
  setting('number', meaning, { unit: 'seconds', ...notes });

const fallbacks = 'Names that answer when a name cannot, by name.';

/** Every setting that is executed, or will be; docs/reference/config.md and the JSON Schema are written from it. */
export const settingDocs: Readonly<Record<SettingsSection, Readonly<Record<string, SettingDoc>>>> = {
  litellm_settings: {
    drop_params: setting('boolean', 'Leave out request fields that an upstream’s wire does not take.', {
      default: false,
      danger: 'What is left out does not act: an answer may differ from what the client asked for.',
    }),
    request_timeout: seconds('Time for one request with all its attempts, where timeout is absent.', { default: 600 }),
    timeout: seconds('Time for one request with all its attempts: its deadline.', { default: 'request_timeout' }),
    stream_timeout: seconds('Time until the first token.', { default: 'the time of an attempt, at most 300' }),
    num_retries: setting('number', 'Further attempts within a name’s own deployments.', {
      unit: 'attempts',
      default: 2,
    }),
    fallbacks: setting('fallbacks', fallbacks),
    default_fallbacks: setting('strings', 'Names that answer when any name cannot, after its own fallbacks.'),
    context_window_fallbacks: setting('fallbacks', 'Names that answer when a prompt is too long, by name.'),
    content_policy_fallbacks: setting('fallbacks', 'Names that answer when a provider’s policy refuses, by name.'),
    allowed_fails: setting('number', 'Failures within a minute before a deployment cools down.', {
      unit: 'failures',
      default: 3,
    }),
    cooldown_time: seconds('Time for which a deployment that failed is set aside.', { default: 5 }),
    max_fallbacks: setting('number', 'Most fallbacks that one request follows.', { default: 5 }),
    max_concurrent_requests: setting('number', 'Another word for general_settings.max_parallel_requests.'),
    ssl_verify: setting(
      'booleanOrFile',
      'Whether certificates of providers are checked that say nothing of it, or a file with their authority.',
      {
        default: true,
        danger: 'false lets anybody on the way read and change requests and answers.',
      },
    ),
    api_request_params: setting('map', 'Another way to write ssl_verify: {verify: true}.'),
    cache: setting('boolean', 'Whether equal requests are answered from a cache.', { default: false }),
    cache_params: setting('map', 'Where and how long answers are kept; its keys stand below.'),
  },
  router_settings: {
    routing_strategy: setting('string', 'How the members of a name are put in order where it declares nothing.', {
      default: 'simple-shuffle',
    }),
    num_retries: setting('number', 'Further attempts within a name’s own deployments.', {
      unit: 'attempts',
      default: 2,
    }),
    timeout: seconds('Time for one attempt.', { default: 'the time of the request' }),
    stream_timeout: seconds('Time until the first token.', { default: 'the time of an attempt, at most 300' }),
    cooldown_time: seconds('Time for which a deployment that failed is set aside.', { default: 5 }),
    allowed_fails: setting('number', 'Failures within a minute before a deployment cools down.', {
      unit: 'failures',
      default: 3,
    }),
    allowed_fails_policy: setting('map', 'The same by class of failure, such as TimeoutErrorAllowedFails.'),
    retry_after: seconds('Least wait before a deployment is asked again.', { default: 0 }),
    retry_policy: setting('map', 'Attempts by class of failure, such as RateLimitErrorRetries.'),
    model_group_retry_policy: setting('map', 'Attempts by class of failure for single names.'),
    max_fallbacks: setting('number', 'Most fallbacks that one request follows.', { default: 5 }),
    fallbacks: setting('fallbacks', fallbacks),
    default_fallbacks: setting('strings', 'Names that answer when any name cannot, after its own fallbacks.'),
    context_window_fallbacks: setting('fallbacks', 'Names that answer when a prompt is too long, by name.'),
    context_window_fallback_dict: setting('fallbacks', 'Another word for context_window_fallbacks.'),
    content_policy_fallbacks: setting('fallbacks', 'Names that answer when a provider’s policy refuses, by name.'),
    model_group_alias: setting('map', 'Further names of names: alias → name, or alias → {model, hidden}.'),
    lab_extensions: setting(
      'map',
      'Sections of model-mappings.yaml where that file is not there: capabilities, pattern_routes, load_balancing, routing_rules and special_cases.',
    ),
    disable_cooldowns: setting('boolean', 'Whether deployments that fail are asked on and on.', {
      default: false,
      danger: 'A server that is down then costs every request an attempt.',
    }),
    enable_tag_filtering: setting('boolean', 'Whether a request’s tags choose among deployments.', { default: false }),
    tag_filtering_match_any: setting('boolean', 'Whether one common tag is enough.', { default: true }),
    enable_pre_call_checks: setting(
      'boolean',
      'Whether a prompt that is estimated to be longer than a model’s context is kept from it, before anything is sent. false leaves that to servers that refuse such a prompt themselves; for Ollama, which cuts it silently, the estimate always counts. It is no check of health, and leaving it out saves no time that can be measured.',
      { default: true },
    ),
    routing_strategy_args: setting(
      'map',
      'Numbers of strategies: lowest_latency_buffer is the part above the lowest latency within which deployments share evenly.',
    ),
    default_max_parallel_requests: setting(
      'number',
      'Requests that a deployment serves at the same time where it says nothing.',
    ),
  },
  general_settings: {
    master_key: setting('secret', 'Key that every request must carry, as os.environ/NAME.', {
      default: 'none: only this machine is served',
      danger: 'A key written in the file goes wherever the file goes.',
    }),
    health_check_interval: seconds('Time between two probes of a provider that says nothing else.', { default: 60 }),
    max_parallel_requests: setting('number', 'Requests that the gateway takes at the same time; more get 503.', {
      default: 'not bounded',
    }),
    global_max_parallel_requests: setting('number', 'Another word for max_parallel_requests.'),
    always_include_stream_usage: setting('boolean', 'Whether every stream ends with its usage, asked for or not.', {
      default: false,
    }),
    max_request_size_mb: setting('number', 'Largest request body.', { unit: 'megabytes', default: 32 }),
  },
  server_settings: {
    port: setting('number', 'Port that the gateway listens on.', { default: 4000 }),
    host: setting('string', 'Address that the gateway listens on.', {
      default: '127.0.0.1',
      danger: 'A wider address than this machine’s is served only with a master key.',
    }),
    cors: setting('map', 'Web pages that may ask: enabled, and allowed_origins such as http://localhost:*.', {
      default: 'none',
    }),
    keys: setting(
      'list',
      'Further keys: {name, key, models, rpm, tpm, max_parallel_requests, priority, allow_client_mock_response}, where models lists the names that the key may ask for, and priority: batch lets its requests wait while others want a seat, and allow_client_mock_response: true lets them rehearse failures with mock_testing_*.',
    ),
    max_queue_wait: seconds('Longest wait for a seat at a provider; what cannot be in time is refused at once.', {
      default: 'what is left of the request’s time',
    }),
    max_queue_length: setting('number', 'Most requests that wait for the seats of one provider or exclusive group.', {
      unit: 'requests',
      default: 256,
    }),
    max_body_bytes: setting('number', 'Largest request body.', { unit: 'bytes', default: 33_554_432 }),
    show_api_base: setting('boolean', 'Whether answers say in x-litellm-model-api-base which host answered.', {
      default: false,
    }),
    stream_heartbeat_after: seconds('Silence after which a stream is kept open with comments; 0 is never.', {
      default: 15,
    }),
    drain_seconds: seconds('Time that running answers have after SIGTERM.', { default: 30 }),
    cache_max_bytes: setting('number', 'Most that a cache in memory or on disk holds; Redis sets its own bound.', {
      unit: 'bytes',
      default: '67108864 in memory, 1073741824 on disk',
    }),
    cache_ttl_by_model: setting('map', 'Seconds for which answers are kept, by the name that is asked for.', {
      default: 'cache_params.ttl',
    }),
    prometheus: setting('map', 'Where metrics are served.'),
  },
  rate_limit_settings: {
    enabled: setting('boolean', 'Whether the limits hold.', { default: true }),
    limits: setting(
      'map',
      'Limits by name, model or provider: {rpm, tpm, max_parallel_requests}. Under a model’s name all that reaches the model counts, under another name what is asked by it.',
    ),
  },
  cache_params: {
    type: setting('string', 'Where answers are kept: local (memory), disk or redis.', {
      default: 'local, or redis where host or redis_url is declared',
    }),
    ttl: seconds('Time for which an answer is kept.', { default: 3600 }),
    host: setting('string', 'Host of Redis.', { default: 'REDIS_HOST, else 127.0.0.1' }),
    port: setting('number', 'Port of Redis.', { default: 'REDIS_PORT, else 6379' }),
    username: setting('string', 'User of Redis.', { default: 'REDIS_USERNAME' }),
    password: setting('secret', 'Password of Redis, as os.environ/NAME.', { default: 'REDIS_PASSWORD' }),
    ssl: setting('boolean', 'Whether Redis is spoken to by TLS.', { default: false }),
    db: setting('number', 'Database of Redis.', { default: 0 }),
    redis_url: setting('secret', 'Address of Redis, instead of host and port.', { default: 'REDIS_URL' }),
    namespace: setting('string', 'Word before every key, so that several gateways can share a store or keep apart.', {
      default: 'signalbox',
    }),
    disk_cache_dir: setting('string', 'Folder of the answers.', { default: 'cache in the state folder' }),
    mode: setting('string', 'default_on caches every request, default_off those that ask for it.', {
      default: 'default_on',
    }),
    supported_call_types: setting('strings', 'Calls that are cached, in LiteLLM’s words: completion, embedding …', {
      default: 'all',
    }),
  },
};
