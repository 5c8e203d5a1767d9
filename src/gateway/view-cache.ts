import { failure } from '../plan/failure-catalogue.ts';
import { refuse } from './fail.ts';
import { sendJson, type ViewInput } from './view.ts';

/** `GET /cache/ping`: whether the cache works, in LiteLLM's form; the store is written to, for proof. */
export async function answerCachePing({ exchange, snapshot }: ViewInput): Promise<void> {
  const { cache } = snapshot;
  const problem = await cache?.store.ping().then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (cache !== undefined && problem === undefined) {
    const { kind, mode, namespace, ttlMs, endpoints } = snapshot.plan.settings.cache;
    const params = { type: kind, mode, namespace, ttl: ttlMs / 1000, endpoints: [...endpoints] };
    return sendJson(exchange, 200, {
      status: 'healthy',
      cache_type: kind,
      ping_response: true,
      set_cache_response: 'success',
      // LiteLLM has the first as a text and the second as a map.
      litellm_cache_params: JSON.stringify(params),
      health_check_cache_params: params,
    });
  }
  const message =
    problem === undefined
      ? 'No cache is configured: set litellm_settings.cache to true'
      : `The ${cache?.store.kind} cache does not work: ${problem}`;
  refuse(exchange, failure('cache_unavailable', message, { param: 'cache_ping' }));
}
