import { failure } from '../plan/failure-catalogue.ts';
import { chatToMessages } from '../wire/chat-to-messages.ts';
import { createMessagesReader, messagesToChat } from '../wire/messages-to-chat.ts';
import { authorizeByCredential, basePath, saidFields } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import { plainReport, probeJson, readModelList } from './probe-answers.ts';
import type { BuildInput, BuildResult, Dialect } from './provider.ts';

/** The version under which sampling parameters are still taken. */
const version = '2023-06-01';

/** Anthropic's Messages, spoken to clients as OpenAI's chat completions. */
export const anthropic: Dialect = {
  ...openai,
  name: 'anthropic',
  buildRequest,
  readWhole: messagesToChat,
  createStreamReader: createMessagesReader,
  readProbe: (answers) => {
    const models = readModelList(probeJson(answers, '/models'));
    return plainReport(
      answers,
      models?.map((model) => ({ ...model, kind: 'chat' })),
    );
  },
  authorize: (provider, key) => [...authorizeByCredential(provider, key), 'anthropic-version', version],
};

function buildRequest(input: BuildInput): BuildResult {
  if (input.endpoint !== 'chat') {
    return { kind: 'refused', failure: failure('upstream_unsupported', `Anthropic offers no ${input.endpoint}`) };
  }
  const { deployment, provider } = input;
  const translated = chatToMessages(saidFields(input), {
    model: input.model,
    stream: input.stream,
    maxOutputTokens: deployment.maxOutputTokens,
  });
  if (translated.kind === 'refused') {
    return {
      kind: 'refused',
      failure: failure('upstream_unsupported', `Anthropic’s Messages cannot say "${translated.field}"`, {
        param: translated.field,
      }),
    };
  }
  const beta = input.headers.get('anthropic-beta');
  return {
    kind: 'request',
    request: {
      method: 'POST',
      path: `${basePath(provider)}${provider.apiPath}/messages`,
      headers: ['content-type', 'application/json', ...(beta === undefined ? [] : ['anthropic-beta', beta])],
      body: Buffer.from(JSON.stringify(translated.body)),
      streams: input.stream,
      edits: ['translated'],
    },
  };
}
