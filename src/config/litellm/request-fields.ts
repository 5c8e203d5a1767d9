import { nearest } from '../../plan/nearest.ts';
import { litellmKeys } from './keys.ts';

/** Options of Ollama's runner among the fields that people give as parameters. */
export const ollamaOptions: ReadonlySet<string> = new Set([
  'num_ctx',
  'num_gpu',
  'num_batch',
  'num_thread',
  'main_gpu',
  'use_mmap',
  'num_keep',
  'top_k',
  'min_p',
  'typical_p',
  'repeat_last_n',
  'repeat_penalty',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'num_predict',
]);

/** Fields of requests that providers take, as people set them for a deployment. */
const requestFields: ReadonlySet<string> = new Set([
  ...ollamaOptions,
  ...['temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'stop', 'seed', 'n', 'user', 'logprobs'],
  ...['top_logprobs', 'logit_bias', 'frequency_penalty', 'presence_penalty', 'repetition_penalty', 'response_format'],
  ...['reasoning_effort', 'thinking', 'think', 'tools', 'tool_choice', 'parallel_tool_calls', 'modalities', 'audio'],
  ...['stream_options', 'metadata', 'store', 'service_tier', 'dimensions', 'encoding_format', 'format', 'suffix'],
  ...['chat_template_kwargs', 'safety_settings', 'verbosity', 'prediction', 'cache_control_injection_points'],
]);

const known: readonly string[] = [...requestFields, ...Object.keys(litellmKeys.litellm_params)];

/** The field that a key of litellm_params was meant to be; undefined where it is one, or like none. */
export function misspeltParam(key: string): string | undefined {
  if (requestFields.has(key)) return undefined;
  const [near] = nearest(key, known, 1);
  // One name within another is no typing error here: providers have fields of their own.
  return near !== undefined && Math.abs(near.length - key.length) <= 1 ? near : undefined;
}
