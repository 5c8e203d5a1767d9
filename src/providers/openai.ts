import { readHttpError } from '../wire/read-error.ts';
import { readOpenAiWhole } from '../wire/read-open-ai-whole.ts';
import { authorizeByCredential, basePath, buildOpenAiRequest, openAiStreamReader } from './open-ai-wire.ts';
import { plainReport, probeJson, readModelList } from './probe-answers.ts';
import type { Dialect } from './provider.ts';

/** OpenAI itself. */
export const openai: Dialect = {
  name: 'openai',
  buildRequest: (input) => buildOpenAiRequest(input, { learnUsage: true }),
  readError: readHttpError,
  readWhole: readOpenAiWhole,
  createStreamReader: openAiStreamReader,
  streamContentType: 'text/event-stream',
  probes: (provider) => [
    { path: provider.probe.path ?? `${basePath(provider)}${provider.apiPath}/models`, required: true },
  ],
  readProbe: (answers) => plainReport(answers, readModelList(probeJson(answers, '/models'))),
  // Nothing sets it apart from compatible servers but its address.
  recognises: () => false,
  authorize: authorizeByCredential,
};
