/**
 * Providers: one plain object for each upstream dialect. A dialect builds requests and reads
 * answers; it never opens a socket, reads a clock or looks at configuration beyond the provider
 * and deployment it is handed. To add one, copy the file nearest to it, list it in
 * `src/main.ts`, and run the conformance test until it stops complaining.
 */
import type { Deployment } from '../plan/deployment.ts';
import type { Failure } from '../plan/failure.ts';
import type { ProbeAnswer, ProbeReport } from '../plan/probe.ts';
import type { DialectName, Provider } from '../plan/provider.ts';
import type { Endpoint, HeaderLookup } from '../plan/request-facts.ts';
import type { ErrorAnswer, ReadContext, StreamPart, StreamReader, WholeAnswer } from '../wire/answer.ts';
import type { BodyScan } from '../wire/scan-body.ts';

export type { ReadContext, StreamPart, StreamReader, WholeAnswer };

/** Headers as they go out: name, value, name, value. Names in lower case. */
export type HeaderList = readonly string[];

/** What a dialect is given to build one upstream request. */
export type BuildInput = {
  readonly endpoint: Endpoint;
  readonly provider: Provider;
  readonly deployment: Deployment;
  /** Name to send: the deployment's backend model, or the asked name where that is `*`. */
  readonly model: string;
  /** The client's body: valid JSON, an object, checked for depth and duplicate keys. */
  readonly body: Uint8Array;
  /** Where the body's members stand. */
  readonly scan: BodyScan;
  /** Whether the prompt may be longer than the context that the server grants: one that would cut it must not. */
  readonly isLong?: boolean;
  /** Whether the client wants a stream. */
  readonly stream: boolean;
  /** Whether the client wants usage in its stream. */
  readonly wantsUsage: boolean;
  /** Client headers that some dialects pass on (`anthropic-beta`, `openai-organization`), lower-case. */
  readonly headers: HeaderLookup;
};

/** A request ready for the wire. */
export type UpstreamRequest = {
  readonly method: 'POST';
  /** Path and query on the provider's origin, with the base URL's own path in front. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Whether the upstream was asked for a stream; may be true where the client's `stream` is false. */
  readonly streams: boolean;
  /** How the answer is read, where the dialect has a second wire and this request speaks it. */
  readonly reading?: AnswerReading;
  /** Names of the edits made to the client's bytes, for the record; `translated` when rewritten whole. */
  readonly edits: readonly string[];
};

/** A request that cannot be said in this dialect (for example, audio input to Ollama). */
export type BuildResult =
  | { readonly kind: 'request'; readonly request: UpstreamRequest }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** One GET known never to load or run a model. */
export type ProbeRequest = {
  readonly path: string;
  /** The provider is up only when this answers; others add detail. */
  readonly required: boolean;
};

/** An answer that no upstream gave: whole or as a stream, as the request wants it. */
export type LocalAnswer =
  | { readonly kind: 'whole'; readonly answer: WholeAnswer }
  | { readonly kind: 'stream'; readonly parts: readonly StreamPart[] };

/** How the answers of one wire are read. */
export type AnswerReading = Pick<Dialect, 'readWhole' | 'createStreamReader' | 'streamContentType'>;

/** One upstream dialect. */
export type Dialect = {
  readonly name: DialectName;
  buildRequest(input: BuildInput): BuildResult;
  /** Reads a status of 400 or more; `wallClockMs` is needed where Retry-After is a date. */
  readError(answer: ErrorAnswer, wallClockMs?: number): Failure;
  /** Reads a whole 2xx answer to a request that did not stream. */
  readWhole(body: Uint8Array, context: ReadContext): WholeAnswer;
  createStreamReader(context: ReadContext): StreamReader;
  /**
   * Answers without an upstream, where the dialect is its own (echo). The gateway calls it instead
   * of `buildRequest`, where it is there, and relays its parts as it would an upstream's.
   */
  readonly answerLocally?: (input: BuildInput, context: ReadContext) => LocalAnswer;
  /** Content type that a good streamed answer has. */
  readonly streamContentType: string;
  readonly probes: (provider: Provider) => readonly ProbeRequest[];
  /** Reads the answers to `probes`; one that did not come is left out. */
  readProbe(answers: readonly ProbeAnswer[]): ProbeReport;
  /** Whether this server's answer to a probe is that of this dialect; for discovery. */
  recognises(answers: readonly ProbeAnswer[]): boolean;
  /** Headers that carry the provider's key. */
  authorize(provider: Provider, key: string | undefined): HeaderList;
};
