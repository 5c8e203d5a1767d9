import type { DiscoveredModel } from '../contract/discovered.ts';
import type { ListedModel } from '../plan/listed-model.ts';

/** A model of a server, as reports show it. */
export function describeModel(model: ListedModel): DiscoveredModel {
  return {
    id: model.id,
    kind: model.kind ?? null,
    context: model.contextTokens ?? null,
    parameterSize: model.parameterSize ?? null,
    quantization: model.quantization ?? null,
    sizeBytes: model.sizeBytes ?? null,
  };
}
