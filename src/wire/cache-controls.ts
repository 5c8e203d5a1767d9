import { asObject, type Fields } from './json-shape.ts';

/** What a request says of the cache, in LiteLLM's words: the body's `cache`, else the header Cache-Control. */
export type CacheControls = {
  /** Ask anew, whatever is kept. */
  readonly noCache: boolean;
  /** Keep nothing of the answer. */
  readonly noStore: boolean;
  /** Take part where the configuration says `default_off`; and keep an answer of tool calls too. */
  readonly useCache: boolean;
  /** How long the answer is kept. */
  readonly ttlSeconds: number | undefined;
  /** Oldest answer that is taken. */
  readonly maxAgeSeconds: number | undefined;
  readonly namespace: string | undefined;
};

export type CacheControlsResult =
  | { readonly kind: 'controls'; readonly controls: CacheControls }
  /** A control of the wrong type: what it is called, what it wants and what it has. */
  | { readonly kind: 'wrong'; readonly name: string; readonly wanted: string; readonly found: unknown };

/** Reads the controls of a request; the body's go before the header's. */
export function readCacheControls(body: unknown, header: string | undefined): CacheControlsResult {
  // Nearly no request says anything.
  if (body === undefined && header === undefined) return unsaid;
  return controlsOf({ ...fromHeader(header), ...fromBody(asObject(body)) });
}

function controlsOf(said: Fields): CacheControlsResult {
  const truth = (name: string): boolean | undefined => optional(said[name], (one) => typeof one === 'boolean');
  const count = (name: string): number | undefined =>
    optional(said[name], (one): one is number => typeof one === 'number' && one >= 0);
  const namespace = optional(said['namespace'], (one) => typeof one === 'string');
  const wrong = (name: string, wanted: string): CacheControlsResult => ({
    kind: 'wrong',
    name,
    wanted,
    found: said[name],
  });
  for (const name of ['no-cache', 'no-store', 'use-cache'])
    if (isSaid(said[name]) && truth(name) === undefined) return wrong(name, 'true or false');
  for (const name of ['ttl', 's-maxage', 's-max-age'])
    if (isSaid(said[name]) && count(name) === undefined) return wrong(name, 'seconds from 0');
  if (isSaid(said['namespace']) && namespace === undefined) return wrong('namespace', 'text');
  return {
    kind: 'controls',
    controls: {
      noCache: truth('no-cache') ?? false,
      noStore: truth('no-store') ?? false,
      useCache: truth('use-cache') ?? false,
      ttlSeconds: count('ttl'),
      maxAgeSeconds: count('s-maxage') ?? count('s-max-age'),
      namespace,
    },
  };
}

const unsaid = controlsOf({});

const controls = ['no-cache', 'no-store', 'use-cache', 'ttl', 's-maxage', 's-max-age', 'namespace'];

/** The controls alone: a body may hold millions of other keys, which are not copied. */
function fromBody(body: Fields = {}): Fields {
  return Object.fromEntries(controls.filter((name) => Object.hasOwn(body, name)).map((name) => [name, body[name]]));
}

function optional<Value>(value: unknown, is: (one: unknown) => one is Value): Value | undefined {
  return is(value) ? value : undefined;
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** `no-cache, ttl=60` as the body would say it; what is not known or no number is nothing. */
function fromHeader(header: string | undefined): Fields {
  const said: Record<string, unknown> = {};
  for (const directive of header?.toLowerCase().split(',') ?? []) {
    const [name = '', value] = directive.trim().split('=');
    if (value === undefined) said[name] = true;
    else if (/^\d+$/.test(value) && name !== 'namespace') said[name] = Number(value);
  }
  const known = ['no-cache', 'no-store', 'ttl', 's-maxage'];
  return Object.fromEntries(known.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]])));
}
