import type { ServerSettings } from '../plan/settings.ts';
import { type Environment, revealSecret } from './upstreams.ts';

/** Where the gateway may listen, or why it does not start. */
export type BindDecision =
  | {
      readonly kind: 'bind';
      readonly host: string /** Said loudly where a file asked for more. */;
      readonly narrowed: string | undefined;
    }
  | { readonly kind: 'refused'; readonly message: string };

/** What deciding needs. */
export type BindInput = {
  readonly server: ServerSettings;
  /** `--host` of the command line. */
  readonly host: string | undefined;
  readonly environment: Environment;
  readonly isWeak: (key: string) => boolean;
};

/**
 * Without a key only this machine is served: a wider `--host` is refused, a wider host in a file
 * is narrowed. A master key that is declared and not set would leave the gateway open against its
 * owner's will, so nothing starts then.
 */
export function decideBind({ server, host, environment, isWeak }: BindInput): BindDecision {
  const declared = server.masterKey;
  const key = declared === undefined ? undefined : revealSecret(declared, environment);
  if (declared !== undefined && key === undefined) {
    const name = declared.kind === 'env' ? declared.name : 'master_key';
    return refuse(
      `The master key is declared and not set: ${name} is empty. Set it, or take general_settings.master_key out`,
    );
  }
  const wanted = host ?? server.host;
  if (isLoopback(wanted)) return { kind: 'bind', host: wanted, narrowed: undefined };
  const hasKey = key !== undefined || server.keys.some((one) => revealSecret(one.secret, environment) !== undefined);
  const why = !hasKey
    ? 'no key is set'
    : key !== undefined && isWeak(key)
      ? 'the master key is publicly known or too short'
      : undefined;
  if (why === undefined) return { kind: 'bind', host: wanted, narrowed: undefined };
  if (host !== undefined)
    return refuse(`Cannot serve ${host} to the network, since ${why}. Make a key with: signalbox key generate`);
  return {
    kind: 'bind',
    host: '127.0.0.1',
    narrowed: `The file asks for host ${wanted}, and 127.0.0.1 is served, since ${why}`,
  };
}

function refuse(message: string): BindDecision {
  return { kind: 'refused', message };
}

/** Whether an address is this machine's own. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
