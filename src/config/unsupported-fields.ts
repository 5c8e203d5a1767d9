import type { DialectName } from '../plan/provider.ts';

/** Fields of OpenAI's requests that a wire does not take: what drop_params leaves out. */
export function unsupportedFields(dialect: DialectName): readonly string[] {
  return unsupported[dialect];
}

/** Fields of OpenAI's own service, which nobody else has. */
const ofOpenAiAlone = ['service_tier', 'store', 'prediction', 'verbosity', 'web_search_options'];
const sound = ['audio', 'modalities'];

const unsupported: Readonly<Record<DialectName, readonly string[]>> = {
  anthropic: [
    'frequency_penalty',
    'presence_penalty',
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'n',
    'seed',
    ...ofOpenAiAlone,
    ...sound,
  ],
  ollama: ['logit_bias', 'n', 'user', ...ofOpenAiAlone, ...sound, 'parallel_tool_calls', 'metadata'],
  llama_cpp: [...ofOpenAiAlone, ...sound, 'user', 'metadata'],
  vllm: [...ofOpenAiAlone, ...sound, 'metadata'],
  lm_studio: [...ofOpenAiAlone, 'metadata'],
  openai_compatible: [...ofOpenAiAlone, 'metadata'],
  openai: [],
  azure: [],
  echo: [],
};
