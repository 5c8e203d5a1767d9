import { buildOpenAiRequest } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import { probeJson, readModelList } from './probe-answers.ts';
import type { BuildInput, Dialect } from './provider.ts';

/** Any server of OpenAI's wire that no other dialect knows better. */
export const openaiCompatible: Dialect = {
  ...openai,
  name: 'openai_compatible',
  buildRequest: (input) => buildOpenAiRequest(input, { learnUsage: takesStreamOptions(input) }),
  recognises: (answers) => readModelList(probeJson(answers, '/models')) !== undefined,
};

/** Services that refuse fields they do not know; Mistral's tells usage unasked. */
const strictHosts = ['api.mistral.ai'];

/** Servers that do not know stream_options ignore it; the few others are known, or name it in drop_params. */
function takesStreamOptions({ provider }: BuildInput): boolean {
  return !strictHosts.some((host) => provider.baseUrl.startsWith(`https://${host}`));
}
