import type { DeploymentId, DeploymentIndex, Milliseconds, ProviderId, Tokens } from './ids.ts';
import type { Json, JsonObject } from './json.ts';
import type { RateLimit } from './provider.ts';

/** What a model is for; `undefined` on a deployment means that nobody has said. */
export type ModelKind = 'chat' | 'completion' | 'embedding';

/** What a deployment can do; `undefined` is unknown and never excludes it. */
export type Capabilities = {
  readonly tools: boolean | undefined;
  readonly vision: boolean | undefined;
  readonly jsonSchema: boolean | undefined;
  readonly reasoning: boolean | undefined;
};

/** Price in US dollars per token; absent is unknown, which is not free. */
export type Price = {
  readonly inputUsdPerToken: number;
  readonly outputUsdPerToken: number;
};

/** How long the phases of one attempt may take; absent: the gateway's own setting. */
export type AttemptTimeouts = {
  readonly firstTokenMs: Milliseconds | undefined;
  readonly betweenChunksMs: Milliseconds | undefined;
  readonly totalMs: Milliseconds | undefined;
};

/** One upstream model with its parameters: what an attempt is sent to. */
export type Deployment = {
  readonly index: DeploymentIndex;
  readonly id: DeploymentId;
  readonly provider: ProviderId;
  /**
   * The model's name at the provider. `*` stands for the name that was asked for: a deployment that
   * patterns, sizes and LiteLLM's wildcards reach ("ask this provider for the literal name").
   */
  readonly backendModel: string;
  readonly kind: ModelKind | undefined;
  readonly contextTokens: Tokens | undefined;
  readonly maxOutputTokens: Tokens | undefined;
  readonly capabilities: Capabilities;
  /** Family of work it is made for, in its canonical spelling, for example `code_generation`. */
  readonly specialty: string | undefined;
  /** Parameters in billions. */
  readonly sizeBillions: number | undefined;
  readonly quantization: string | undefined;
  /** Ollama's runner options; declared ones make the provider use the native wire. */
  readonly options: JsonObject;
  /** Ollama's `keep_alive`, as declared. */
  readonly keepAlive: string | number | undefined;
  /** Fields that are set in the body where the request does not have them. */
  readonly defaults: JsonObject;
  /** Fields that are set in the body always (LiteLLM's `extra_body`). */
  readonly extraBody: JsonObject;
  /** Top-level request fields that this upstream does not take and that are left out. */
  readonly dropParams: readonly string[];
  readonly limit: RateLimit;
  readonly seats: number | undefined;
  readonly price: Price | undefined;
  readonly tags: readonly string[];
  readonly timeouts: AttemptTimeouts;
  /** Overrides of the router's settings for this deployment. */
  readonly retries: number | undefined;
  readonly cooldownMs: Milliseconds | undefined;
  readonly description: string | undefined;
  /** What people wrote about it and nothing executes, shown in model info. */
  readonly info: { readonly [key: string]: Json };
};
