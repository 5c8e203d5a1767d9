import { canonical } from '../../plan/canonical.ts';
import { providerId } from '../../plan/ids.ts';
import type { Credential, Provider } from '../../plan/provider.ts';
import type { SecretReference } from '../../plan/secret.ts';
import { addressWanted, badAddress, shownAddress, splitAddress, tierOfAddress } from '../base-url.ts';
import { inside } from '../findings.ts';
import { readSecret } from '../interpolate.ts';
import { type DeclaredHeader, lowerHeaders } from '../lower-headers.ts';
import type { Lowering } from '../lowering.ts';
import { type AskedEntry, type Entry, objectOf, textOf } from './entry.ts';
import type { SectionReader } from './section.ts';

/** Entries of equal dialect, address and key share one provider. */
export function providerOf(asked: AskedEntry, lowering: Lowering): Provider | undefined {
  const address = addressOf(asked, lowering);
  if (address === undefined) return undefined;
  const { inventory, environment } = lowering;
  const { entry, credential, prefix, prefixName } = asked;
  const { params, info } = entry;
  const identity: Identity = {
    dialect: address.dialect,
    baseUrl: address.baseUrl,
    apiPath: address.apiPath,
    credential: credentialOf(asked, address, lowering),
    headers: headersOf(entry, lowering),
    apiVersion: params.text('api_version') ?? textOf(credential['api_version']) ?? environment['AZURE_API_VERSION'],
    tls: tlsOf(params) ?? lowering.tls,
  };
  const key = canonical(identity);
  const known = [...inventory.providers.values()].find((one) => canonical(identityOf(one)) === key);
  if (known !== undefined) return known;
  const provider: Provider = {
    id: freeProviderName(info.text('provider') ?? prefixName, lowering),
    groups: [address.dialect],
    status: 'active',
    probe: lowering.probe,
    limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
    seats: undefined,
    exclusiveGroup: undefined,
    tier: prefix.tier ?? tierOfAddress(address.baseUrl),
    budget: undefined,
    ...identity,
  };
  inventory.providers.set(provider.id, provider);
  inventory.places.set(provider.id, entry.place);
  return provider;
}

/** What makes a provider this one. */
type Identity = Pick<Provider, 'dialect' | 'baseUrl' | 'apiPath' | 'credential' | 'headers' | 'apiVersion' | 'tls'>;

function identityOf({ dialect, baseUrl, apiPath, credential, headers, apiVersion, tls }: Provider): Identity {
  return { dialect, baseUrl, apiPath, credential, headers, apiVersion, tls };
}

type Address = Pick<Provider, 'dialect' | 'baseUrl' | 'apiPath'> & {
  /** Whether it is OpenAI's prefix with an address of one's own. */
  readonly isOwn: boolean;
};

function addressOf(
  { prefixName, prefix, entry, credential }: AskedEntry,
  { findings, environment }: Lowering,
): Address | undefined {
  const { params } = entry;
  const declared = params.text('api_base') ?? params.text('base_url') ?? textOf(credential['api_base']);
  const base =
    declared ??
    (prefix.baseUrlVariable === undefined ? undefined : environment[prefix.baseUrlVariable]) ??
    prefix.baseUrl;
  const place = params.place(params.has('api_base') ? 'api_base' : params.has('base_url') ? 'base_url' : 'model');
  if (base === undefined) {
    findings.add('missing-key', place, `A deployment of ${prefixName} wants api_base`, {
      wanted: 'the address of its server',
    });
    return undefined;
  }
  // OpenAI's own prefix with another address is how every compatible server is written.
  const dialect =
    prefix.dialect === 'openai' && !/^https:\/\/api\.openai\.com/.test(base) ? 'openai_compatible' : prefix.dialect;
  const address = splitAddress(base, dialect);
  if (address !== undefined)
    return { ...address, dialect, isOwn: declared !== undefined && prefix.dialect === 'openai' };
  findings.add(badAddress(base), place, `"${shownAddress(base)}" is no address of a provider`, {
    found: shownAddress(base),
    wanted: addressWanted(base),
  });
  return undefined;
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
  { prefix, entry, credential }: AskedEntry,
  { dialect, isOwn }: Address,
  lowering: Lowering,
): Credential {
  const { environment } = lowering;
  const declared = entry.params.text('api_key') ?? textOf(credential['api_key']);
  // A compatible server of one's own is not asked with OpenAI's key.
  const variable = isOwn ? undefined : prefix.keyVariable;
  const isOptional = prefix.baseUrl === undefined || tierOfAddress(prefix.baseUrl) === 'local';
  const fallback =
    variable === undefined || (isOptional && environment[variable] === undefined)
      ? undefined
      : `os.environ/${variable}`;
  const text = declared ?? fallback;
  if (text === undefined) return { kind: 'none' };
  const place = entry.params.place(declared === undefined ? 'model' : 'api_key');
  const secret: SecretReference | undefined = readSecret(text, place, lowering);
  if (secret === undefined) return { kind: 'none' };
  if (dialect === 'anthropic') return { kind: 'header', header: 'x-api-key', secret };
  return dialect === 'azure' ? { kind: 'header', header: 'api-key', secret } : { kind: 'bearer', secret };
}

function headersOf({ params }: Entry, lowering: Lowering): Provider['headers'] {
  const declared = (['headers', 'extra_headers'] as const).flatMap((key) =>
    Object.entries(objectOf(params.raw(key))).flatMap(([name, value]): DeclaredHeader[] =>
      typeof value === 'string' ? [[name, value, inside(params.place(key), name)]] : [],
    ),
  );
  const headers = lowerHeaders(declared, lowering);
  const organization = params.raw('organization');
  return typeof organization === 'string' ? [...headers, ['openai-organization', organization]] : headers;
}
