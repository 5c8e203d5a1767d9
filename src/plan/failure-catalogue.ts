import type { Failure, FailureKind, FailureMeaning } from './failure.ts';

/** What every kind of failure means; docs/reference/errors.md is written from it. */
export const failureCatalogue: Readonly<Record<FailureKind, FailureMeaning>> = {
  bad_json: refused(400, 'invalid_json', 'The body is not valid JSON: send what the message points at'),
  duplicate_key: refused(
    400,
    'duplicate_key',
    'A key stands twice in one object, so its value is not certain: send it once',
  ),
  too_deep: refused(400, 'json_too_deep', 'The body nests deeper than is accepted: flatten it'),
  missing_field: refused(400, 'missing_required_parameter', 'A field that the endpoint needs is missing: add it'),
  wrong_type: refused(400, 'invalid_type', 'A field has another type than the endpoint takes: change it'),
  body_too_large: refused(
    413,
    'request_too_large',
    'The body is larger than server_settings.max_body_bytes: send less or raise it',
  ),
  bad_request: refused(400, 'invalid_request', 'The request cannot be understood: the message says why'),
  missing_key: {
    ...refused(
      401,
      'invalid_api_key',
      'The gateway wants a key and the request has none: send Authorization: Bearer KEY',
    ),
    level: 'warn',
  },
  wrong_key: {
    ...refused(
      401,
      'invalid_api_key',
      'The key of the request is not known here: check which key the gateway was started with',
    ),
    level: 'warn',
  },
  key_not_allowed: {
    ...refused(403, 'key_not_allowed', 'The key may not ask for this model: use another key or model'),
    level: 'warn',
  },
  forbidden_origin: {
    ...refused(
      403,
      'forbidden_origin',
      'A browser page of an origin that is not allowed sent the request: add it to cors.allowed_origins',
    ),
    level: 'warn',
  },
  forbidden_host: {
    ...refused(
      403,
      'forbidden_host',
      'The Host header names another machine while no key is set (DNS rebinding): use localhost, or set a key',
    ),
    level: 'warn',
  },
  model_not_found: refused(
    404,
    'model_not_found',
    'No rule knows the model: ask for one of the nearest names or of GET /v1/models',
  ),
  unknown_url: refused(404, 'unknown_url', 'The gateway has no such path: see docs/reference/http.md'),
  method_not_allowed: refused(
    405,
    'method_not_allowed',
    'The path exists for another method: the Allow header names it',
  ),
  unsupported_by_group: refused(
    400,
    'unsupported_parameter',
    'No deployment of the model can do what the request needs: ask for another model',
  ),
  context_length_exceeded: {
    ...refused(
      400,
      'context_length_exceeded',
      'The prompt is longer than the model takes: shorten it, or ask for a model with a larger context',
    ),
    goesOn: true,
  },
  client_closed: {
    ...refused(499, 'client_closed', 'The client left before the answer was complete'),
    type: 'client_error',
  },
  rate_limited: {
    ...refused(429, 'rate_limit_exceeded', 'A declared limit is full: wait as long as Retry-After says'),
    type: 'rate_limit_error',
    clientMayRetry: true,
    level: 'warn',
  },
  overloaded: {
    ...ours(503, 'overloaded', 'The gateway has as much work as it takes: wait as long as Retry-After says'),
    clientMayRetry: true,
  },
  no_seat: {
    ...ours(
      503,
      'overloaded',
      'All seats of the model are taken and the queue is full or too slow: wait as long as Retry-After says',
    ),
    goesOn: true,
    clientMayRetry: true,
  },
  provider_disabled: {
    ...theirs(
      503,
      'provider_disabled',
      'Every provider of the model is disabled and no fallback is declared: enable one, or declare a fallback',
    ),
    blame: 'configuration',
    goesOn: false,
    countsAgainst: false,
    clientMayRetry: false,
  },
  no_deployment_ready: {
    ...theirs(
      503,
      'no_deployment_ready',
      'Every deployment of the model is down, cooling or draining: signalbox status says which and why',
    ),
    goesOn: false,
    countsAgainst: false,
  },
  shutting_down: {
    ...ours(503, 'shutting_down', 'The gateway is finishing its last requests: try again in a moment'),
    clientMayRetry: true,
    level: 'info',
  },
  deadline_exceeded: {
    ...theirs(
      504,
      'deadline_exceeded',
      'The request and its attempts took longer than its deadline: raise request_timeout, or use a faster model',
    ),
    goesOn: false,
    countsAgainst: false,
    clientMayRetry: false,
  },
  cache_unavailable: {
    ...ours(
      503,
      'cache_unavailable',
      'No response cache is configured, or it does not work: see signalbox cache stats',
    ),
    type: 'cache_ping_error',
  },
  internal: {
    ...ours(500, 'internal_error', 'A fault of the gateway itself: please report it with the request id'),
    level: 'error',
  },
  rehearsed: {
    ...refused(
      500,
      'rehearsed_failure',
      'The request asked for a failure (mock_testing_fallbacks) and nothing else could answer: leave the field out',
    ),
    type: 'server_error',
    goesOn: true,
  },
  upstream_refused: theirs(
    502,
    'upstream_refused',
    'Nothing listens at the provider’s address: start the server, or correct base_url',
  ),
  upstream_unreachable: theirs(
    502,
    'upstream_unreachable',
    'The provider’s address cannot be reached (name, route, TLS): check base_url and the network',
  ),
  upstream_reset: theirs(502, 'upstream_reset', 'The provider cut the connection before it answered: look at its log'),
  upstream_timeout_connect: theirs(504, 'upstream_timeout_connect', 'The provider did not take the connection in time'),
  upstream_timeout_first_token: theirs(
    504,
    'upstream_timeout_first_token',
    'The provider did not begin its answer in time: a model that loads slowly wants a longer stream_timeout',
  ),
  upstream_timeout_between_chunks: theirs(
    504,
    'upstream_timeout_between_chunks',
    'The provider fell silent in the middle of its answer',
  ),
  upstream_timeout_total: theirs(504, 'upstream_timeout_total', 'The attempt took longer than timeout allows'),
  upstream_timeout_asked: {
    ...theirs(
      504,
      'upstream_timeout_asked',
      'The attempt took longer than the request itself allows by timeout or stream_timeout: allow more, or use a faster model',
    ),
    // How little time a client gives says nothing of the server.
    countsAgainst: false,
    level: 'info',
  },
  upstream_loading: {
    ...theirs(503, 'model_loading', 'The server is loading the model: try again in a moment'),
    countsAgainst: false,
    level: 'info',
  },
  upstream_error: theirs(502, 'upstream_error', 'The provider answered with an error of its own: look at its log'),
  upstream_overloaded: theirs(503, 'upstream_overloaded', 'The provider has too much to do'),
  upstream_rate_limited: {
    ...theirs(429, 'rate_limit_exceeded', 'The provider’s rate limit is reached: wait as long as Retry-After says'),
    type: 'rate_limit_error',
  },
  upstream_quota_exhausted: {
    ...theirs(429, 'insufficient_quota', 'The provider’s account has no quota left: raise it there'),
    type: 'insufficient_quota',
    blame: 'configuration',
    clientMayRetry: false,
  },
  upstream_malformed: theirs(
    502,
    'upstream_malformed',
    'The provider’s answer is not what its dialect says: check type and base_url',
  ),
  upstream_too_large: {
    ...theirs(502, 'upstream_too_large', 'The provider’s answer is larger than the gateway holds: ask for a stream'),
    goesOn: false,
    countsAgainst: false,
    clientMayRetry: false,
  },
  upstream_truncated: theirs(502, 'upstream_truncated', 'The provider’s answer ended before it was complete'),
  upstream_bad_request: refused(
    400,
    'invalid_request',
    'The provider refused the request as wrong: its message says why',
  ),
  upstream_unsupported: {
    ...refused(
      400,
      'unsupported_parameter',
      'The model or its server cannot do what the request asks (tools, images, embeddings …): ask for another model',
    ),
    goesOn: true,
  },
  upstream_auth: {
    ...theirs(502, 'upstream_auth', 'The provider refused the gateway’s key: check the provider’s env_var or api_key'),
    blame: 'configuration',
    clientMayRetry: false,
    level: 'error',
  },
  upstream_model_missing: {
    ...theirs(
      404,
      'model_not_found',
      'The provider does not have the model: pull it there, or correct the configuration',
    ),
    type: 'invalid_request_error',
    blame: 'configuration',
    clientMayRetry: false,
  },
  upstream_content_filter: {
    ...refused(400, 'content_filter', 'The provider’s content filter refused the request'),
    goesOn: true,
  },
};

/** Makes a failure; the message defaults to the catalogue's meaning. */
export function failure(kind: FailureKind, message?: string, known: Omit<Failure, 'kind' | 'message'> = {}): Failure {
  return { kind, message: message ?? failureCatalogue[kind].meaning, ...known };
}

/** The client has to change something; no other deployment would answer otherwise. */
function refused(status: number, code: string, meaning: string): FailureMeaning {
  return {
    status,
    type: 'invalid_request_error',
    code,
    blame: 'client',
    goesOn: false,
    countsAgainst: false,
    clientMayRetry: false,
    level: 'info',
    meaning,
  };
}

/** The gateway itself has to change something. */
function ours(status: number, code: string, meaning: string): FailureMeaning {
  return { ...refused(status, code, meaning), type: 'server_error', blame: 'us', level: 'warn' };
}

/** An upstream failed: another one may answer, and the failure counts against this one. */
function theirs(status: number, code: string, meaning: string): FailureMeaning {
  return {
    ...ours(status, code, meaning),
    blame: 'upstream',
    goesOn: true,
    countsAgainst: true,
    clientMayRetry: true,
  };
}
