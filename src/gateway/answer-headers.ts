import type { PlannedAttempt } from '../plan/decision.ts';
import type { Milliseconds } from '../plan/ids.ts';
import { rateLimitHeaders } from './rate-limits.ts';
import { type GatewayRequest, waitedMs } from './request.ts';
import type { Caching } from './response-cache.ts';

/** Headers of every answer to a model request: who answered, by which decision, after what. */
export function answerHeaders(
  request: GatewayRequest,
  attempt: PlannedAttempt | undefined,
  now: Milliseconds,
): string[] {
  const { plan, generation } = request.snapshot;
  const headers = [
    'x-request-id',
    request.id,
    'x-litellm-call-id',
    request.id,
    'x-signalbox-decision',
    request.id,
    'x-signalbox-generation',
    String(generation),
  ];
  const deployment = attempt === undefined ? undefined : plan.deployments[attempt.deployment];
  if (attempt !== undefined && deployment !== undefined) {
    headers.push(
      'x-signalbox-route',
      headerText(`${deployment.provider}/${attempt.model}`),
      'x-litellm-model-id',
      deployment.id,
    );
    const group = attempt.group ?? request.decision?.group;
    const name = group === undefined ? attempt.model : plan.groups[group]?.name;
    if (name !== undefined) headers.push('x-litellm-model-group', headerText(name));
    const provider = plan.providers.get(deployment.provider);
    if (plan.settings.server.showApiBase && provider !== undefined)
      headers.push('x-litellm-model-api-base', headerText(hostOf(provider.baseUrl)));
  }
  const total = now - request.startedAt;
  headers.push(
    'x-litellm-attempted-retries',
    String(retriesOf(request, attempt)),
    'x-litellm-attempted-fallbacks',
    String(fallbacksOf(request, attempt)),
    'x-litellm-response-duration-ms',
    total.toFixed(3),
    'x-litellm-overhead-duration-ms',
    Math.max(0, total - waitedMs(request)).toFixed(3),
  );
  headers.push(...rateLimitHeaders(request, attempt, now));
  if (request.degradation !== undefined) {
    const { reason, from, to } = request.degradation;
    headers.push('x-signalbox-degraded', `${reason}; from=${headerText(from)}; to=${headerText(to)}`);
  }
  if (request.caching !== undefined) headers.push(...cacheHeaders(request.caching));
  return headers;
}

function retriesOf({ outcomes }: GatewayRequest, attempt: PlannedAttempt | undefined): number {
  let failures = 0;
  for (const { failure, attempt: tried } of outcomes) if (failure !== undefined && tried.source === 'group') failures++;
  return attempt?.source === 'group' ? failures : Math.max(0, failures - 1);
}

/** How many names other than the asked one were tried. */
function fallbacksOf({ outcomes }: GatewayRequest, attempt: PlannedAttempt | undefined): number {
  const tried = [...outcomes.map((one) => one.attempt), ...(attempt === undefined ? [] : [attempt])];
  // Nearly every answer comes from the first name, and a set costs more than all else here.
  if (tried.every(({ source }) => source === 'group')) return 0;
  return new Set(tried.flatMap(({ source, group, model }) => (source === 'group' ? [] : [group ?? model]))).size;
}

/** What the cache did, and of a hit who gave the answer first. */
function cacheHeaders({ outcome, key, answer }: Caching): readonly string[] {
  const headers = ['x-signalbox-cache', outcome];
  if (answer === undefined || key === undefined) return headers;
  const { provider, model, deployment, group } = answer;
  headers.push('x-litellm-cache-key', key.hash, 'x-signalbox-route', headerText(`${provider}/${model}`));
  headers.push('x-litellm-model-id', deployment, 'x-litellm-model-group', headerText(group ?? model));
  return headers;
}

/** Printable ASCII stays; everything else is percent-encoded, since headers carry no other letters safely. */
export function headerText(value: string): string {
  return /^[\x21-\x7e ]*$/.test(value)
    ? value
    : value.toWellFormed().replaceAll(/[^\x21-\x7e]/gu, (letter) => encodeURIComponent(letter));
}

function hostOf(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1');
}

/** Headers that keep a stream from being held up or changed on its way. */
export const streamHeaders: readonly string[] = [
  'content-type',
  'text/event-stream; charset=utf-8',
  'cache-control',
  'no-cache, no-transform',
  'x-accel-buffering',
  'no',
];
