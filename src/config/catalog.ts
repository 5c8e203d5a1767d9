import { createHash } from 'node:crypto';
import type { Deployment } from '../plan/deployment.ts';
import { type DeploymentIndex, deploymentId, deploymentIndex, type ProviderId } from '../plan/ids.ts';
import type { DialectName, Provider } from '../plan/provider.ts';
import { canonical } from './canonical.ts';
import type { Place } from './findings.ts';

/** A deployment before it has its place in the plan. */
export type DeploymentDraft = Omit<Deployment, 'index' | 'id'>;

/** Providers and deployments as they are gathered; references are resolved against it. */
export type Catalog = {
  readonly providers: Map<ProviderId, Provider>;
  /** Where each provider is declared. */
  readonly places: Map<ProviderId, Place>;
  readonly deployments: Deployment[];
  /** Adds a deployment, or finds the equal one that is there already. */
  add(draft: DeploymentDraft): Deployment;
  /** Declared deployments of a provider, in order. */
  of(provider: ProviderId): readonly Deployment[];
  /** The deployment of a provider that stands for whatever name is asked. */
  literal(provider: ProviderId): DeploymentIndex;
};

/** Creates an empty catalog. */
export function createCatalog(): Catalog {
  const deployments: Deployment[] = [];
  const byId = new Map<string, Deployment>();
  const catalog: Catalog = {
    providers: new Map(),
    places: new Map(),
    deployments,
    add(draft) {
      const id = idOf(draft);
      const known = byId.get(id);
      if (known !== undefined) return known;
      const deployment: Deployment = { ...draft, index: deploymentIndex(deployments.length), id: deploymentId(id) };
      deployments.push(deployment);
      byId.set(id, deployment);
      return deployment;
    },
    of: (provider) => deployments.filter((one) => one.provider === provider && one.backendModel !== '*'),
    literal: (provider) => catalog.add(plainDraft(provider, '*')).index,
  };
  return catalog;
}

/** Equal configuration gives an equal id, so that state and history find a deployment again. */
function idOf(draft: DeploymentDraft): string {
  return createHash('sha256').update(canonical(draft)).digest('hex').slice(0, 16);
}

/** A deployment of which nothing but its name is known. */
export function plainDraft(provider: ProviderId, backendModel: string): DeploymentDraft {
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

/** Dialects by the words of the files. */
export function dialectOf(type: string, apiFormat: string | undefined): DialectName | undefined {
  switch (type) {
    case 'ollama':
    case 'llama_cpp':
    case 'vllm':
    case 'openai':
    case 'anthropic':
    case 'openai_compatible':
    case 'azure':
    case 'echo':
      return type;
    case 'litellm':
      return 'openai_compatible';
    case 'custom':
      return apiFormat === undefined || apiFormat === 'openai_compatible' ? 'openai_compatible' : undefined;
    default:
      return undefined;
  }
}
