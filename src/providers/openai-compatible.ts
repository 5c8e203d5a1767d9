import { buildOpenAiRequest, probeJson, readModelList } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import type { Dialect } from './provider.ts';

/** Any server of OpenAI's wire that no other dialect knows better. */
export const openaiCompatible: Dialect = {
  ...openai,
  name: 'openai_compatible',
  defaultBaseUrl: undefined,
  // Servers that do not know stream_options ignore it; the few that refuse it name it in drop_params.
  buildRequest: (input) =>
    buildOpenAiRequest(input, { learnUsage: !input.deployment.dropParams.includes('stream_options') }),
  recognises: (answers) => readModelList(probeJson(answers, '/models')) !== undefined,
};
