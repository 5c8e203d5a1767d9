import { splitAddress } from '../config/base-url.ts';
import { usualProbe } from '../config/lowering.ts';
import { providerId } from '../plan/ids.ts';
import type { ServerFamily } from '../plan/probe.ts';
import type { DialectName, Provider } from '../plan/provider.ts';
import { Secret, WrittenSecret } from '../plan/secret.ts';
import type { Dialect } from '../providers/provider.ts';

/** Makes a family of a dialect. */
export function toServerFamily(dialect: Dialect): ServerFamily {
  return {
    name: dialect.name,
    paths: (address) => dialect.probes(providerAt(dialect.name, address)).map((probe) => probe.path),
    headers(address, key) {
      const list = dialect.authorize(providerAt(dialect.name, address), key);
      return Object.fromEntries(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? '']] : [])));
    },
    recognises: dialect.recognises,
    read: dialect.readProbe,
  };
}

/** A provider of which nothing is known but where it is. */
function providerAt(dialect: DialectName, address: string): Provider {
  const secret = new WrittenSecret(new Secret(''), '');
  return {
    id: providerId(dialect),
    dialect,
    groups: [],
    ...(splitAddress(address, dialect) ?? { baseUrl: address, apiPath: '/v1' }),
    status: 'active',
    credential: dialect === 'anthropic' ? { kind: 'header', header: 'x-api-key', secret } : { kind: 'bearer', secret },
    headers: [],
    apiVersion: undefined,
    probe: usualProbe,
    limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
    seats: undefined,
    exclusiveGroup: undefined,
    tier: 'local',
    tls: { verify: true, caFile: undefined },
    budget: undefined,
  };
}
