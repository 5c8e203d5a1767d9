import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { CorsSettings } from '../plan/settings.ts';
import type { Exchange } from './exchange.ts';

/** Headers that let a page of an allowed origin read the answer; none for other origins. */
export function corsHeaders(settings: CorsSettings, origin: string | undefined): readonly string[] {
  if (origin === undefined || !settings.enabled || !isAllowedOrigin(settings, origin)) return [];
  return ['access-control-allow-origin', origin, 'vary', 'origin', 'access-control-expose-headers', exposed];
}

const exposed = 'x-request-id, x-signalbox-decision, x-signalbox-route, x-signalbox-degraded, retry-after';

/** Answer to a preflight: the allowances for an allowed origin, and nothing for another. */
export function preflightHeaders(settings: CorsSettings, exchange: Exchange): readonly string[] {
  const headers = corsHeaders(settings, exchange.header('origin'));
  if (headers.length === 0) return [];
  const asked = exchange.header('access-control-request-headers') ?? 'authorization, content-type';
  return [
    ...headers,
    'access-control-allow-methods',
    'GET, POST, OPTIONS',
    'access-control-allow-headers',
    asked,
    'access-control-max-age',
    '600',
  ];
}

/** Whether an origin is on the list; a listed port of `*` stands for every port, `*` alone for every origin. */
function isAllowedOrigin(settings: CorsSettings, origin: string): boolean {
  return settings.allowedOrigins.some((allowed) => {
    if (allowed === '*' || allowed === origin) return true;
    if (!allowed.endsWith(':*')) return false;
    const stem = allowed.slice(0, -2);
    if (!origin.startsWith(stem)) return false;
    const rest = origin.slice(stem.length);
    return rest === '' || /^:\d{1,5}$/.test(rest);
  });
}

/**
 * Refuses what a page in a browser must not do blindly: a form or script of a foreign origin could
 * post to this machine without reading the answer. Requests without an Origin are no browser's.
 */
export function originProblem(settings: CorsSettings, exchange: Exchange): Failure | undefined {
  if (exchange.method !== 'POST') return undefined;
  const origin = exchange.header('origin');
  if (origin === undefined) return undefined;
  if (settings.enabled && isAllowedOrigin(settings, origin)) return undefined;
  if (isSameOrigin(origin, exchange.header('host'))) return undefined;
  return failure('forbidden_origin', `Pages of "${origin.slice(0, 200)}" may not use this gateway`);
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

/**
 * Refuses a foreign Host while no key is set: a page whose name was pointed at 127.0.0.1 would
 * otherwise count as this machine (DNS rebinding).
 */
export function hostProblem(exchange: Exchange): Failure | undefined {
  const host = (exchange.header('host') ?? '').toLowerCase();
  const name = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d+$/, '');
  if (
    name === '' ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    /^127(\.\d{1,3}){3}$/.test(name) ||
    name === '[::1]'
  )
    return undefined;
  return failure('forbidden_host', `The Host "${host.slice(0, 200)}" is not this machine, and no key is set`);
}
