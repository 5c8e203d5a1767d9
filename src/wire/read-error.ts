import type { Failure, FailureKind } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Json } from '../plan/json.ts';
import type { ErrorAnswer } from './answer.ts';
import { asBuffer } from './as-buffer.ts';
import { asList, asObject, asText } from './json-shape.ts';
import { withoutAddresses } from './redact.ts';

/** An upstream's error in its own words, whatever form it had. */
type ErrorWords = {
  readonly message: string;
  readonly type: string | undefined;
  readonly code: Json | undefined;
  readonly param: string | undefined;
};

/** Reads a status of 400 or more: every form of body that servers answer with, and none. */
export function readHttpError({ status, headers, body }: ErrorAnswer, wallClockMs?: number): Failure {
  const words = readErrorWords(asBuffer(body).toString('utf8'));
  const retryAfterMs = readRetryAfter(headers, wallClockMs) ?? (status === 429 ? readReset(headers) : undefined);
  return classify(status, words, retryAfterMs);
}

/** Reads an error object that came with status 200 or within a stream. */
export function readErrorValue(value: unknown): Failure {
  const words = wordsOf(value) ?? emptyWords;
  const status = Number(words.code);
  return classify(status >= 400 && status < 600 ? status : statusOfType(words), words, undefined);
}

const emptyWords: ErrorWords = { message: '', type: undefined, code: undefined, param: undefined };

function classify(status: number, words: ErrorWords, retryAfterMs: Milliseconds | undefined): Failure {
  const kind = kindOf(status, words);
  const clean = withoutPlaces(words);
  const known = {
    upstreamStatus: status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(clean.param === undefined ? {} : { param: clean.param }),
    upstreamError: clean,
  };
  // What the client can mend is told in the server's own words; what it cannot is told in ours.
  const isTheirs = clientMends.has(kind) && words.message !== '';
  return failure(kind, isTheirs ? clean.message : undefined, known);
}

/** The words as they may be told; a server repeats keys and addresses in any of them. */
function withoutPlaces({ message, type, code, param }: ErrorWords): ErrorWords {
  return {
    message: withoutAddresses(message),
    type: type === undefined ? undefined : withoutAddresses(type),
    code: typeof code === 'string' ? withoutAddresses(code) : code,
    param: param === undefined ? undefined : withoutAddresses(param),
  };
}

/** Failures that the client can mend, for which the server's own words are the better ones. */
const clientMends: ReadonlySet<FailureKind> = new Set([
  'upstream_bad_request',
  'upstream_unsupported',
  'upstream_content_filter',
  'context_length_exceeded',
]);

const overflow =
  /context.?length|context window|context size|exceed_context_size|maximum context|prompt is too long|input length.*exceed|too many tokens|longer than the context|maximum input length|exceeds the context|max_model_len|reduce the length|too large to process/i;
const filtered = /content_filter|content management policy|content_policy|responsibleai/i;
const quota = /insufficient_quota|billing|exceeded your current quota|credit balance/i;
const missingModel =
  /(model|deployment).*(not found|does not exist|not exist|is not loaded)|no such model|model_not_found|unknown model|^model: /i;
const unsupported =
  /does not support (tools|chat|generate|vision|images|insert|audio|thinking|embeddings)|not_supported|--enable-auto-tool-choice|embedding=True/i;
const parseError =
  /parse_error|json\.exception|unexpected EOF|invalid character|Expecting value|^option "\w+" must be of type/i;
const rateLimit = /rate_limit|tokens per min/i;

function kindOf(status: number, words: ErrorWords): FailureKind {
  const all = `${words.message} ${words.type ?? ''} ${typeof words.code === 'string' ? words.code : ''}`;
  // llama.cpp answers an embedding input that is too long with 500.
  if (status <= 500 && status !== 429 && overflow.test(all)) return 'context_length_exceeded';
  if (status < 500 && filtered.test(all)) return 'upstream_content_filter';
  switch (status) {
    case 400:
    case 422:
      return kindOfRefusal(all);
    case 401:
    case 403:
    case 407:
      return 'upstream_auth';
    case 402:
      return 'upstream_quota_exhausted';
    case 404:
    case 410:
      return missingModel.test(all) ? 'upstream_model_missing' : 'upstream_error';
    case 405:
    case 408:
    case 409:
    case 425:
      return 'upstream_error';
    case 413:
      return rateLimit.test(all) ? 'upstream_rate_limited' : 'upstream_bad_request';
    case 429:
      return quota.test(all) ? 'upstream_quota_exhausted' : 'upstream_rate_limited';
    case 500:
      return kindOfFault(all);
    case 501:
      return 'upstream_unsupported';
    case 503:
      return /loading/i.test(all) ? 'upstream_loading' : 'upstream_overloaded';
    case 529:
      return 'upstream_overloaded';
    default:
      return status >= 400 && status < 500 ? 'upstream_bad_request' : 'upstream_error';
  }
}

