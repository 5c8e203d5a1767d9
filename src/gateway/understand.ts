import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { Endpoint, HeaderLookup, RequestFacts } from '../plan/request-facts.ts';
import { type Rehearsal, readRehearsal } from '../wire/rehearsal.ts';
import { type RequestNeeds, readRequestNeeds } from '../wire/request-needs.ts';
import { type BodyScan, memberText, memberValue, scanBody } from '../wire/scan-body.ts';
import type { Exchange } from './exchange.ts';
import type { Principal } from './identify.ts';

/** A request as the rest of the pipeline knows it. */
export type Understood = {
  readonly facts: RequestFacts;
  readonly needs: RequestNeeds;
  readonly scan: BodyScan;
  readonly rehearsal: Rehearsal | undefined;
};

/** A request that was understood, or what is wrong with it. */
export type UnderstandResult =
  | { readonly kind: 'understood'; readonly request: Understood }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Reads a body into the facts that routing decides by; the Content-Type does not matter, since curl sends none. */
export function understand(
  exchange: Exchange,
  endpoint: Endpoint,
  body: Uint8Array,
  principal: Principal,
): UnderstandResult {
  const scanned = scanBody(body);
  if (scanned.kind === 'invalid') return { kind: 'refused', failure: scanned.failure };
  const problem = fieldProblem(endpoint, body, scanned.scan);
  if (problem !== undefined) return { kind: 'refused', failure: problem };
  const rehearsal = readRehearsal(body, scanned.scan);
  if (rehearsal !== undefined && !principal.mayRehearse) return { kind: 'refused', failure: mayNotRehearse(rehearsal) };
  const needs = readRequestNeeds(body, scanned.scan);
  const facts = factsOf({ exchange, endpoint, body, scan: scanned.scan, needs, principal });
  const long = lengthProblem(facts);
  if (long !== undefined) return { kind: 'refused', failure: long };
  return { kind: 'understood', request: { facts, needs, scan: scanned.scan, rehearsal } };
}

/** Longest name, tag or the like, in letters; lists of them count as one. */
const longestWord = 4096;

/** What routing is told by words stands in the log, in records and in answers, so a body may not fill these. */
function lengthProblem(facts: RequestFacts): Failure | undefined {
  const words: Readonly<Record<string, string | undefined>> = {
    model: facts.asked,
    capability: facts.capability,
    priority: facts.priority,
    quality_tier: facts.qualityTier,
    min_tier: facts.minTier,
    tags: facts.tags.join(','),
    fallbacks: facts.fallbacks.join(','),
  };
  const long = Object.entries(words).find(([, text]) => text !== undefined && text.length > longestWord);
  if (long === undefined) return undefined;
  const [param, text = ''] = long;
  const message = `The field "${param}" wants at most ${longestWord} letters, found ${text.length}`;
  return failure('bad_request', message, { param });
}

function mayNotRehearse({ field }: Rehearsal): Failure {
  return failure('key_not_allowed', `The key may not ask for failures, found ${field}: true`, { param: field });
}

const promptField: Readonly<Record<Endpoint, string>> = {
  chat: 'messages',
  completions: 'prompt',
  embeddings: 'input',
};

/** First letters by which a JSON value is of a type. */
const openings = { text: '"', list: '[', truth: 'tf', number: '-0123456789' };

function fieldProblem(endpoint: Endpoint, body: Uint8Array, scan: BodyScan): Failure | undefined {
  const prompt = promptField[endpoint];
  const wanted = endpoint === 'chat' ? openings.list : openings.text + openings.list;
  if (!scan.members.has(prompt)) return failure('missing_field', `The field "${prompt}" is missing`, { param: prompt });
  return (
    typeProblem(body, scan, prompt, wanted, endpoint === 'chat' ? 'a list' : 'text or a list') ??
    emptyListProblem(endpoint, body, scan) ??
    typeProblem(body, scan, 'model', openings.text, 'text') ??
    typeProblem(body, scan, 'stream', openings.truth, 'true or false') ??
    typeProblem(body, scan, 'max_tokens', openings.number, 'a number') ??
    typeProblem(body, scan, 'temperature', openings.number, 'a number') ??
    letterProblem(body, scan, 'model')
  );
}

