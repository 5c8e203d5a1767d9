import { tokens } from '../plan/ids.ts';
import type { ListedModel } from '../plan/listed-model.ts';
import type { ProbeAnswer, ProbeReport, ResidentModel } from '../plan/probe.ts';
import { asList, asNumber, asObject, asText } from '../wire/json-shape.ts';
import { basePath, probeJson, readModelList, statusDetail } from './open-ai-wire.ts';
import { openai } from './openai.ts';
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

type Entry = NonNullable<ReturnType<typeof asObject>>;

function readModels(answers: readonly ProbeAnswer[]): readonly Entry[] | undefined {
  return asList(asObject(probeJson(answers, ownList))?.['data'])?.flatMap((entry): Entry[] => {
    const model = asObject(entry);
    return model === undefined ? [] : [model];
  });
}

function readProbe(answers: readonly ProbeAnswer[]): ProbeReport {
  const own = readModels(answers);
  const first = answers.find(({ path }) => !path.endsWith(ownList));
  const isUp = first?.status === 200 || own !== undefined;
  return {
    state: isUp ? 'up' : 'down',
    detail: isUp ? undefined : statusDetail(first?.status),
    version: undefined,
    // Versions before 0.3.6 have OpenAI's list alone.
    models: own?.flatMap(readListed) ?? readModelList(probeJson(answers, '/models')),
    resident: own?.flatMap(readResident),
    servesOneModel: false,
  };
}

function readListed(model: Entry): ListedModel[] {
  const id = asText(model['id']);
  if (id === undefined) return [];
  return [
    {
      id,
      kind: asText(model['type']) === 'embeddings' ? 'embedding' : undefined,
      contextTokens: contextOf(model['max_context_length']),
      sizeBytes: undefined,
      parameterSize: undefined,
      quantization: asText(model['quantization']),
      digest: undefined,
    },
  ];
}

/** It writes `loaded` or `not-loaded`; newer versions `loading` too. */
function readResident(model: Entry): ResidentModel[] {
  const id = asText(model['id']);
  const state = asText(model['state']);
  if (id === undefined || (state !== 'loaded' && state !== 'loading')) return [];
  return [
    {
      id,
      state,
      effectiveContext: contextOf(model['loaded_context_length']),
      memoryBytes: undefined,
      expiresAt: undefined,
      busySeats: undefined,
      seats: undefined,
      waiting: undefined,
    },
  ];
}

function contextOf(value: unknown): ListedModel['contextTokens'] {
  const count = asNumber(value);
  return count === undefined ? undefined : tokens(count);
}
