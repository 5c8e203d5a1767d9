import { canonical } from '../../plan/canonical.ts';
import { providerId } from '../../plan/ids.ts';
import type { Credential, Provider } from '../../plan/provider.ts';
import type { SecretReference } from '../../plan/secret.ts';
import { addressWanted, badAddress, shownAddress, splitAddress, tierOfAddress } from '../base-url.ts';
import { inside } from '../findings.ts';
import { readSecret } from '../interpolate.ts';
import { type DeclaredHeader, lowerHeaders } from '../lower-headers.ts';
import type { Lowering } from '../lowering.ts';
import { type Entry, objectOf, type SplitModel, textOf } from './entry.ts';
import type { Prefix } from './prefixes.ts';
import type { SectionReader } from './section.ts';

/** Entries of equal dialect, address and key share one provider. */
export function providerOf(
  { prefixName, prefix }: SplitModel,
  entry: Entry,
  credential: Readonly<Record<string, unknown>>,
  lowering: Lowering,
): Provider | undefined {
  const { inventory, findings, environment } = lowering;
  const declared = entry.params.text('api_base') ?? entry.params.text('base_url') ?? textOf(credential['api_base']);
  const base =
    declared ??
    (prefix.baseUrlVariable === undefined ? undefined : environment[prefix.baseUrlVariable]) ??
    prefix.baseUrl;
  const basePlace = entry.params.place(
    entry.params.has('api_base') ? 'api_base' : entry.params.has('base_url') ? 'base_url' : 'model',
  );
  if (base === undefined) {
    findings.add('missing-key', basePlace, `A deployment of ${prefixName} wants api_base`, {
      wanted: 'the address of its server',
    });
    return undefined;
  }
  // OpenAI's own prefix with another address is how every compatible server is written.
  const dialect =
    prefix.dialect === 'openai' && !/^https:\/\/api\.openai\.com/.test(base) ? 'openai_compatible' : prefix.dialect;
  const address = splitAddress(base, dialect);
  if (address === undefined) {
    findings.add(badAddress(base), basePlace, `"${shownAddress(base)}" is no address of a provider`, {
      found: shownAddress(base),
      wanted: addressWanted(base),
    });
    return undefined;
  }
  const identity = {
    dialect,
    ...address,
    credential: credentialOf(
      prefix,
      entry,
      credential,
      dialect,
      declared !== undefined && prefix.dialect === 'openai',
      lowering,
    ),
    headers: headersOf(entry, lowering),
    apiVersion:
      entry.params.text('api_version') ?? textOf(credential['api_version']) ?? environment['AZURE_API_VERSION'],
    tls: tlsOf(entry.params) ?? lowering.tls,
  };
  const key = canonical(identity);
  const known = [...inventory.providers.values()].find(
    (one) =>
      canonical({
        dialect: one.dialect,
        baseUrl: one.baseUrl,
        apiPath: one.apiPath,
        credential: one.credential,
        headers: one.headers,
        apiVersion: one.apiVersion,
        tls: one.tls,
      }) === key,
  );
  if (known !== undefined) return known;
  const provider: Provider = {
    id: freeProviderName(entry.info.text('provider') ?? prefixName, lowering),
    groups: [dialect],
    status: 'active',
    description: undefined,
    probe: lowering.probe,
    limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
    seats: undefined,
    exclusiveGroup: undefined,
    tier: prefix.tier ?? tierOfAddress(address.baseUrl),
    budget: undefined,
    info: {},
    ...identity,
  };
  inventory.providers.set(provider.id, provider);
  inventory.places.set(provider.id, entry.place);
  return provider;
}

/** What `ssl_verify` of a section says: whether certificates are checked, or with which authority; undefined where it says nothing. */
export function tlsOf(section: SectionReader): Provider['tls'] | undefined {
  const declared = section.raw('ssl_verify');
  if (declared === undefined || declared === null) return undefined;
  const isFile = typeof declared === 'string' && !/^(?:true|false)$/i.test(declared);
  if (isFile) return { verify: true, caFile: declared };
  return { verify: section.boolean('ssl_verify') ?? true, caFile: undefined };
}

function freeProviderName(wanted: string, { inventory }: Lowering): Provider['id'] {
  let name = wanted;
  for (let number = 2; inventory.providers.has(providerId(name)); number++) name = `${wanted}-${number}`;
  return providerId(name);
}

function credentialOf(
  prefix: Prefix,
  entry: Entry,
  credential: Readonly<Record<string, unknown>>,
  dialect: Provider['dialect'],
  isCompatible: boolean,
  { environment, findings }: Lowering,
): Credential {
  const declared = entry.params.text('api_key') ?? textOf(credential['api_key']);
  // A compatible server of one's own is not asked with OpenAI's key.
  const variable = isCompatible ? undefined : prefix.keyVariable;
  const isOptional = prefix.baseUrl === undefined || tierOfAddress(prefix.baseUrl) === 'local';
  const fallback =
    variable === undefined || (isOptional && environment[variable] === undefined)
      ? undefined
      : `os.environ/${variable}`;
  const text = declared ?? fallback;
  if (text === undefined) return { kind: 'none' };
  const place = entry.params.place(declared === undefined ? 'model' : 'api_key');
  const secret: SecretReference | undefined = readSecret(text, place, environment, findings);
  if (secret === undefined) return { kind: 'none' };
  if (dialect === 'anthropic') return { kind: 'header', header: 'x-api-key', secret };
  return dialect === 'azure' ? { kind: 'header', header: 'api-key', secret } : { kind: 'bearer', secret };
}

function headersOf({ params }: Entry, { environment, findings }: Lowering): Provider['headers'] {
  const declared = (['headers', 'extra_headers'] as const).flatMap((key) =>
    Object.entries(objectOf(params.raw(key))).flatMap(([name, value]): DeclaredHeader[] =>
      typeof value === 'string' ? [[name, value, inside(params.place(key), name)]] : [],
    ),
  );
  const headers = lowerHeaders(declared, environment, findings);
  const organization = params.raw('organization');
  return typeof organization === 'string' ? [...headers, ['openai-organization', organization]] : headers;
}
