import type { DeploymentIndex } from '../plan/ids.ts';
import { otherSpelling } from '../plan/latest-tag.ts';
import type { Limit, LimitIndex, LimitState } from '../plan/limit.ts';
import type { Plan } from '../plan/plan.ts';
import type { RateLimit } from '../plan/provider.ts';

/** The limits of a plan, and what each of them counts. */
export type LimitRules = Pick<LimitState, 'limits' | 'ofDeployment' | 'ofGroup' | 'ofName' | 'ofKey'>;

/**
 * Finds what every declared limit counts. Under a model's name it counts all that reaches the
 * model, by whatever name; under a capability, pseudo-name or alias what is asked by that name.
 */
export function limitRulesOf(plan: Plan): LimitRules {
  const draft: Draft = {
    plan,
    limits: [],
    ofDeployment: plan.deployments.map(() => []),
    ofGroup: plan.groups.map(() => []),
    ofName: new Map(),
    ofKey: new Map(),
  };
  const { limits, server } = plan.settings;
  for (const { name, limit } of limits) addNamed(draft, name, limit);
  for (const { name, limit } of plan.groups) addNamed(draft, name, limit);
  for (const { index, provider, backendModel, limit } of plan.deployments)
    addReached(draft, { kind: 'deployment', label: `${provider}/${backendModel}`, rate: limit }, [index]);
  for (const { id, limit } of plan.providers.values())
    addReached(draft, { kind: 'provider', label: `provider "${id}"`, rate: limit }, ofProvider(plan, id));
  for (const { name, limit } of server.keys) {
    const index = add(draft, { kind: 'key', label: `key "${name}"`, rate: limit });
    if (index !== undefined) append(draft.ofKey, name, index);
  }
  return draft;
}

type Draft = {
  readonly plan: Plan;
  readonly limits: Limit[];
  readonly ofDeployment: LimitIndex[][];
  readonly ofGroup: LimitIndex[][];
  readonly ofName: Map<string, LimitIndex[]>;
  readonly ofKey: Map<string, LimitIndex[]>;
};

function addNamed(draft: Draft, name: string, rate: RateLimit): void {
  const { plan } = draft;
  const known = plan.names.get(name) ?? plan.names.get(otherSpelling(name));
  const models = plan.deployments.filter(
    ({ backendModel }) => backendModel === name || backendModel === otherSpelling(name),
  );
  const limit: Limit = { kind: 'name', label: `${models.length > 0 ? 'model ' : ''}"${name}"`, rate };
  if (models.length > 0) {
    const index = addReached(
      draft,
      limit,
      models.map((one) => one.index),
    );
    // A pool of the model's name may have members that are other models.
    if (index !== undefined && known?.kind === 'group') draft.ofGroup[known.group]?.push(index);
    return;
  }
  if (known?.kind === 'deployment') return void addReached(draft, limit, [known.deployment]);
  if (known?.kind === 'group') {
    const index = add(draft, limit);
    if (index !== undefined) draft.ofGroup[known.group]?.push(index);
    return;
  }
  const wildcard = plan.wildcards.find(({ pattern }) => pattern === name)?.group;
  if (wildcard !== undefined)
    return void addReached(
      draft,
      limit,
      wildcard.members.map((one) => one.deployment),
    );
  const served = known === undefined ? ofProvider(plan, name) : [];
  if (served.length > 0)
    return void addReached(draft, { ...limit, kind: 'provider', label: `provider "${name}"` }, served);
  const index = add(draft, limit);
  if (index !== undefined) for (const spelling of [name, otherSpelling(name)]) append(draft.ofName, spelling, index);
}

/** Deployments of a provider, or of all providers of a type or group. */
function ofProvider(plan: Plan, name: string): readonly DeploymentIndex[] {
  return plan.deployments
    .filter(({ provider }) => provider === name || plan.providers.get(provider)?.groups.includes(name) === true)
    .map(({ index }) => index);
}

function addReached(draft: Draft, limit: Limit, deployments: readonly DeploymentIndex[]): LimitIndex | undefined {
  const index = add(draft, limit);
  if (index !== undefined) for (const one of deployments) draft.ofDeployment[one]?.push(index);
  return index;
}

/** The index of a limit that bounds anything. */
function add({ limits }: Draft, limit: Limit): LimitIndex | undefined {
  const { requestsPerMinute, tokensPerMinute, parallelRequests } = limit.rate;
  if (requestsPerMinute === undefined && tokensPerMinute === undefined && parallelRequests === undefined)
    return undefined;
  return limits.push(limit) - 1;
}

function append(map: Map<string, LimitIndex[]>, key: string, index: LimitIndex): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [index]);
  else list.push(index);
}
