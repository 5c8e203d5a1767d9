import type { DialectName, Tier } from '../plan/provider.ts';

/** An address as the plan holds it. */
export type Address = { readonly baseUrl: string; readonly apiPath: string };

/** Splits an address with or without `/v1` into the server's own part and the path of its interface; undefined for what is no URL. */
export function splitAddress(text: string, dialect: DialectName): Address | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  // What is not kept must not seem to be: a name and password, a query.
  const hasMore = url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '';
  if (!isWeb || hasMore || url.hostname === '') return undefined;
  let path = url.pathname.replace(/\/+$/, '');
  if (dialect === 'ollama') path = path.replace(/\/(?:v1|api(?:\/(?:chat|generate))?)$/, '');
  if (dialect === 'azure') path = path.replace(/\/openai(?:\/deployments\/.*)?$/, '');
  path = path.replace(/\/(?:chat\/completions|completions|embeddings|v1\/messages)$/, '');
  const origin = `${url.protocol}//${url.host}`;
  if (path.endsWith('/v1')) return { baseUrl: `${origin}${path.slice(0, -3)}`, apiPath: '/v1' };
  // A path with a version of its own is complete: Gemini's /v1beta/openai, Zhipu's /v4.
  if (/\/v\d+[a-z]*(?:\/openai)?$/.test(path)) return { baseUrl: `${origin}${path}`, apiPath: '' };
  return { baseUrl: `${origin}${path}`, apiPath: '/v1' };
}

/** What an address must be, by what is wrong with one; the address itself may hold a password. */
export function addressWanted(text: string): string {
  const plain = 'an address such as http://127.0.0.1:8080';
  const placeholder = /^https?:\/\/[^/]*:([A-Z][A-Z0-9_]*)(?:\/|$)/.exec(text)?.[1];
  if (placeholder !== undefined) return `${plain}: ${placeholder} stands where the port goes`;
  const port = portOf(text);
  if (port !== undefined && port > 65_535) return `a port from 1 to 65535, not ${port}`;
  if (/^[\w.-]+(?::\d+)?(?:\/|$)/.test(text)) return `${plain}: http:// or https:// is missing before "${text}"`;
  if (!URL.canParse(text)) return plain;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    return `${plain}, without a name and password: a key goes into api_key`;
  if (url.search !== '')
    return `${plain}, without a query: Azure’s api-version goes into api_version, a key into api_key`;
  return plain;
}

/** Of what kind the fault of an address is. */
export function badAddress(text: string): 'bad-url' | 'bad-port' {
  return (portOf(text) ?? 0) > 65_535 ? 'bad-port' : 'bad-url';
}

/** The port that an address names. */
function portOf(text: string): number | undefined {
  const port = /^https?:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** An address as it may be shown. */
export function shownAddress(text: string): string {
  return text.replace(/:\/\/[^/\s]*@/, '://[secret]@').replace(/\?.*$/, '?…');
}

/** Tier of an address: what stands on this machine or network is local, the rest a standard cloud. */
export function tierOfAddress(baseUrl: string): Tier {
  const host = new URL(baseUrl).hostname;
  const isNear =
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host.endsWith('.local') ||
    host.endsWith('.internal') ||
    host.endsWith('.invalid') ||
    !host.includes('.') ||
    /^(?:127|10|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./.test(host) ||
    host.startsWith('[');
  return isNear ? 'local' : 'cloud_standard';
}
