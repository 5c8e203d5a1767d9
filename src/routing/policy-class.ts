import type { Failure } from '../plan/failure.ts';
import type { PolicyClass } from '../plan/settings.ts';

/** The class that LiteLLM gives an upstream's failure in its policies; the gateway's own failures have none. */
export function policyClass({ kind }: Pick<Failure, 'kind'>): PolicyClass | undefined {
  switch (kind) {
    case 'upstream_auth':
      return 'AuthenticationError';
    case 'upstream_rate_limited':
    case 'upstream_quota_exhausted':
      return 'RateLimitError';
    case 'upstream_content_filter':
      return 'ContentPolicyViolationError';
    case 'upstream_model_missing':
      return 'NotFoundError';
    case 'upstream_bad_request':
    case 'upstream_unsupported':
    case 'context_length_exceeded':
      return 'BadRequestError';
    case 'upstream_timeout_connect':
    case 'upstream_timeout_first_token':
    case 'upstream_timeout_between_chunks':
    case 'upstream_timeout_total':
    case 'upstream_timeout_asked':
      return 'TimeoutError';
    case 'upstream_overloaded':
    case 'upstream_loading':
      return 'ServiceUnavailableError';
    case 'upstream_malformed':
    case 'upstream_truncated':
      return 'BadGatewayError';
    case 'upstream_refused':
    case 'upstream_unreachable':
    case 'upstream_reset':
    case 'upstream_error':
      return 'InternalServerError';
    default:
      return undefined;
  }
}
