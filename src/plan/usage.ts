import type { Tokens } from './ids.ts';

/** What a model server said that an answer used; absent fields were not told, which is not zero. */
export type Usage = {
  readonly promptTokens: Tokens | undefined;
  readonly completionTokens: Tokens | undefined;
  readonly cachedTokens: Tokens | undefined;
  readonly reasoningTokens: Tokens | undefined;
};

/** How an answer ended, in OpenAI's words. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';
