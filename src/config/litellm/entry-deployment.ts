import { seconds, tokens } from '../../plan/ids.ts';
import type { Json } from '../../plan/json.ts';
import { nearest } from '../../plan/nearest.ts';
import { type DeploymentDraft, plainDeployment } from '../../plan/plain-deployment.ts';
import type { Provider } from '../../plan/provider.ts';
import { checkOrder } from '../check-order.ts';
import type { Findings } from '../findings.ts';
import { contextWithin } from '../lower-models.ts';
import type { Lowering } from '../lowering.ts';
import { unsupportedFields } from '../unsupported-fields.ts';
import { type AskedEntry, type Entry, objectOf } from './entry.ts';
import { litellmKeys } from './keys.ts';
import { ollamaOptions } from './request-fields.ts';
import { valueAt } from './section.ts';

/** Fields of litellm_params that steer the gateway; all others are defaults of the request. */
const steering: ReadonlySet<string> = new Set(Object.keys(litellmKeys.litellm_params));

/** The deployment that an entry of a model_list declares. */
export function draftOf(
  { model, entry }: AskedEntry,
  provider: Provider,
  { dropsParams, findings }: Pick<Lowering, 'dropsParams' | 'findings'>,
): DeploymentDraft {
  const plain = plainDeployment(provider.id, model);
  const { params, info } = entry;
  const request = requestOf(entry, provider);
  const context = info.number('max_input_tokens') ?? info.number('context_length') ?? info.number('max_tokens');
  const output = info.number('max_output_tokens');
  const mode = modeOf(entry, findings);
  const cooldown = params.number('cooldown_time');
  return {
    ...plain,
    ...request,
    kind: mode ?? plain.kind,
    contextTokens: contextWithin(context, request.options['num_ctx']),
    maxOutputTokens: output === undefined ? undefined : tokens(output),
    capabilities: {
      tools: info.boolean('supports_function_calling'),
      vision: info.boolean('supports_vision'),
      jsonSchema: info.boolean('supports_response_schema'),
      reasoning: info.boolean('supports_reasoning'),
    },
    dropParams: [
      ...(params.texts('additional_drop_params') ?? []),
      ...((params.boolean('drop_params') ?? dropsParams) ? unsupportedFields(provider.dialect) : []),
    ],
    limit: limitOf(entry),
    seats: params.number('max_parallel_requests'),
    price: priceOf(entry),
    tags: params.texts('tags') ?? info.texts('tags') ?? [],
    timeouts: timeoutsOf(entry, findings),
    retries: params.number('num_retries'),
    cooldownMs: cooldown === undefined ? undefined : seconds(cooldown),
    description: info.text('description'),
    info: infoOf(entry),
  };
}

/** What every request to the deployment has: fields that do not steer the gateway, of which Ollama takes some as options. */
function requestOf(
  { params, place }: Entry,
  { dialect }: Provider,
): Pick<DeploymentDraft, 'options' | 'keepAlive' | 'defaults' | 'extraBody'> {
  const isOllama = dialect === 'ollama';
  const all = objectOf(valueAt(place.file.value, [...place.path, 'litellm_params']));
  const others = Object.entries(all).filter(
    ([key]) => !key.startsWith('x-') && (!steering.has(key) || (isOllama && ollamaOptions.has(key))),
  );
  const keepAlive = params.raw('keep_alive');
  const asked = Object.fromEntries(others.filter(([key]) => ollamaOptions.has(key)));
  return {
    options: isOllama ? { ...objectOf(params.raw('options')), ...asked } : {},
    keepAlive: isOllama && (typeof keepAlive === 'string' || typeof keepAlive === 'number') ? keepAlive : undefined,
    defaults: Object.fromEntries(others.filter(([key]) => !(isOllama && ollamaOptions.has(key)))),
    extraBody: objectOf(params.raw('extra_body')),
  };
}

const modes = ['chat', 'completion', 'embedding'] as const;
/** Modes of LiteLLM whose endpoints are not here. */
const otherModes: readonly string[] = [
  'image_generation',
  'audio_transcription',
  'audio_speech',
  'rerank',
  'moderation',
  'realtime',
  'batch',
  'ocr',
];

/** What a deployment answers; a mode without an endpoint here would be a name that answers nothing. */
function modeOf({ info }: Entry, findings: Findings): (typeof modes)[number] | undefined {
  const declared = info.text('mode');
  const mode = modes.find((one) => one === declared);
  if (declared === undefined || mode !== undefined) return mode;
  if (declared === 'responses') return 'chat';
  if (otherModes.includes(declared))
    findings.add('key-not-executed', info.place('mode'), `The mode "${declared}" is not offered`, {
      found: declared,
      wanted: `one of ${modes.join(', ')}`,
      fix: 'Take the entry out, or start with --lenient to list its name all the same',
    });
  else {
    const [near] = nearest(declared, [...modes, ...otherModes], 1);
    findings.add('wrong-type', info.place('mode'), `"mode" has "${declared}"`, {
      found: declared,
      nearest: near,
      wanted: `one of ${modes.join(', ')}`,
    });
  }
  return undefined;
}

/** LiteLLM's limits of a deployment, which may stand beside its parameters too. */
function limitOf({ params, place }: Entry): DeploymentDraft['limit'] {
  const read = (key: 'rpm' | 'tpm'): number | undefined => {
    const beside = valueAt(place.file.value, [...place.path, key]);
    return params.number(key) ?? (typeof beside === 'number' && beside > 0 ? beside : undefined);
  };
  return { requestsPerMinute: read('rpm'), tokensPerMinute: read('tpm') };
}

function priceOf({ params, info }: Entry): DeploymentDraft['price'] {
  const input = params.number('input_cost_per_token') ?? info.number('input_cost_per_token');
  const output = params.number('output_cost_per_token') ?? info.number('output_cost_per_token');
  if (input === undefined && output === undefined) return undefined;
  return { inputUsdPerToken: input ?? 0, outputUsdPerToken: output ?? 0 };
}

function timeoutsOf({ params }: Entry, findings: Findings): DeploymentDraft['timeouts'] {
  const total = params.number('timeout');
  const first = params.number('stream_timeout');
  if (total !== undefined && first !== undefined)
    checkOrder(
      { what: 'the first token', ms: seconds(first), place: params.place('stream_timeout') },
      { what: 'the attempt', ms: seconds(total) },
      findings,
    );
  return {
    totalMs: total === undefined ? undefined : seconds(total),
    firstTokenMs: first === undefined ? undefined : seconds(first),
    betweenChunksMs: undefined,
  };
}

/** Keys of LiteLLM's own that say something to people alone. */
const shownOnly: ReadonlySet<string> = new Set(['notes', 'base_model', 'status']);

/** What people wrote into model_info and nothing else takes. */
function infoOf(entry: Entry): { readonly [key: string]: Json } {
  const all = objectOf(valueAt(entry.place.file.value, [...entry.place.path, 'model_info']));
  return Object.fromEntries(
    Object.entries(all).filter(([key]) => !Object.hasOwn(litellmKeys.model_info, key) || shownOnly.has(key)),
  );
}
