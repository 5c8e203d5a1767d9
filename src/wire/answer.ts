import type { Failure } from '../plan/failure.ts';
import type { Endpoint } from '../plan/request-facts.ts';
import type { FinishReason, Usage } from '../plan/usage.ts';

/** What a reader of answers needs to know of its request. */
export type ReadContext = {
  readonly endpoint: Endpoint;
  /** Name that the client asked for, which every answer repeats. */
  readonly askedModel: string;
  readonly requestId: string;
  /** Wall clock in seconds, for `created` where the upstream has none. */
  readonly createdAt: number;
  /** How the client wants embeddings. */
  readonly encodingFormat: 'float' | 'base64' | undefined;
};

/** What a whole (not streamed) answer says, in OpenAI's shape and ready to be sent. */
export type WholeAnswer =
  | {
      readonly kind: 'answer';
      readonly body: Uint8Array;
      readonly usage: Usage | undefined;
      readonly finish: FinishReason | undefined;
    }
  | Failed;

/** An answer that is none, or ends as none. */
export type Failed = { readonly kind: 'failed'; readonly failure: Failure };

export function failed(why: Failure): Failed {
  return { kind: 'failed', failure: why };
}

/**
 * One piece of a streamed answer. `bytes` is a complete OpenAI-shaped SSE event with its blank
 * line, ready to be sent: the upstream's own bytes where the dialect is OpenAI's (with `model`
 * set to the asked name), else a translation.
 */
export type StreamPart =
  /** Role and other openings that carry no answer yet: held back until something meaningful comes. */
  | { readonly kind: 'opening'; readonly bytes: Uint8Array }
  /** Text, reasoning, refusal or a tool call. */
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'finish';
      readonly bytes: Uint8Array;
      readonly reason: FinishReason;
      readonly usage: Usage | undefined;
    }
  /** An event that carries only usage (`choices: []`). */
  | { readonly kind: 'usage'; readonly bytes: Uint8Array; readonly usage: Usage }
  | { readonly kind: 'done' }
  | Failed;

/** Reads one streamed answer; holds what framing and translation must remember between chunks. */
export type StreamReader = {
  /** Parts that this chunk completes, in order. They may be views of it, so it must not be written to again. */
  read(chunk: Uint8Array): StreamPart[];
  /** Parts that the end of the body completes; a cut stream gives a `failed` part. */
  end(): StreamPart[];
};

/** An upstream's answer with a status of 400 or more. */
export type ErrorAnswer = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
};
