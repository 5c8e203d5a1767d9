import type { ProbeAnswer, ProbeReport, ResidentModel } from '../plan/probe.ts';
import { asList, asNumber, asObject, asText, type Fields } from '../wire/json-shape.ts';
import { basePath, buildOpenAiRequest } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import {
  answerOf,
  healthAnswer,
  isKeyRefused,
  probeJson,
  readModelList,
  residentModel,
  statusDetail,
  tokensOf,
} from './probe-answers.ts';
import type { Dialect } from './provider.ts';

/**
 * llama.cpp's llama-server. It runs a request that does not stream to its end whatever happens to
 * the connection, so every generation is asked for as a stream and put together here: then a
 * client that leaves frees the slot.
 */
export const llamaCpp: Dialect = {
  ...openai,
  name: 'llama_cpp',
  buildRequest: (input) => buildOpenAiRequest(input, { learnUsage: true, alwaysStream: true }),
  probes: (provider) => [
    { path: provider.probe.path ?? `${basePath(provider)}/health`, required: true },
    { path: `${basePath(provider)}/props`, required: false },
    { path: `${basePath(provider)}/slots`, required: false },
    { path: `${basePath(provider)}${provider.apiPath}/models`, required: false },
  ],
  readProbe,
  recognises: (answers) => {
    const props = asObject(probeJson(answers, '/props'));
    const list = answerOf(answers, '/models');
    return (
      props?.['default_generation_settings'] !== undefined || list?.body.includes('"owned_by":"llamacpp"') === true
    );
  },
};

function readProbe(answers: readonly ProbeAnswer[]): ProbeReport {
  const health = healthAnswer(answers, ['/props', '/slots', '/models']);
  const list = answerOf(answers, '/models');
  const models = readModelList(probeJson(answers, '/models'));
  // The Python server of llama.cpp has no /health, and answers its list alone.
  const isServing = health?.status === 200 || (health?.status === 404 && models !== undefined);
  // /health is open to everybody, so it does not prove that the key is right.
  const isUp = isServing && !isKeyRefused(list?.status);
  const isLoading = health?.status === 503;
  const refused = isKeyRefused(list?.status) ? list : health;
  const props = asObject(probeJson(answers, '/props'));
  const routed = routedModels(answers);
  return {
    state: isUp ? 'up' : isLoading ? 'loading' : 'down',
    detail: isUp ? undefined : isLoading ? 'loading its model' : statusDetail(refused?.status),
    version: asText(props?.['build_info']),
    models,
    resident: !isUp ? undefined : (routed ?? readSlots(answers, models?.[0]?.id)),
    servesOneModel: routed === undefined,
  };
}

/**
 * Models that a router has loaded or loads: its list says of each how it stands, which that of a
 * single server does not. One that sleeps is out of memory. Undefined where the server is no router.
 */
function routedModels(answers: readonly ProbeAnswer[]): readonly ResidentModel[] | undefined {
  const list = asList(asObject(probeJson(answers, '/models'))?.['data']) ?? [];
  const entries = list.map((entry): Fields => asObject(entry) ?? {});
  const isRouter = asObject(probeJson(answers, '/props'))?.['role'] === 'router';
  if (!isRouter && !entries.some((entry) => asObject(entry['status']) !== undefined)) return undefined;
  return entries.flatMap((entry) => {
    const state = asText(asObject(entry['status'])?.['value']);
    const [model] = readModelList([entry]) ?? [];
    if (model === undefined || (state !== 'loaded' && state !== 'loading')) return [];
    return [residentModel(model.id, state, { effectiveContext: model.contextTokens })];
  });
}

function readSlots(answers: readonly ProbeAnswer[], id: string | undefined): readonly ResidentModel[] | undefined {
  const props = asObject(probeJson(answers, '/props'));
  const slots = asList(probeJson(answers, '/slots'));
  if (id === undefined || (props === undefined && slots === undefined)) return undefined;
  if (props?.['is_sleeping'] === true) return [];
  const seats = asNumber(props?.['total_slots']) ?? slots?.length ?? 0;
  return [
    residentModel(id, 'loaded', {
      effectiveContext: tokensOf(asObject(props?.['default_generation_settings'])?.['n_ctx']),
      busySeats: slots?.filter((slot) => asObject(slot)?.['is_processing'] === true).length,
      // A model with no slot would serve nobody: whoever says so has not said how many there are.
      seats: seats >= 1 ? seats : undefined,
    }),
  ];
}
