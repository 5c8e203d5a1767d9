import { type Environment, revealSecret } from '../plan/secret.ts';
import type { NamedKey, ServerSettings } from '../plan/settings.ts';

/** A sentence for the person who starts the gateway. */
export type StartWarning = {
  readonly code: 'host-narrowed' | 'secret-weak';
  readonly severity: 'warning';
  readonly message: string;
  readonly found: string | undefined;
  readonly wanted: string | undefined;
  readonly nearest: undefined;
  readonly fix: string;
};

/** Where the gateway may listen, or why it does not start. */
export type BindDecision =
  | { readonly kind: 'bind'; readonly host: string; readonly warnings: readonly StartWarning[] }
  | { readonly kind: 'refused'; readonly about: 'secret' | 'bind'; readonly message: string; readonly fix: string };

/** What deciding needs. */
export type BindInput = {
  readonly server: ServerSettings;
  /** `--host` of the command line. */
  readonly host: string | undefined;
  readonly environment: Environment;
  readonly isWeak: (key: string) => boolean;
};

const makeKey = 'export LITELLM_MASTER_KEY=$(signalbox key generate --bare)';

/**
 * Without a key only this machine is served: a wider `--host` is refused, a wider host in a file is
 * narrowed. A key that is declared and not set would leave the gateway open against its owner's
 * will, so nothing starts then.
 */
export function decideBind({ server, host, environment, isWeak }: BindInput): BindDecision {
  const missing = missingKey(server, environment);
  if (missing !== undefined) return missing;
  const { masterKey } = server;
  const key = masterKey === undefined ? undefined : revealSecret(masterKey, environment);
  const why =
    key === undefined && server.keys.length === 0
      ? 'no key is set'
      : key !== undefined && isWeak(key)
        ? 'the master key is publicly known or too short'
        : undefined;
  const wanted = plainHost(host ?? server.host);
  if (why === undefined || isLoopback(wanted)) {
    return { kind: 'bind', host: wanted, warnings: why !== undefined && key !== undefined ? [weakKey] : [] };
  }
  if (host !== undefined)
    return { kind: 'refused', about: 'bind', message: `Cannot listen on "${host}": ${why}`, fix: makeKey };
  return {
    kind: 'bind',
    host: '127.0.0.1',
    warnings: [narrowed(wanted, why), ...(key === undefined ? [] : [weakKey])],
  };
}

/** A key that is declared and not set: the master key always, a named key where no other would keep the door. */
function missingKey({ masterKey, keys }: ServerSettings, environment: Environment): BindDecision | undefined {
  if (masterKey !== undefined && revealSecret(masterKey, environment) === undefined) {
    const name = masterKey.kind === 'env' ? masterKey.name : 'master_key';
    return {
      kind: 'refused',
      about: 'secret',
      message: `The master key is read from ${name}, which is not set: without it everybody could ask`,
      fix: `export ${name}=$(signalbox key generate --bare), or take master_key out of the file`,
    };
  }
  const [first] = keys;
  const isUnset = ({ secret }: NamedKey): boolean => revealSecret(secret, environment) === undefined;
  if (masterKey !== undefined || first === undefined || !keys.every(isUnset)) return undefined;
  const name = first.secret.kind === 'env' ? first.secret.name : 'key';
  return {
    kind: 'refused',
    about: 'secret',
    message: `The key of "${first.name}" is read from ${name}, which is not set, and no other key is: everybody could ask`,
    fix: `export ${name}=$(signalbox key generate --bare)`,
  };
}

function narrowed(host: string, why: string): StartWarning {
  return {
    code: 'host-narrowed',
    severity: 'warning',
    message: `The file asks for the host "${host}", and only 127.0.0.1 is served: ${why}`,
    found: host,
    wanted: '127.0.0.1 while there is no strong key',
    nearest: undefined,
    fix: makeKey,
  };
}

const weakKey: StartWarning = {
  code: 'secret-weak',
  severity: 'warning',
  message: 'The master key is publicly known or shorter than 12 characters: only this machine is served',
  found: undefined,
  wanted: undefined,
  nearest: undefined,
  fix: makeKey,
};

/** Whether an address is this machine's own. */
function isLoopback(host: string): boolean {
  return host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A host as it is bound: `localhost` is one address here, whatever a resolver says, and brackets belong to URLs. */
function plainHost(host: string): string {
  if (host.toLowerCase() === 'localhost') return '127.0.0.1';
  if (host === '*') return '0.0.0.0';
  return host.replace(/^\[(.*)\]$/, '$1');
}
