import type { ListedModel } from '../plan/listed-model.ts';
import type { ProbeAnswer, ProbeReport, ResidentModel } from '../plan/probe.ts';
import { asList, asObject, asText, type Fields } from '../wire/json-shape.ts';
import { basePath } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import {
  healthAnswer,
  listedModel,
  probeJson,
  readModelList,
  residentModel,
  statusDetail,
  tokensOf,
} from './probe-answers.ts';
import type { Dialect } from './provider.ts';

/** LM Studio. Its /v1 is OpenAI's wire; its own list says of each model whether it is loaded, which /v1/models does not. */
export const lmStudio: Dialect = {
  ...openai,
  name: 'lm_studio',
  probes: (provider) => [
    { path: provider.probe.path ?? `${basePath(provider)}${provider.apiPath}/models`, required: true },
    { path: `${basePath(provider)}/api/v0/models`, required: false },
  ],
  readProbe,
  recognises: (answers) => readModels(answers)?.some((model) => asText(model['state']) !== undefined) === true,
};

const ownList = '/api/v0/models';

function readModels(answers: readonly ProbeAnswer[]): readonly Fields[] | undefined {
  return asList(asObject(probeJson(answers, ownList))?.['data'])?.flatMap((entry): Fields[] => {
    const model = asObject(entry);
    return model === undefined ? [] : [model];
  });
}

function readProbe(answers: readonly ProbeAnswer[]): ProbeReport {
  const own = readModels(answers);
  const health = healthAnswer(answers, ['/models']);
  const isUp = health?.status === 200;
  return {
    state: isUp ? 'up' : 'down',
    detail: isUp ? undefined : statusDetail(health?.status),
    version: undefined,
    // Versions before 0.3.6 have OpenAI's list alone.
    models: own?.flatMap(readListed) ?? readModelList(probeJson(answers, '/models')),
    resident: own?.flatMap(readResident),
    servesOneModel: false,
  };
}

function readListed(model: Fields): ListedModel[] {
  const id = asText(model['id']);
  if (id === undefined) return [];
  return [
    listedModel(id, {
      kind: asText(model['type']) === 'embeddings' ? 'embedding' : undefined,
      contextTokens: tokensOf(model['max_context_length']),
      quantization: asText(model['quantization']),
    }),
  ];
}

/** It writes `loaded` or `not-loaded`; newer versions `loading` too. */
function readResident(model: Fields): ResidentModel[] {
  const id = asText(model['id']);
  const state = asText(model['state']);
  if (id === undefined || (state !== 'loaded' && state !== 'loading')) return [];
  return [residentModel(id, state, { effectiveContext: tokensOf(model['loaded_context_length']) })];
}
