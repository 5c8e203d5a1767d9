import { type Tokens, tokens } from '../plan/ids.ts';
import type { ListedModel } from '../plan/listed-model.ts';
import type { ProbeAnswer, ProbeReport, ResidentModel } from '../plan/probe.ts';
import { asList, asNumber, asObject, asText } from '../wire/json-shape.ts';

/** The answer to the probe whose path, without its query, ends so. */
export function answerOf(answers: readonly ProbeAnswer[], ending: string): ProbeAnswer | undefined {
  return answers.find((one) => one.path.split('?', 1)[0]?.endsWith(ending));
}

/**
 * The answer that tells health: the one that is none of the others, whatever path was declared for
 * it; where a path of the others was declared, that one.
 */
export function healthAnswer(answers: readonly ProbeAnswer[], others: readonly string[]): ProbeAnswer | undefined {
  return (
    answers.find((one) => !others.some((ending) => answerOf([one], ending) !== undefined)) ??
    answerOf(answers, '/models')
  );
}

/** Parses the body of a probe's answer; undefined where it is not JSON or not a success. */
export function probeJson(answers: readonly ProbeAnswer[], ending: string): unknown {
  const answer = answerOf(answers, ending);
  if (answer === undefined || answer.status !== 200) return undefined;
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}

/** Models of `GET /v1/models`; undefined where the answer is none. */
export function readModelList(value: unknown): readonly ListedModel[] | undefined {
  const list = asList(asObject(value)?.['data']) ?? asList(value);
  if (list === undefined) return undefined;
  return list.flatMap((entry) => {
    const model = asObject(entry);
    const id = asText(model?.['id']);
    if (model === undefined || id === undefined) return [];
    const meta = asObject(model['meta']);
    const context = asNumber(model['max_model_len']) ?? asNumber(meta?.['n_ctx']) ?? asNumber(model['context_length']);
    return [listedModel(id, { contextTokens: tokensOf(context), sizeBytes: asNumber(meta?.['size']) })];
  });
}

/** A model that a server lists; what is not given is not told. */
export function listedModel(id: string, told: Partial<Omit<ListedModel, 'id'>> = {}): ListedModel {
  const nothing = {
    kind: undefined,
    contextTokens: undefined,
    sizeBytes: undefined,
    parameterSize: undefined,
    quantization: undefined,
  };
  return { ...nothing, ...told, id };
}

/** A model in a server's memory; what is not given is not told. */
export function residentModel(
  id: string,
  state: ResidentModel['state'],
  told: Partial<Omit<ResidentModel, 'id' | 'state'>> = {},
): ResidentModel {
  const nothing = {
    effectiveContext: undefined,
    memoryBytes: undefined,
    expiresAt: undefined,
    busySeats: undefined,
    seats: undefined,
    waiting: undefined,
  };
  return { ...nothing, ...told, id, state };
}

/** A count of tokens, where it is one. */
export function tokensOf(value: unknown): Tokens | undefined {
  const count = asNumber(value);
  return count === undefined ? undefined : tokens(count);
}

/**
 * What a service answers that is well and does not tell how it is: a key that may ask models and not
 * list them, a path that it does not offer, too many questions. Its requests would be served.
 */
const untold: ReadonlySet<number> = new Set([403, 405, 429, 501]);

/** A report that says no more than whether the required answer was good. */
export function plainReport(answers: readonly ProbeAnswer[], models: readonly ListedModel[] | undefined): ProbeReport {
  const refused = answers.find((answer) => answer.status >= 400);
  const isUp =
    models !== undefined || hasNoList(answers) || answers.some(({ status }) => status < 400 || untold.has(status));
  return {
    state: isUp ? 'up' : 'down',
    detail: isUp ? oddity(answers, models) : statusDetail(refused?.status),
    version: undefined,
    models,
    resident: undefined,
    servesOneModel: false,
  };
}

/**
 * Some servers have no list of models and answer chat all the same. Another path than that of a list
 * was declared by somebody as the one that tells health, so that its absence does tell.
 */
function hasNoList(answers: readonly ProbeAnswer[]): boolean {
  return answerOf(answers, '/models')?.status === 404;
}

function oddity(answers: readonly ProbeAnswer[], models: readonly ListedModel[] | undefined): string | undefined {
  const list = answerOf(answers, '/models');
  if (models !== undefined || list === undefined) return undefined;
  if (list.status === 404) return 'it has no list of models (status 404): check base_url if its requests fail';
  if (list.status >= 400) return `it does not tell its models (status ${list.status})`;
  return 'its answer is no list of models: check base_url and type';
}

/** What a probe's status says, for people. */
export function statusDetail(status: number | undefined): string {
  if (status === undefined) return 'no answer';
  if (isKeyRefused(status)) return `the key is refused or missing (status ${status})`;
  if (status === 404) return 'the path does not exist (status 404): check base_url and type';
  return `status ${status}`;
}

/** Whether a status says that the key is wrong or missing, so that no request would be served. */
export function isKeyRefused(status: number | undefined): boolean {
  return status === 401 || status === 403;
}