function kindOfRefusal(all: string): FailureKind {
  // Anthropic says with 400 that an account is empty, llama.cpp's router that a model is unknown.
  if (quota.test(all)) return 'upstream_quota_exhausted';
  if (missingModel.test(all)) return 'upstream_model_missing';
  return unsupported.test(all) ? 'upstream_unsupported' : 'upstream_bad_request';
}

function kindOfFault(all: string): FailureKind {
  // Some builds of llama.cpp answer a client's bad JSON with 500.
  if (parseError.test(all)) return 'upstream_bad_request';
  return unsupported.test(all) ? 'upstream_unsupported' : 'upstream_error';
}

/** An error without a status of its own is placed by its type; what nothing is known of is the server's fault. */
function statusOfType(words: ErrorWords): number {
  const type = `${words.type ?? ''} ${typeof words.code === 'string' ? words.code : ''}`;
  if (/rate_limit|too_many/i.test(type)) return 429;
  if (/overloaded/i.test(type)) return 529;
  if (/invalid_request|bad_request|exceed_context/i.test(type)) return 400;
  if (/authentication|permission|api_key/i.test(type)) return 401;
  if (/not_found/i.test(type)) return 404;
  return overflow.test(words.message) ? 400 : 500;
}

function readErrorWords(text: string): ErrorWords {
  try {
    return wordsOf(JSON.parse(text)) ?? emptyWords;
  } catch {
    const plain = text.trimStart().startsWith('<') ? '' : text.trim().slice(0, 500);
    return { ...emptyWords, message: plain };
  }
}

/** Deepest place of an error's words: `[{error: {detail: …}}]`. */
const deepestWords = 4;

/** `{error: {…}}`, `{error: "…"}`, `{detail: …}`, `{errors: [{…}]}`, `{message: …}`, `[{error: …}]` and the bare object. */
function wordsOf(value: unknown, depth = 0): ErrorWords | undefined {
  if (typeof value === 'string') return { ...emptyWords, message: value };
  if (depth === deepestWords) return undefined;
  const list = asList(value);
  if (list !== undefined) return wordsOf(list[0], depth + 1);
  const fields = asObject(value);
  if (fields === undefined) return undefined;
  const problems = asList(fields['detail']);
  if (problems !== undefined) return { ...emptyWords, message: problems.map(problemText).join('; ') };
  const within = fields['error'] ?? fields['detail'] ?? fields['errors'];
  if (within !== undefined && within !== null) return wordsOf(within, depth + 1);
  const { code } = fields;
  return {
    message: asText(fields['message']) ?? '',
    type: asText(fields['type']),
    param: asText(fields['param']),
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
  };
}

/** What FastAPI says of one field. */
function problemText(problem: unknown): string {
  return asText(asObject(problem)?.['msg']) ?? '';
}

/** Longest Retry-After that is believed; a day covers daily quotas. */
const longestRetryAfterMs = 24 * 60 * 60 * 1000;

/** `retry-after-ms`, or `retry-after` as whole seconds or as a date in HTTP's form; anything else is ignored. */
function readRetryAfter(headers: ReadonlyMap<string, string>, wallClockMs?: number): Milliseconds | undefined {
  const fine = headers.get('retry-after-ms');
  if (fine !== undefined && /^\d{1,12}(\.\d+)?$/.test(fine)) return clamp(Number(fine));
  const coarse = headers.get('retry-after')?.trim();
  if (coarse === undefined) return undefined;
  if (/^\d{1,9}$/.test(coarse)) return clamp(Number(coarse) * 1000);
  if (/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(coarse) && wallClockMs !== undefined) {
    return clamp(Math.max(0, Date.parse(coarse) - wallClockMs));
  }
  return undefined;
}

/** When the limit that is used up starts anew, in OpenAI's headers: `6m0s`, `12ms`, `1h2m3.5s`. */
function readReset(headers: ReadonlyMap<string, string>): Milliseconds | undefined {
  const waits = ['requests', 'tokens'].flatMap((what) => {
    const isUsedUp = headers.get(`x-ratelimit-remaining-${what}`)?.trim() === '0';
    const wait = readDuration(headers.get(`x-ratelimit-reset-${what}`)?.trim() ?? '');
    return isUsedUp && wait !== undefined ? [wait] : [];
  });
  return waits.length === 0 ? undefined : clamp(Math.max(...waits));
}

function readDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?$/.exec(
    text,
  );
  if (match === null || text === '') return undefined;
  const [hours, minutes, seconds, millis] = match.slice(1).map((part) => Number(part ?? 0));
  return (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000 + (millis ?? 0);
}

function clamp(value: number): Milliseconds {
  return milliseconds(Math.min(longestRetryAfterMs, Math.round(value)));
}
