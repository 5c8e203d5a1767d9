import type { ProbeAnswer, ProbeReport } from '../plan/probe.ts';
import { asNumber } from '../wire/json-shape.ts';
import { basePath } from './open-ai-wire.ts';
import { openai } from './openai.ts';
import {
  answerOf,
  healthAnswer,
  isKeyRefused,
  probeJson,
  readModelList,
  residentModel,
  statusDetail,
} from './probe-answers.ts';
import type { Dialect } from './provider.ts';

/** vLLM's OpenAI server. */
export const vllm: Dialect = {
  ...openai,
  name: 'vllm',
  probes: (provider) => [
    { path: provider.probe.path ?? `${basePath(provider)}/health`, required: true },
    { path: `${basePath(provider)}${provider.apiPath}/models`, required: true },
    { path: `${basePath(provider)}/metrics`, required: false },
  ],
  readProbe,
  recognises: (answers) => {
    const list = answerOf(answers, '/models');
    return list?.status === 200 && list.body.includes('"owned_by":"vllm"');
  },
};

/** /health may answer before the model serves, so both it and the list must be good; a server that has no list will not get one. */
function readProbe(answers: readonly ProbeAnswer[]): ProbeReport {
  const models = readModelList(probeJson(answers, '/models'));
  const health = healthAnswer(answers, ['/models', '/metrics']);
  const list = answerOf(answers, '/models');
  const metrics = answerOf(answers, '/metrics')?.body ?? '';
  const running = readingsOf(metrics, 'num_requests_running');
  const waiting = readingsOf(metrics, 'num_requests_waiting');
  const isUp = health?.status === 200 && (models !== undefined || list?.status === 404);
  return {
    state: isUp ? 'up' : health?.status === 200 && !isKeyRefused(list?.status) ? 'loading' : 'down',
    detail: isUp ? undefined : statusDetail(health?.status === 200 ? list?.status : health?.status),
    version: undefined,
    models,
    resident: models?.map(({ id, contextTokens }) =>
      residentModel(id, 'loaded', {
        effectiveContext: contextTokens,
        busySeats: sumOf(running, id),
        waiting: sumOf(waiting, id),
      }),
    ),
    servesOneModel: false,
  };
}

/** A line of a gauge: its labels as they stand, and its figure. */
type Reading = { readonly labels: string; readonly value: number };

/**
 * The lines of a gauge. Its name begins with `vllm:`, or with `vllm_` where an exporter stands
 * between; a time may stand behind the figure.
 */
function readingsOf(text: string, gauge: string): readonly Reading[] {
  const lines = text.matchAll(new RegExp(`^vllm[:_]${gauge}(\\{.*\\})? +(\\S+)`, 'gm'));
  return [...lines].flatMap(([, labels = '', figure]) => {
    const value = asNumber(Number(figure));
    return value === undefined ? [] : [{ labels, value }];
  });
}

/** Sum over the engines of a model; undefined where the server does not report it. */
function sumOf(readings: readonly Reading[], model: string): number | undefined {
  // The metrics name the model that was loaded, the list its aliases too.
  const own = readings.filter(({ labels }) => labels.includes(`model_name="${model}"`));
  const counted = own.length > 0 ? own : readings;
  return counted.length === 0 ? undefined : counted.reduce((sum, { value }) => sum + value, 0);
}