/** JSON can escape half of a surrogate pair, which is no letter and can stand in no header and no UTF-8. */
function letterProblem(body: Uint8Array, scan: BodyScan, name: string): Failure | undefined {
  const value = memberValue(body, scan, name);
  if (typeof value !== 'string' || value.isWellFormed()) return undefined;
  const found = JSON.stringify(value).slice(0, 200);
  return failure('bad_request', `The field "${name}" holds half of a surrogate pair, found ${found}`, { param: name });
}

function typeProblem(
  body: Uint8Array,
  scan: BodyScan,
  name: string,
  wanted: string,
  words: string,
): Failure | undefined {
  const member = scan.members.get(name);
  if (member === undefined) return undefined;
  const first = String.fromCharCode(body[member.value.start] ?? 0);
  // OpenAI takes null for a field that is not set.
  if (wanted.includes(first) || first === 'n') return undefined;
  const found = (memberText(body, scan, name) ?? '').slice(0, 40);
  return failure('wrong_type', `The field "${name}" wants ${words}, found ${found}`, { param: name });
}

function emptyListProblem(endpoint: Endpoint, body: Uint8Array, scan: BodyScan): Failure | undefined {
  if (endpoint !== 'chat') return undefined;
  const member = scan.members.get('messages');
  if (member === undefined || member.value.end - member.value.start > 16) return undefined;
  const isEmpty = /^\[\s*\]$|^null$/.test(memberText(body, scan, 'messages') ?? '');
  return isEmpty
    ? failure('missing_field', 'The field "messages" wants at least one message, found none', { param: 'messages' })
    : undefined;
}

type FactsInput = {
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  readonly body: Uint8Array;
  readonly scan: BodyScan;
  readonly needs: RequestNeeds;
  readonly principal: Principal;
};

function factsOf({ exchange, endpoint, body, scan, needs, principal }: FactsInput): RequestFacts {
  const headers: HeaderLookup = { get: (name) => (credentialHeaders.has(name) ? undefined : exchange.header(name)) };
  return {
    endpoint,
    asked: askedName(body, scan),
    capability: headers.get('x-capability') ?? needs.capability,
    stream: needs.stream,
    promptTokens: needs.promptTokens,
    maxOutputTokens: needs.maxOutputTokens,
    needs: { tools: needs.tools, vision: needs.vision, jsonSchema: needs.jsonSchema },
    batchSize: needs.batchSize,
    hasCodeFence: needs.hasCodeFence,
    isMultiStep: needs.isMultiStep,
    priority: headers.get('x-priority') ?? needs.priority ?? principal.priority,
    tags: [...needs.tags, ...splitTags(headers.get('x-litellm-tags'))],
    qualityTier: headers.get('x-quality-tier') ?? needs.qualityTier,
    minTier: headers.get('x-signalbox-min-tier') ?? needs.minTier,
    headers,
    key: principal.name,
    allowedModels: principal.models,
    disableFallbacks: memberText(body, scan, 'disable_fallbacks') === 'true',
    fallbacks: names(memberValue(body, scan, 'fallbacks')),
    retries: retriesOf(memberValue(body, scan, 'num_retries') ?? headers.get('x-litellm-num-retries')),
  };
}

const credentialHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-litellm-api-key',
  'cookie',
  'proxy-authorization',
]);

/** Absent, null, empty, `auto` and `default` all leave the choice to the gateway. */
function askedName(body: Uint8Array, scan: BodyScan): string | undefined {
  const value = memberValue(body, scan, 'model');
  return typeof value !== 'string' || value === '' || value === 'auto' || value === 'default' ? undefined : value;
}

function splitTags(value: string | undefined): readonly string[] {
  return value === undefined
    ? []
    : value
        .split(',')
        .map((tag) => tag.trim())
        .filter((tag) => tag !== '');
}

/** LiteLLM takes names, and objects with the name under `model`. */
function names(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    if (typeof one === 'string') return [one];
    return typeof one === 'object' && one !== null && 'model' in one && typeof one.model === 'string'
      ? [one.model]
      : [];
  });
}

/** Most retries that a request may ask for. */
const mostRetries = 10;

function retriesOf(value: unknown): number | undefined {
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isInteger(number) && number >= 0 ? Math.min(mostRetries, number) : undefined;
}
