import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { askedName, credentialHeaders, readHeaderFacts, retriesHeader, retriesOf } from '../plan/header-facts.ts';
import type { Plan } from '../plan/plan.ts';
import type { Endpoint, HeaderLookup, RequestFacts } from '../plan/request-facts.ts';
import { readAskedFallbacks } from '../wire/asked-fallbacks.ts';
import { type AskedTimeouts, asSeconds, readAskedTimeouts, timeoutHeaders } from '../wire/asked-timeouts.ts';
import { type CacheControls, readCacheControls } from '../wire/cache-controls.ts';
import { asWholeNumber, findWrongField, type PromptField, shown } from '../wire/field-types.ts';
import { type Rehearsal, readRehearsal } from '../wire/rehearsal.ts';
import { type RequestNeeds, readRequestNeeds } from '../wire/request-needs.ts';
import { type BodyScan, memberText, memberValue, scanBody } from '../wire/scan-body.ts';
import type { Exchange } from './exchange.ts';
import type { Principal } from './identify.ts';

/** A request as the rest of the pipeline knows it. */
export type Understood = {
  readonly body: Uint8Array;
  readonly facts: RequestFacts;
  readonly needs: RequestNeeds;
  /** Where the members of the body stand. */
  readonly scan: BodyScan;
  /** A failure that it asks for in place of its first attempt. */
  readonly rehearsal: Rehearsal | undefined;
  /** How long it lets an attempt take. */
  readonly timeouts: AskedTimeouts | undefined;
  /** What it says of the response cache. */
  readonly cacheControls: CacheControls;
};

/** A request that was understood, or what is wrong with it. */
export type UnderstandResult =
  | { readonly kind: 'understood'; readonly request: Understood }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** A request that has come, by whomever, and the plan that it came to. */
type Received = {
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  readonly principal: Principal;
  readonly snapshot: { readonly plan: Plan };
};

/** Reads a body into the facts that routing decides by; the Content-Type does not matter, since curl sends none. */
export function understand(
  { exchange, endpoint, principal, snapshot: { plan } }: Received,
  body: Uint8Array,
): UnderstandResult {
  const scanned = scanBody(body);
  if (scanned.kind === 'invalid') return { kind: 'refused', failure: scanned.failure };
  const problem = fieldProblem(endpoint, body, scanned.scan) ?? headerProblem(exchange);
  if (problem !== undefined) return { kind: 'refused', failure: problem };
  const read = readCacheControls(memberValue(body, scanned.scan, 'cache'), exchange.header('cache-control'));
  if (read.kind === 'wrong') return { kind: 'refused', failure: wrongControl(read) };
  const rehearsal = readRehearsal(body, scanned.scan);
  if (rehearsal !== undefined && !principal.mayRehearse) return { kind: 'refused', failure: mayNotRehearse(rehearsal) };
  const needs = readRequestNeeds(body, scanned.scan);
  const facts = factsOf({ exchange, endpoint, body, scan: scanned.scan, needs, principal, plan });
  const long = lengthProblem(facts);
  if (long !== undefined) return { kind: 'refused', failure: long };
  const { scan } = scanned;
  const timeouts = readAskedTimeouts(body, scan, exchange);
  const cacheControls = read.controls;
  return { kind: 'understood', request: { body, facts, needs, scan, rehearsal, timeouts, cacheControls } };
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
  for (const param in words) {
    const length = words[param]?.length ?? 0;
    if (length <= longestWord) continue;
    const message = `The field "${param}" wants at most ${longestWord} letters, found ${length}`;
    return failure('bad_request', message, { param });
  }
  return undefined;
}

function mayNotRehearse({ field }: Rehearsal): Failure {
  return failure('key_not_allowed', `The key may not ask for failures, found ${field}: true`, { param: field });
}

const promptField: Readonly<Record<Endpoint, PromptField>> = {
  chat: 'messages',
  completions: 'prompt',
  embeddings: 'input',
};

function fieldProblem(endpoint: Endpoint, body: Uint8Array, scan: BodyScan): Failure | undefined {
  const prompt = promptField[endpoint];
  if (!scan.members.has(prompt)) return failure('missing_field', `The field "${prompt}" is missing`, { param: prompt });
  const wrong = findWrongField(body, scan, prompt);
  if (wrong !== undefined) {
    const { field, wanted, found } = wrong;
    return failure('wrong_type', `The field "${field}" wants ${wanted}, found ${found}`, { param: field });
  }
  return emptyListProblem(endpoint, body, scan) ?? letterProblem(body, scan, 'model');
}

/** Headers whose words are not free; those of tiers and priorities are judged where these are known. */
function headerProblem(exchange: Exchange): Failure | undefined {
  const check = (name: string, wanted: string, read: (found: string) => unknown): Failure | undefined => {
    const found = exchange.header(name);
    if (found === undefined || read(found) !== undefined) return undefined;
    return failure('wrong_type', `The header "${name}" wants ${wanted}, found ${shown(found)}`, { param: name });
  };
  return (
    check(retriesHeader, 'a whole number from 0', asWholeNumber) ??
    check(timeoutHeaders.total, 'seconds above 0', asSeconds) ??
    check(timeoutHeaders.firstToken, 'seconds above 0', asSeconds)
  );
}

function wrongControl({ name, wanted, found }: { name: string; wanted: string; found: unknown }): Failure {
  const param = `cache.${name}`;
  return failure('wrong_type', `The field "${param}" wants ${wanted}, found ${shown(found)}`, { param });
}

/** JSON can escape half of a surrogate pair, which is no letter and can stand in no header and no UTF-8. */
function letterProblem(body: Uint8Array, scan: BodyScan, name: string): Failure | undefined {
  const value = memberValue(body, scan, name);
  if (typeof value !== 'string' || value.isWellFormed()) return undefined;
  const found = JSON.stringify(value).slice(0, 200);
  return failure('bad_request', `The field "${name}" holds half of a surrogate pair, found ${found}`, { param: name });
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
  readonly plan: Plan;
};

function factsOf({ exchange, endpoint, body, scan, needs, principal, plan }: FactsInput): RequestFacts {
  const asked = askedName(memberValue(body, scan, 'model'), plan);
  const headers: HeaderLookup = { get: (name) => (credentialHeaders.has(name) ? undefined : exchange.header(name)) };
  const told = readHeaderFacts(headers);
  return {
    endpoint,
    asked,
    capability: told.capability ?? needs.capability,
    stream: needs.stream,
    promptTokens: needs.promptTokens,
    leastPromptTokens: needs.leastPromptTokens,
    maxOutputTokens: needs.maxOutputTokens,
    needs: { tools: needs.tools, vision: needs.vision, jsonSchema: needs.jsonSchema },
    batchSize: needs.batchSize,
    hasCodeFence: needs.hasCodeFence,
    isMultiStep: needs.isMultiStep,
    priority: told.priority ?? needs.priority ?? principal.priority,
    tags: told.tags.length === 0 ? needs.tags : [...needs.tags, ...told.tags],
    qualityTier: told.qualityTier ?? needs.qualityTier,
    minTier: told.minTier ?? needs.minTier,
    headers,
    key: principal.name,
    allowedModels: principal.models,
    ...readAskedFallbacks(body, scan, asked),
    retries: told.retries ?? retriesOf(asWholeNumber(memberValue(body, scan, 'num_retries'))),
  };
}
