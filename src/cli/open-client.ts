import type { AdminClient } from '../ops/admin-client.ts';
import type { Problem } from './fail.ts';
import { findGateway, targetOf } from './running-gateway.ts';
import type { Terminal } from './terminal.ts';

/** A running gateway as its clients reach it, or why it cannot be asked. */
export type OpenedClient =
  | { readonly kind: 'client'; readonly admin: AdminClient; readonly url: string; readonly key: string | undefined }
  | { readonly kind: 'none'; readonly problem: Problem };

/** Finds the running gateway, with the key that it wants. */
export async function openClient(
  options: {
    readonly config: string | undefined;
    readonly 'state-dir': string | undefined;
    readonly 'key-env': string | undefined;
  },
  terminal: Terminal,
): Promise<OpenedClient> {
  const found = await findGateway(targetOf(options, terminal));
  if (found.kind === 'none') return found;
  const { address, key } = await found.admin.status();
  const variable = options['key-env'] ?? 'LITELLM_MASTER_KEY';
  if (key.needed && terminal.environment[variable] === undefined) {
    const message = `The gateway wants its key, and ${variable} is not set here`;
    return {
      kind: 'none',
      problem: { kind: 'secret', message, fix: `export ${variable}=…, or name another with --key-env` },
    };
  }
  return {
    kind: 'client',
    admin: found.admin,
    url: address ?? found.admin.record.address ?? '',
    key: key.needed ? terminal.environment[variable] : undefined,
  };
}
