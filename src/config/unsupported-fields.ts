import type { DialectName } from '../plan/provider.ts';

/** Fields of OpenAI's requests that a wire does not take: what drop_params leaves out. */
export function unsupportedFields(dialect: DialectName): readonly string[] {
  return unsupported[dialect] ?? [];
}

const unsupported: Readonly<Partial<Record<DialectName, readonly string[]>>> = {
  anthropic: [
    'frequency_penalty',
    'presence_penalty',
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'n',
    'seed',
    'service_tier',
    'store',
    'prediction',
    'verbosity',
    'web_search_options',
    'audio',
    'modalities',
  ],
  ollama: [
    'logit_bias',
    'n',
    'user',
    'service_tier',
    'store',
    'prediction',
    'verbosity',
    'web_search_options',
    'audio',
    'modalities',
    'parallel_tool_calls',
    'metadata',
  ],
  llama_cpp: [
    'service_tier',
    'store',
    'prediction',
    'verbosity',
    'web_search_options',
    'audio',
    'modalities',
    'user',
    'metadata',
  ],
  vllm: ['service_tier', 'store', 'prediction', 'verbosity', 'web_search_options', 'audio', 'modalities', 'metadata'],
  lm_studio: ['service_tier', 'store', 'prediction', 'verbosity', 'web_search_options', 'metadata'],
  openai_compatible: ['service_tier', 'store', 'prediction', 'verbosity', 'web_search_options', 'metadata'],
};
