import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { nearest } from '../plan/nearest.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import { type ViewInput, withoutVersion } from './view.ts';
import { answerCachePing } from './view-cache.ts';
import { answerHealth, answerLiveness, answerReadiness } from './view-health.ts';
import { answerGroupInfo, answerModelInfo, answerModels, answerOneModel } from './view-models.ts';

/** What a method and path stand for. */
export type Found =
  | { readonly kind: 'model'; readonly endpoint: Endpoint }
  /** A view that wants the key. */
  | { readonly kind: 'view'; readonly answer: (input: ViewInput) => void | Promise<void> }
  /** A view that is open without the key. */
  | { readonly kind: 'open'; readonly answer: (input: ViewInput) => void | Promise<void> }
  | { readonly kind: 'refused'; readonly failure: Failure; readonly allow: string | undefined };

const modelPaths: ReadonlyMap<string, Endpoint> = new Map([
  ['/chat/completions', 'chat'],
  ['/completions', 'completions'],
  ['/embeddings', 'embeddings'],
]);

const views: ReadonlyMap<string, Extract<Found, { kind: 'view' | 'open' }>> = new Map<
  string,
  Extract<Found, { kind: 'view' | 'open' }>
>([
  ['/models', { kind: 'view', answer: answerModels }],
  ['/model/info', { kind: 'view', answer: answerModelInfo }],
  ['/model_group/info', { kind: 'view', answer: answerGroupInfo }],
  ['/cache/ping', { kind: 'view', answer: answerCachePing }],
  ['/health', { kind: 'open', answer: answerHealth }],
  ['/health/liveliness', { kind: 'open', answer: answerLiveness }],
  ['/health/liveness', { kind: 'open', answer: answerLiveness }],
  ['/health/readiness', { kind: 'open', answer: answerReadiness }],
]);

/** Every path of the main listener but those of single models, for the nearest one to a misspelt path. */
export const knownPaths: readonly string[] = [...modelPaths.keys(), ...views.keys()].map((path) => `/v1${path}`);

/** Finds what a request is for; every path stands with and without `/v1`. */
export function findEndpoint(method: string, fullPath: string): Found {
  const path = withoutVersion(fullPath);
  const endpoint = modelPaths.get(path);
  if (endpoint !== undefined)
    return method === 'POST' ? { kind: 'model', endpoint } : wrongMethod(method, fullPath, 'POST');
  const view =
    views.get(path) ??
    (path.startsWith('/models/') && path.length > 8 ? ({ kind: 'view', answer: answerOneModel } as const) : undefined);
  if (view !== undefined)
    return method === 'GET' || method === 'HEAD' ? view : wrongMethod(method, fullPath, 'GET, HEAD');
  const near = nearest(fullPath, knownPaths, 1);
  return {
    kind: 'refused',
    failure: failure('unknown_url', `Unknown request URL: ${method} ${fullPath.slice(0, 200)}`, { nearest: near }),
    allow: undefined,
  };
}

function wrongMethod(method: string, path: string, allow: string): Found {
  return {
    kind: 'refused',
    failure: failure('method_not_allowed', `${path.slice(0, 200)} takes ${allow}, found ${method}`),
    allow,
  };
}
