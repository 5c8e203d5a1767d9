import { tokens } from '../plan/ids.ts';
import { asList, asNumber, asObject, asText } from '../wire/json-shape.ts';
import { basePath, buildOpenAiRequest, probeJson, statusDetail } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import type { Dialect, ListedModel, ProbeAnswer, ProbeReport, ResidentModel } from './provider.ts';

/** Ollama, local or in its cloud: its /v1, which is OpenAI's wire. */
export const ollama: Dialect = {
  ...openai,
  name: 'ollama',
  defaultBaseUrl: 'http://127.0.0.1:11434',
  buildRequest: (input) => buildOpenAiRequest(input, { learnUsage: true }),
  probes: (provider) => [
    { path: `${basePath(provider)}/api/version`, required: true },
    { path: `${basePath(provider)}/api/tags`, required: true },
    { path: `${basePath(provider)}/api/ps`, required: false },
  ],
  readProbe,
  recognises: (answers) => asText(asObject(probeJson(answers, '/api/version'))?.['version']) !== undefined,
};

function readProbe(answers: readonly ProbeAnswer[]): ProbeReport {
  const version = asText(asObject(probeJson(answers, '/api/version'))?.['version']);
  const models = asList(asObject(probeJson(answers, '/api/tags'))?.['models'])?.flatMap(readListed);
  const resident = asList(asObject(probeJson(answers, '/api/ps'))?.['models'])?.flatMap(readResident);
  const isUp = version !== undefined || models !== undefined;
  return {
    state: isUp ? 'up' : 'down',
    detail: isUp ? undefined : statusDetail(answers.find((answer) => answer.status >= 400)?.status),
    version,
    models,
    resident,
    servesOneModel: false,
  };
}

function readListed(value: unknown): ListedModel[] {
  const model = asObject(value);
  const id = asText(model?.['name']) ?? asText(model?.['model']);
  if (model === undefined || id === undefined) return [];
  const details = asObject(model['details']);
  const isEmbedding = asList(model['capabilities'])?.includes('embedding') === true;
  return [
    {
      id,
      kind: isEmbedding ? 'embedding' : undefined,
      contextTokens: undefined,
      sizeBytes: asNumber(model['size']),
      parameterSize: asText(details?.['parameter_size']),
      quantization: asText(details?.['quantization_level']),
      digest: asText(model['digest']),
    },
  ];
}

function readResident(value: unknown): ResidentModel[] {
  const model = asObject(value);
  const id = asText(model?.['name']) ?? asText(model?.['model']);
  if (model === undefined || id === undefined) return [];
  const context = asNumber(model['context_length']);
  return [
    {
      id,
      effectiveContext: context === undefined ? undefined : tokens(context),
      memoryBytes: asNumber(model['size']),
      expiresAt: asText(model['expires_at']),
      busySeats: undefined,
      seats: undefined,
      waiting: undefined,
    },
  ];
}
