import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Dialect, ReadContext, UpstreamRequest, WholeAnswer } from '../providers/provider.ts';
import type { ResponseHead } from '../wire/http-response.ts';

/** Who reads an answer, and for which request. */
export type WholeReading = {
  readonly dialect: Dialect;
  readonly request: UpstreamRequest;
  readonly context: ReadContext;
};

/** Reads an answer that came whole, by its status; `wall` is the time that its dates are held against. */
export function readWholeAnswer(
  { dialect, request, context }: WholeReading,
  { status, headers, body }: ResponseHead & { readonly body: Buffer },
  wall: number,
): Extract<WholeAnswer, { kind: 'answer' }> | Failed {
  if (status >= 400) {
    const readable = encodingOf(headers) === undefined ? body : nothing;
    return { kind: 'failed', failure: dialect.readError({ status, headers, body: readable }, wall) };
  }
  if (status >= 300)
    return failed(failure('upstream_malformed', `The provider answered with a redirect (status ${status})`));
  try {
    return (request.reading ?? dialect).readWhole(body, context);
  } catch {
    return failed(failure('upstream_malformed'));
  }
}

/** Why an answer of success cannot be read at all: nobody asked for it to be compressed. */
export function unreadable({ status, headers }: ResponseHead): Failure | undefined {
  const encoding = encodingOf(headers);
  return encoding === undefined || status >= 300 ? undefined : failure('upstream_malformed', compressed(encoding));
}

type Failed = { readonly kind: 'failed'; readonly failure: Failure };

const failed = (what: Failure): Failed => ({ kind: 'failed', failure: what });

const nothing: Buffer = Buffer.alloc(0);

/** How an answer is compressed; undefined where it is not. */
function encodingOf(headers: ReadonlyMap<string, string>): string | undefined {
  const encoding = headers.get('content-encoding')?.toLowerCase();
  return encoding === 'identity' || encoding === '' ? undefined : encoding;
}

function compressed(encoding: string): string {
  const name = encoding.replaceAll(/[^\w.-]/g, '').slice(0, 40);
  return `The provider’s answer is compressed (content-encoding "${name}"), wanted none, since none was asked for`;
}
