/** How a request and the response cache meet: looked up before it is admitted, kept after it is answered. */
import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds, seconds } from '../plan/ids.ts';
import { isBatch } from '../routing/priority.ts';
import { type EntryKey, largestValue } from '../stores/store.ts';
import type { CacheControls } from '../wire/cache-controls.ts';
import { answerHeaders, streamHeaders } from './answer-headers.ts';
import { cacheKeyOf } from './cache-key.ts';
import { type CachedAnswer, decodeAnswer, encodeAnswer } from './cached-answer.ts';
import type { PipelineContext } from './dependencies.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { DecidedRequest, GatewayRequest, UnderstoodRequest } from './request.ts';
import { type Caching, countLookup, type Flight, takeOff } from './response-cache.ts';

/** Answers from the cache where it can; otherwise remembers what is to become of the answer. */
export async function answerFromCache(
  context: PipelineContext,
  request: UnderstoodRequest,
): Promise<Failure | 'answered' | undefined> {
  const { snapshot, understood } = request;
  const { cache } = snapshot;
  if (cache === undefined) return undefined;
  const { facts, body, scan, cacheControls: controls } = understood;
  const { mode, endpoints } = snapshot.plan.settings.cache;
  // What is rehearsed has to fail, and says nothing of other requests.
  const takesPart =
    understood.rehearsal === undefined &&
    endpoints.has(request.endpoint) &&
    (mode === 'default_on' || controls.useCache);
  const key = takesPart ? cacheKeyOf({ snapshot, facts, body, scan, namespace: controls.namespace }) : undefined;
  const isKept = key !== undefined && !controls.noStore;
  const caching: Caching = {
    ...{ cache, controls, key },
    outcome: 'bypass',
    answer: undefined,
    flight: undefined,
    pieces: isKept ? [] : undefined,
    size: 0,
  };
  request.caching = caching;
  if (key === undefined || controls.noCache) {
    cache.counts.bypassed++;
    return undefined;
  }
  const answer = (await lookUp(context, caching, key)) ?? (await follow(context, request, caching));
  if (request.exchange.closed) return failure('client_closed');
  caching.outcome = answer === undefined ? 'miss' : 'hit';
  countLookup(cache, key.model, answer !== undefined);
  if (answer === undefined) return undefined;
  caching.answer = answer;
  send(context, request, answer);
  return 'answered';
}

async function lookUp(
  { clock }: PipelineContext,
  { cache, controls }: Caching,
  key: EntryKey,
): Promise<CachedAnswer | undefined> {
  const entry = await cache.store.get(key);
  const answer = entry === undefined ? undefined : decodeAnswer(entry);
  if (answer === undefined) return undefined;
  const age = clock.wall() - answer.storedAt;
  if (controls.maxAgeSeconds !== undefined && age >= controls.maxAgeSeconds * 1000) return undefined;
  return isForMany(answer.body, controls) ? answer : undefined;
}

/**
 * Waits for an equal request that is under way, or lets others wait for this one. What keeps
 * nothing is no help to others, and calls of tools are for one client unless it says otherwise.
 */
async function follow(
  context: PipelineContext,
  request: UnderstoodRequest,
  caching: Caching,
): Promise<CachedAnswer | undefined> {
  const { cache, controls, key } = caching;
  const isAlone = caching.pieces === undefined || (request.understood.facts.needs.tools && !controls.useCache);
  if (key === undefined || isAlone) return undefined;
  // Who is in a hurry does not wait where batches wait.
  const id = `${key.model}\n${key.hash}\n${isBatch(request.understood.facts)}`;
  const leader = cache.flights.get(id);
  if (leader === undefined) {
    caching.flight = takeOff(cache, id);
    return undefined;
  }
  const heartbeat = startHeartbeat(context, request);
  const answer = await landing(context, request, leader);
  heartbeat.stop();
  if (answer !== undefined) cache.counts.shared++;
  return answer;
}

