import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import type { StreamPart } from '../providers/provider.ts';
import { createAnswerAssembler } from '../wire/assemble-answer.ts';
import { openAiErrorEvent } from '../wire/open-ai-error.ts';
import { answerHeaders, headerText, streamHeaders } from './answer-headers.ts';
import { keepPiece } from './cached.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayRequest, UnderstoodRequest } from './request.ts';
import type { AttemptResult } from './send-attempt.ts';

/** A stream that has begun. */
export type Streaming = Extract<AttemptResult, { kind: 'stream' }>;

/** How an answer on its way to the client ended. */
export type Relayed = { readonly failure: Failure | undefined };

const jsonHeaders = ['content-type', 'application/json'];
const doneEvent = 'data: [DONE]\n\n';

/** Sends a whole answer. */
export function sendWhole(
  dependencies: GatewayDependencies,
  request: GatewayRequest,
  attempt: PlannedAttempt,
  body: Uint8Array,
): void {
  const headers = [
    ...jsonHeaders,
    'content-length',
    String(body.length),
    ...answerHeaders(request, attempt, dependencies.clock.now()),
    ...request.exchange.extraHeaders,
  ];
  request.exchange.answer(200, headers, body);
}

/** Puts a stream together for a client that asked for a whole answer. */
export function assembleStream(
  request: GatewayRequest,
  streaming: Streaming,
): Promise<{ readonly body: Uint8Array } | { readonly failure: Failure }> {
  const assembler = createAnswerAssembler();
  return new Promise((resolve) => {
    const giveUp = (failed: Failure): void => {
      streaming.call?.cancel();
      resolve({ failure: failed });
    };
    const leave = request.exchange.whenClosed(() => giveUp(failure('client_closed')));
    const take = (parts: readonly StreamPart[]): void => {
      for (const part of parts) {
        learn(request, part);
        if (part.kind === 'failed') {
          leave();
          return resolve({ failure: part.failure });
        }
        if (part.kind === 'done') {
          leave();
          return resolve({ body: assembler.finish() });
        }
        if (assembler.add(part.bytes)) continue;
        leave();
        return giveUp(failure('upstream_too_large'));
      }
    };
    take(streaming.parts);
    streaming.call?.follow(take);
  });
}

/**
 * Sends a stream to a client that asked for one, part by part: `[DONE]` once and only after a
 * complete answer, usage only where it was asked for, a failure as an event in its place. A slow
 * client slows the upstream down; one that leaves ends it.
 */
export function relayStream(
  dependencies: GatewayDependencies,
  request: UnderstoodRequest,
  attempt: PlannedAttempt,
  streaming: Streaming,
): Promise<Relayed> {
  const { exchange } = request;
  if (exchange.started) exchange.write(routeComment(request, attempt));
  else
    exchange.start(200, [
      ...streamHeaders,
      ...answerHeaders(request, attempt, dependencies.clock.now()),
      ...exchange.extraHeaders,
    ]);
  const wantsUsage = request.understood.needs.wantsUsage || request.snapshot.plan.settings.server.alwaysIncludeUsage;
  return new Promise((resolve) => {
    const leave = exchange.whenClosed(() => {
      streaming.call?.cancel();
      resolve({ failure: failure('client_closed') });
    });
    const take = (parts: readonly StreamPart[]): void => {
      const sent = gather(request, parts, wantsUsage);
      if (sent.bytes !== undefined && request.caching !== undefined) keepPiece(request.caching, sent.bytes);
      if (sent.bytes !== undefined && !exchange.write(sent.bytes)) holdBack(request, streaming);
      if (!sent.over) return;
      leave();
      exchange.end();
      resolve({ failure: sent.failure });
    };
    take(streaming.parts);
    streaming.call?.follow(take);
  });
}

function holdBack({ exchange }: GatewayRequest, { call }: Streaming): void {
  if (call === undefined) return;
  call.pause();
  void exchange.drained().then(() => call.resume());
}

type Gathered = {
  readonly bytes: Uint8Array | string | undefined;
  readonly over: boolean;
  readonly failure: Failure | undefined;
};

/** What goes to the client for some parts, as one write. */
function gather(request: GatewayRequest, parts: readonly StreamPart[], wantsUsage: boolean): Gathered {
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    learn(request, part);
    switch (part.kind) {
      case 'done':
        return { bytes: join(pieces, doneEvent), over: true, failure: undefined };
      case 'failed':
        return { bytes: join(pieces, openAiErrorEvent(part.failure)), over: true, failure: part.failure };
      case 'usage':
        if (wantsUsage) pieces.push(part.bytes);
        break;
      default:
        pieces.push(part.bytes);
    }
  }
  return {
    bytes: pieces.length === 1 ? pieces[0] : pieces.length === 0 ? undefined : Buffer.concat(pieces),
    over: false,
    failure: undefined,
  };
}

function join(pieces: readonly Uint8Array[], last: string): Uint8Array | string {
  return pieces.length === 0 ? last : Buffer.concat([...pieces, Buffer.from(last)]);
}

function learn(request: GatewayRequest, part: StreamPart): void {
  if (part.kind === 'usage') request.usage = part.usage;
  else if (part.kind === 'finish' && part.usage !== undefined) request.usage = part.usage;
}

/** Where the headers went out with the first heartbeat, the route stands in a comment. */
function routeComment(request: GatewayRequest, attempt: PlannedAttempt): string {
  const provider = request.snapshot.plan.deployments[attempt.deployment]?.provider ?? 'unknown';
  return `: route ${headerText(`${provider}/${attempt.model}`)}\n\n`;
}
