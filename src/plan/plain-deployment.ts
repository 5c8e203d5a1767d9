import type { Deployment } from './deployment.ts';
import type { ProviderId } from './ids.ts';

/** A deployment before it has its place in the plan. */
export type DeploymentDraft = Omit<Deployment, 'index' | 'id'>;

/** A deployment of which nothing but its name is known. */
export function plainDeployment(provider: ProviderId, backendModel: string): DeploymentDraft {
  return {
    provider,
    backendModel,
    kind: kindOfName(backendModel),
    contextTokens: undefined,
    maxOutputTokens: undefined,
    capabilities: { tools: undefined, vision: undefined, jsonSchema: undefined, reasoning: undefined },
    specialty: undefined,
    sizeBillions: undefined,
    quantization: undefined,
    options: {},
    keepAlive: undefined,
    defaults: {},
    extraBody: {},
    dropParams: [],
    limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
    seats: undefined,
    price: undefined,
    tags: [],
    timeouts: { firstTokenMs: undefined, betweenChunksMs: undefined, totalMs: undefined },
    retries: undefined,
    cooldownMs: undefined,
    description: undefined,
    info: {},
  };
}

/** Embedding models say so in their names; of others nothing is assumed. */
function kindOfName(name: string): Deployment['kind'] {
  return /\bembed|embedding|(^|\/)bge-|(^|\/)e5-|nomic-embed/i.test(name) ? 'embedding' : undefined;
}