/** The answer of an equal request; undefined where it fails, takes too long, or this client leaves. */
function landing(
  { clock }: PipelineContext,
  { exchange, deadline, understood: { timeouts } }: UnderstoodRequest,
  { answer }: Flight,
): Promise<CachedAnswer | undefined> {
  // It waits for another's attempt no longer than it would for its own.
  const longest = Math.min(deadline - clock.now(), timeouts?.totalMs ?? Number.POSITIVE_INFINITY);
  return new Promise((resolve) => {
    const late = clock.after(milliseconds(Math.max(0, longest)), () => resolve(undefined));
    const leave = exchange.whenClosed(() => {
      late.stop();
      resolve(undefined);
    });
    void answer.then((landed) => {
      late.stop();
      leave();
      resolve(landed);
    });
  });
}

function send({ clock }: PipelineContext, request: GatewayRequest, answer: CachedAnswer): void {
  const { exchange } = request;
  request.usage = answer.usage;
  request.firstTokenAt = clock.now();
  request.terminal = 'completed';
  // After a heartbeat the headers are out.
  if (exchange.started) return exchange.end(answer.body);
  const isStream = answer.kind === 'stream';
  const form = isStream ? streamHeaders : ['content-type', 'application/json'];
  exchange.answer(
    200,
    [
      ...form,
      ...['content-length', String(answer.body.length)],
      ...answerHeaders(request, undefined, clock.now()),
      ...exchange.extraHeaders,
    ],
    answer.body,
  );
}

/** Remembers a piece of a stream that goes to the client, as long as a store would take them together. */
export function keepPiece(caching: Caching, bytes: Uint8Array | string): void {
  caching.size += bytes.length;
  if (caching.size > mostBytes) caching.pieces = undefined;
  else caching.pieces?.push(bytes);
}

/** No store takes a larger value. */
const mostBytes = largestValue(Number.MAX_SAFE_INTEGER);

/** Keeps an answer that was given in full; `whole` is its body where it was no stream. */
export function keepAnswer(
  { clock }: PipelineContext,
  request: DecidedRequest,
  attempt: PlannedAttempt,
  whole: Uint8Array | undefined,
): void {
  const { caching, snapshot } = request;
  if (caching?.key === undefined || caching.pieces === undefined || !isWorthKeeping(request, attempt)) return;
  const { cache, controls, key, pieces } = caching;
  const body = whole ?? Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
  if (!isForMany(body, controls)) return;
  const deployment = snapshot.plan.deployments[attempt.deployment];
  const group = attempt.group === undefined ? undefined : snapshot.plan.groups[attempt.group]?.name;
  const answer: CachedAnswer = {
    kind: whole === undefined ? 'stream' : 'whole',
    body,
    storedAt: clock.wall(),
    provider: deployment?.provider ?? 'unknown',
    model: attempt.model,
    deployment: deployment?.id ?? 'unknown',
    group,
    usage: request.usage,
  };
  const written = cache.store.set(key, encodeAnswer(answer), ttlOf(request, controls)).then((isKept) => {
    if (isKept) cache.counts.stored++;
  });
  caching.flight?.land(answer, written);
}

/** Who stands in for another would go on doing so after that other is back, so its answers are not kept. */
function isWorthKeeping({ degradation }: GatewayRequest, { source }: PlannedAttempt): boolean {
  return source === 'group' && degradation === undefined;
}

/** Whether an answer is for others too; one that calls tools only for those who say so. */
function isForMany(body: Uint8Array, { useCache }: CacheControls): boolean {
  return useCache || !callsTools(body);
}

/** Whether an answer calls tools; in texts the quotes of such words are escaped. */
function callsTools(body: Uint8Array): boolean {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length);
  if (!text.includes('"tool_calls"') && !text.includes('"function_call"')) return false;
  return /"(?:tool_calls"\s*:\s*\[\s*\{|function_call"\s*:\s*\{)/.test(text.toString('latin1'));
}

function ttlOf({ understood, snapshot, decision }: DecidedRequest, { ttlSeconds }: CacheControls): Milliseconds {
  if (ttlSeconds !== undefined) return seconds(ttlSeconds);
  const { ttlMs, modelTtlMs } = snapshot.plan.settings.cache;
  const group = decision.group === undefined ? undefined : snapshot.plan.groups[decision.group]?.name;
  return modelTtlMs.get(understood.facts.asked ?? '') ?? modelTtlMs.get(group ?? '') ?? ttlMs;
}
