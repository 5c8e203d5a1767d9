import { type Milliseconds, seconds } from '../plan/ids.ts';
import { asNumber } from './json-shape.ts';
import { type BodyScan, memberValue } from './scan-body.ts';

/** How long a request lets an attempt take, in LiteLLM's words. */
export type AskedTimeouts = {
  /** The whole attempt. */
  readonly totalMs: Milliseconds | undefined;
  /** Of a stream, the time to its first words. */
  readonly firstTokenMs: Milliseconds | undefined;
};

/** The fields that say it, which only the gateway reads. */
export const timeoutFields = ['timeout', 'request_timeout', 'stream_timeout'] as const;

/** The headers that say it; a header goes before its field. */
export const timeoutHeaders = { total: 'x-litellm-timeout', firstToken: 'x-litellm-stream-timeout' } as const;

/** Reads what a request says, once its fields and headers are known to be of their types; nearly none says anything. */
export function readAskedTimeouts(
  body: Uint8Array,
  scan: BodyScan,
  asker: { header(name: string): string | undefined },
): AskedTimeouts | undefined {
  const total =
    asker.header(timeoutHeaders.total) ??
    memberValue(body, scan, 'timeout') ??
    memberValue(body, scan, 'request_timeout');
  const firstToken = asker.header(timeoutHeaders.firstToken) ?? memberValue(body, scan, 'stream_timeout');
  if (total === undefined && firstToken === undefined) return undefined;
  return { totalMs: duration(total), firstTokenMs: duration(firstToken) };
}

function duration(said: unknown): Milliseconds | undefined {
  const length = asSeconds(said);
  return length === undefined ? undefined : seconds(length);
}

/** A length of time above nothing: its seconds, or their text, as headers have them. */
export function asSeconds(value: unknown): number | undefined {
  const isWritten = typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value);
  const number = isWritten ? Number(value) : asNumber(value);
  return number !== undefined && Number.isFinite(number) && number > 0 ? number : undefined;
}
