import type { DiscoveredModel } from '../contract/discovered.ts';
import type { ServerModel } from './server-family.ts';

/** A model of a server, as reports show it. */
export function describeModel(model: ServerModel): DiscoveredModel {
  return {
    id: model.id,
    kind: model.kind ?? null,
    context: model.contextTokens ?? null,
    parameterSize: model.parameterSize ?? null,
    quantization: model.quantization ?? null,
    sizeBytes: model.sizeBytes ?? null,
  };
}
