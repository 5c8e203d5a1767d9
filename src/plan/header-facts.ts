import type { HeaderLookup, RequestFacts } from './request-facts.ts';

/** What the headers of a request say of it; the body's own words come after them, its tags beside them. */
export type HeaderFacts = Pick<
  RequestFacts,
  'capability' | 'priority' | 'tags' | 'qualityTier' | 'minTier' | 'retries'
>;

/** A whole number, how often an attempt that failed is made again. */
export const retriesHeader = 'x-litellm-num-retries';

/** Reads what headers say, of traffic, of questions about it, and of traffic that is only played. */
export function readHeaderFacts(headers: HeaderLookup): HeaderFacts {
  return {
    capability: headers.get('x-capability'),
    priority: headers.get('x-priority'),
    tags: splitTags(headers.get('x-litellm-tags')),
    qualityTier: headers.get('x-quality-tier'),
    minTier: headers.get('x-signalbox-min-tier'),
    retries: retriesOf(wholeNumber(headers.get(retriesHeader))),
  };
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

/** The name that is asked for: absent, empty, `auto` and `default` all leave the choice to the gateway. */
export function askedName(value: unknown): string | undefined {
  return typeof value !== 'string' || value === '' || value === 'auto' || value === 'default' ? undefined : value;
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
