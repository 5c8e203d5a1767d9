import { hash, timingSafeEqual } from 'node:crypto';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Exchange } from './exchange.ts';

/** Who sends a request. */
export type Principal = {
  /** `master`, a key's name, or `local` where no key is set. */
  readonly name: string;
  /** Names that it may ask for; empty: all. */
  readonly models: readonly string[];
  /** Whether it may ask for failures, to try what follows them. */
  readonly mayRehearse: boolean;
  /** Priority of its requests that say nothing of theirs. */
  readonly priority?: string | undefined;
};

/** The keys that the gateway accepts, as digests; the texts are not kept. */
export type KeyRing = readonly { readonly digest: Buffer; readonly principal: Principal }[];

/** Makes one entry of a key ring. */
export function keyEntry(key: string, principal: Principal): KeyRing[number] {
  return { digest: digestOf(key), principal };
}

/** Who sent the request, or why it is refused. */
export type Identified =
  | { readonly kind: 'known'; readonly principal: Principal }
  | { readonly kind: 'refused'; readonly failure: Failure };

const local: Principal = { name: 'local', models: [], mayRehearse: true };

/** Identifies the sender by any of the headers in which clients put their key; without keys everybody on this machine is known. */
export function identify(keys: KeyRing, exchange: Exchange): Identified {
  if (keys.length === 0) return { kind: 'known', principal: local };
  const presented = presentedKey(exchange);
  if (presented === undefined) {
    return refused('missing_key', 'The request has no key, wanted Authorization: Bearer KEY');
  }
  const digest = digestOf(presented);
  let found: Principal | undefined;
  // Every entry is compared, so that the time taken tells nothing of which one fits.
  for (const entry of keys) if (timingSafeEqual(entry.digest, digest)) found = entry.principal;
  return found === undefined
    ? refused('wrong_key', 'The key of the request is not known here')
    : { kind: 'known', principal: found };
}

function refused(kind: 'missing_key' | 'wrong_key', message: string): Identified {
  return { kind: 'refused', failure: failure(kind, message) };
}

/** LiteLLM's own header goes first, since it exists to leave Authorization to others. */
const keyHeaders = ['x-litellm-api-key', 'authorization', 'x-api-key', 'api-key'];

/** The first key that is there; clients without one send `Bearer` with nothing behind it. */
function presentedKey(exchange: Exchange): string | undefined {
  for (const name of keyHeaders) {
    const key = exchange
      .header(name)
      ?.replace(/^\s*bearer(?:\s+|$)/i, '')
      .trim();
    if (key !== undefined && key !== '') return key;
  }
  return undefined;
}

function digestOf(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
