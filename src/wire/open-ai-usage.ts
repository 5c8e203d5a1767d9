import { type Tokens, tokens } from '../plan/ids.ts';
import type { FinishReason, Usage } from '../plan/usage.ts';
import { asCount, asObject, asText } from './json-shape.ts';

/** Reads OpenAI's `usage` object; undefined where there is none. */
export function readOpenAiUsage(value: unknown): Usage | undefined {
  const usage = asObject(value);
  if (usage === undefined) return undefined;
  return {
    promptTokens: count(usage['prompt_tokens']),
    completionTokens: count(usage['completion_tokens']),
    cachedTokens: count(asObject(usage['prompt_tokens_details'])?.['cached_tokens']),
    reasoningTokens: count(asObject(usage['completion_tokens_details'])?.['reasoning_tokens']),
  };
}

/** Writes OpenAI's `usage` object; what is not known counts as zero there, since clients add the fields up. */
export function toOpenAiUsage(usage: Usage): { readonly [key: string]: unknown } {
  const prompt = usage.promptTokens ?? 0;
  const completion = usage.completionTokens ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(usage.cachedTokens === undefined ? {} : { prompt_tokens_details: { cached_tokens: usage.cachedTokens } }),
    ...(usage.reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } }),
  };
}

/** Reads `finish_reason`; words that are not OpenAI's mean that the answer stopped, and some servers say "" for not yet. */
export function readFinishReason(value: unknown): FinishReason | undefined {
  const reason = asText(value);
  switch (reason) {
    case undefined:
    case '':
      return undefined;
    case 'stop':
    case 'length':
    case 'tool_calls':
    case 'content_filter':
    case 'function_call':
      return reason;
    default:
      return 'stop';
  }
}

function count(value: unknown): Tokens | undefined {
  const number = asCount(value);
  return number === undefined ? undefined : tokens(number);
}
