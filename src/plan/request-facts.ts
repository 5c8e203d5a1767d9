import type { Tokens } from './ids.ts';

/** What a client asked the gateway to do. */
export type Endpoint = 'chat' | 'completions' | 'embeddings';

/** The request's headers by lower-case name; they are looked up and never listed. */
export type HeaderLookup = { get(name: string): string | undefined };

/** What routing may know of a request; made once by `understand`, read by `decide`. */
export type RequestFacts = {
  readonly endpoint: Endpoint;
  /** Body `model`; absent, `auto` and `default` all arrive as `undefined`. */
  readonly asked: string | undefined;
  /** `X-Capability` header, else `metadata.capability`. */
  readonly capability: string | undefined;
  readonly stream: boolean;
  /** Estimate of the prompt, and what it has at least: tokenizers differ most in scripts other than Latin. */
  readonly promptTokens: Tokens;
  readonly leastPromptTokens: Tokens;
  /** Output that the request asks for at most. */
  readonly maxOutputTokens: Tokens | undefined;
  readonly needs: {
    readonly tools: boolean;
    readonly vision: boolean;
    readonly jsonSchema: boolean;
  };
  /** Prompts in the body, or `n`. */
  readonly batchSize: number;
  readonly hasCodeFence: boolean;
  /** Whether the prompt asks for work in steps. */
  readonly isMultiStep: boolean;
  readonly priority: string | undefined;
  readonly tags: readonly string[];
  readonly qualityTier: string | undefined;
  readonly minTier: string | undefined;
  /** Credentials are never among them. */
  readonly headers: HeaderLookup;
  /** Name of the client's key; `master` and `local` are such names too. */
  readonly key: string;
  /** Names that the client's key may ask for; empty: all. */
  readonly allowedModels: readonly string[];
  /** LiteLLM's per-request switches. */
  readonly disableFallbacks: boolean;
  readonly fallbacks: readonly string[];
  readonly retries: number | undefined;
};
