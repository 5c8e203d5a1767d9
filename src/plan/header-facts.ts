import type { Plan } from './plan.ts';
import type { HeaderLookup, RequestFacts } from './request-facts.ts';

/** What the headers of a request say of it; the body's own words come after them, its tags beside them. */
export type HeaderFacts = Pick<
  RequestFacts,
  'capability' | 'priority' | 'tags' | 'qualityTier' | 'minTier' | 'retries'
>;

/** Headers that carry a key: nothing but the check of the key reads them. */
export const credentialHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-litellm-api-key',
  'cookie',
  'proxy-authorization',
]);

/** A whole number, how often an attempt that failed is made again. */
export const retriesHeader = 'x-litellm-num-retries';

/** Reads what headers say, of traffic, of questions about it, and of traffic that is only played. */
export function readHeaderFacts(headers: HeaderLookup): HeaderFacts {
  return {
    capability: said(headers.get('x-capability')),
    priority: said(headers.get('x-priority')),
    tags: splitTags(headers.get('x-litellm-tags')),
    qualityTier: said(headers.get('x-quality-tier')),
    minTier: said(headers.get('x-signalbox-min-tier')),
    retries: retriesOf(wholeNumber(headers.get(retriesHeader))),
  };
}

/** An empty header says nothing. */
function said(text: string | undefined): string | undefined {
  return text?.trim() || undefined;
}

/** Most retries that a request may ask for. */
const mostRetries = 10;

/** How often an attempt is made again, of what a header or a field asks for. */
export function retriesOf(asked: number | undefined): number | undefined {
  return asked === undefined ? undefined : Math.min(mostRetries, asked);
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+\s*$/.test(text) ? Number(text) : undefined;
}

/** The name that is asked for. Where it is absent the choice is left to the gateway, and so it is by `auto` and `default` where nothing is called so. */
export function askedName(value: unknown, { names }: Pick<Plan, 'names'>): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return (value === 'auto' || value === 'default') && !names.has(value) ? undefined : value;
}

function splitTags(value: string | undefined): readonly string[] {
  return value === undefined
    ? noTags
    : value
        .split(',')
        .map((tag) => tag.trim())
        .filter((tag) => tag !== '');
}

const noTags: readonly string[] = [];
