import { type Tokens, tokens } from '../plan/ids.ts';
import type { Json, JsonObject } from '../plan/json.ts';
import { type DeploymentDraft, plainDeployment } from '../plan/plain-deployment.ts';
import type { Provider } from '../plan/provider.ts';
import { sizeInName } from '../plan/size-in-name.ts';
import { inside, type Place } from './findings.ts';
import type { Lowering } from './lowering.ts';
import { readSize } from './size.ts';
import { canonicalSpecialty } from './specialty.ts';
import { unsupportedFields } from './unsupported-fields.ts';
import type { ModelShape, ProviderShape } from './written-providers.ts';

/** Puts the models of one provider into the inventory. */
export function lowerModels(
  { shape, at }: { readonly shape: ProviderShape; readonly at: Place },
  provider: Provider,
  lowering: Lowering,
): void {
  const seen = new Map<string, Place>();
  (shape.models ?? []).forEach((entry, index) => {
    const model = typeof entry === 'string' ? { name: entry } : entry;
    const place = inside(at, 'models', index);
    const first = seen.get(model.name);
    if (first !== undefined) {
      lowering.findings.add('duplicate-name', place, `The model "${model.name}" stands twice at "${provider.id}"`, {
        found: model.name,
        related: [first],
        fix: 'Keep one of the two',
      });
      return;
    }
    seen.set(model.name, place);
    lowering.inventory.add(draftOf({ model, shape, at: place }, provider, lowering));
  });
}

type Declared = { readonly model: ModelShape; readonly shape: ProviderShape; readonly at: Place };

function draftOf(declared: Declared, provider: Provider, lowering: Lowering): DeploymentDraft {
  const { model, shape } = declared;
  const plain = plainDeployment(provider.id, model.name);
  const context = model.context_length ?? (provider.dialect === 'vllm' ? shape.max_model_len : undefined);
  return {
    ...plain,
    kind: model.mode ?? (model.specialty?.startsWith('embed') ? 'embedding' : plain.kind),
    contextTokens: contextWithin(context, model.options?.['num_ctx']),
    maxOutputTokens: model.max_output_tokens === undefined ? undefined : tokens(model.max_output_tokens),
    capabilities: capabilitiesOf(model.capabilities),
    specialty: canonicalSpecialty(model.specialty),
    sizeBillions: sizeOf(declared, lowering),
    quantization: model.quantization,
    // The schema has proven them to be JSON.
    options: (model.options ?? {}) as JsonObject,
    keepAlive: model.keep_alive,
    limit: { requestsPerMinute: model.rpm, tokensPerMinute: model.tpm },
    seats: model.max_parallel_requests,
    dropParams: lowering.dropsParams ? unsupportedFields(provider.dialect) : [],
    price: priceOf(declared),
    tags: model.tags ?? [],
    description: model.description ?? model.use_case,
    info: infoOf(model),
  };
}

/** What a context is declared to be, within the one that Ollama is asked for. */
export function contextWithin(context: number | undefined, asked: unknown): Tokens | undefined {
  const known = [context, asked].filter((one) => typeof one === 'number');
  return known.length === 0 ? undefined : tokens(Math.min(...known));
}

function capabilitiesOf(list: readonly string[] | undefined): DeploymentDraft['capabilities'] {
  const isClosed = list?.includes('none') ?? false;
  const has = (...names: string[]): boolean | undefined =>
    list?.some((one) => names.includes(one)) ? true : isClosed ? false : undefined;
  return {
    tools: has('tools', 'function_calling'),
    vision: has('vision', 'image'),
    jsonSchema: has('json_schema', 'json'),
    reasoning: has('reasoning', 'thinking'),
  };
}

function sizeOf({ model, at }: Declared, { findings }: Lowering): number | undefined {
  const key = model.size === undefined ? 'parameters' : 'size';
  const declared = model[key];
  if (declared === undefined) return sizeInName(model.name);
  const size = readSize(declared);
  if (size === undefined) {
    findings.add('bad-size', inside(at, key), `"${key}" has "${declared}"`, {
      found: declared,
      wanted: 'a number of parameters such as "7B" or "1T"',
    });
  }
  return size;
}

function priceOf({ model, shape }: Declared): DeploymentDraft['price'] {
  const { input_cost_per_token: input, output_cost_per_token: output } = model;
  if (input !== undefined || output !== undefined)
    return { inputUsdPerToken: input ?? 0, outputUsdPerToken: output ?? 0 };
  const thousand = shape.cost_per_1k_tokens?.[model.name];
  return thousand === undefined ? undefined : { inputUsdPerToken: thousand / 1000, outputUsdPerToken: thousand / 1000 };
}

function infoOf(model: ModelShape): { readonly [key: string]: Json } {
  const { pulled_at: pulled, version, notes, use_case: use, model_size_gb: size, kv_cache_available_gb: cache } = model;
  const day = pulled instanceof Date ? pulled.toISOString().slice(0, 10) : pulled;
  const entries = { pulled_at: day, version, notes, use_case: use, model_size_gb: size, kv_cache_available_gb: cache };
  return Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}
