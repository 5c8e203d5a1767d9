import { crc32 } from 'node:zlib';
import { type Tokens, tokens } from '../plan/ids.ts';
import type { Usage } from '../plan/usage.ts';

/** An answer as it was sent, with what is told of it when it is sent again. */
export type CachedAnswer = {
  readonly kind: 'whole' | 'stream';
  /** The body, or all events of the stream with its end. */
  readonly body: Uint8Array;
  /** Wall time in milliseconds. */
  readonly storedAt: number;
  readonly provider: string;
  readonly model: string;
  readonly deployment: string;
  readonly group: string | undefined;
  readonly usage: Usage | undefined;
};

/** The first letter of an entry, so that one of an older form is not misread. */
const form = 1;

/** An answer as bytes: a line of JSON with a checksum, then the body. */
export function encodeAnswer({ body, ...about }: CachedAnswer): Uint8Array {
  const head = JSON.stringify({ form, check: crc32(body), length: body.length, ...about });
  return Buffer.concat([Buffer.from(`${head}\n`), body]);
}

/** Reads an entry; undefined where it is of another form, cut or otherwise not what was written. */
export function decodeAnswer(entry: Uint8Array): CachedAnswer | undefined {
  const end = entry.indexOf(0x0a);
  if (end === -1) return undefined;
  const head = parse(Buffer.from(entry.subarray(0, end)).toString());
  const body = entry.subarray(end + 1);
  if (head?.form !== form || head.length !== body.length || head.check !== crc32(body)) return undefined;
  const { kind, storedAt, provider, model, deployment, group, usage } = head;
  return { kind, body, storedAt, provider, model, deployment, group, usage: usage && readUsage(usage) };
}

type Head = Omit<CachedAnswer, 'body' | 'usage'> & {
  readonly form: number;
  readonly check: number;
  readonly length: number;
  readonly usage: { readonly [Field in keyof Usage]?: number } | undefined;
};

function parse(text: string): Head | undefined {
  try {
    // The checksum and the form that are compared next say that it was written by this file.
    return JSON.parse(text) as Head;
  } catch {
    return undefined;
  }
}

function readUsage(usage: NonNullable<Head['usage']>): Usage {
  const count = (value: number | undefined): Tokens | undefined => (value === undefined ? undefined : tokens(value));
  return {
    promptTokens: count(usage.promptTokens),
    completionTokens: count(usage.completionTokens),
    cachedTokens: count(usage.cachedTokens),
    reasoningTokens: count(usage.reasoningTokens),
  };
}
