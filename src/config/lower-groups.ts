import type { Condition } from '../plan/condition.ts';
import { type DeploymentIndex, milliseconds } from '../plan/ids.ts';
import type { Chain, ChainItem, Member, Strategy, Target } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import { conditionVariables, parseCondition } from './condition-parser.ts';
import type { Place } from './findings.ts';
import { type GroupDraft, type GroupDrafts, plainStrategy } from './group-builder.ts';
import { canonicalSpecialty, type Lowering, providersNamed } from './lower-providers.ts';
import type { ParsedFile, Path } from './parsed-file.ts';
import { type ReferenceInput, resolveAtProvider, unknownProvider } from './references.ts';
import type {
  CapabilityShape,
  ChainItemShape,
  ChainShape,
  ExactShape,
  MappingsShape,
  PoolShape,
} from './shape-mappings.ts';
import { readSize } from './size.ts';
import { executedStrategies, strategyName, strategySpellings } from './strategy-name.ts';

/** What lowering the groups needs. */
export type GroupLowering = Lowering & ReferenceInput & { readonly groups: GroupDrafts };

/** Every model of every provider is a name of its own; equal names at several providers form one pool. */
export function lowerProviderModels(lowering: GroupLowering): void {
  const { catalog, groups } = lowering;
  for (const deployment of [...catalog.deployments]) {
    if (deployment.backendModel === '*') continue;
    const place = catalog.places.get(deployment.provider);
    const isActive = catalog.providers.get(deployment.provider)?.status === 'active';
    if (place === undefined) continue;
    const group =
      groups.get(deployment.backendModel) ??
      groups.add({ name: deployment.backendModel, kind: 'model', place, membersFrom: 'provider' });
    group.description ??= deployment.description;
    // A provider that is not active keeps its name, behind those that can answer.
    group.members.push(memberOf(deployment.index, { order: isActive ? 1 : 2 }));
  }
}

/** Puts the sections of model-mappings.yaml into the groups. */
export function lowerMappings(shape: MappingsShape, file: ParsedFile, lowering: GroupLowering): void {
  const inner = shape.routes ?? {};
  const section = <Key extends keyof MappingsShape & keyof typeof inner>(
    key: Key,
  ): { readonly value: MappingsShape[Key]; readonly path: Path } =>
    shape[key] === undefined && inner[key] !== undefined
      ? { value: inner[key] as MappingsShape[Key], path: ['routes', key] }
      : { value: shape[key], path: [key] };
  const pools = { ...section('redundant_models').value, ...section('load_balancing').value };
  const exact = section('exact_matches');
  for (const [name, entry] of Object.entries(exact.value ?? {}))
    lowerExact(name, entry, { file, path: [...exact.path, name] }, lowering, pools[name]);
  const capabilities = section('capabilities');
  for (const [name, pool] of Object.entries(pools)) {
    const key = section('load_balancing').value?.[name] === undefined ? 'redundant_models' : 'load_balancing';
    lowerPool(name, pool, { file, path: [...section(key).path, name] }, lowering);
  }
  for (const [name, entry] of Object.entries(capabilities.value ?? {}))
    lowerCapability(name, entry, { file, path: [...capabilities.path, name] }, lowering);
  const chains = section('fallback_chains');
  for (const [name, chain] of Object.entries(chains.value ?? {})) {
    if (name !== 'default') lowerNamedChain(name, chain, { file, path: [...chains.path, name] }, lowering);
  }
  // Fallbacks may name any group, so they are resolved once all are known.
  for (const [name, entry] of Object.entries(exact.value ?? {}))
    lowerExactFallback(name, entry, { file, path: [...exact.path, name] }, lowering);
  for (const [name, entry] of Object.entries(capabilities.value ?? {}))
    lowerCapabilityFallback(name, entry, { file, path: [...capabilities.path, name] }, lowering);
}

/** A place in a group. */
export function memberOf(
  deployment: DeploymentIndex,
  known: {
    readonly order?: number;
    readonly weight?: number | undefined;
    readonly condition?: Condition | undefined;
    readonly reason?: string | undefined;
  } = {},
): Member {
  return {
    deployment,
    order: known.order ?? 1,
    weight: known.weight,
    condition: known.condition,
    reason: known.reason,
  };
}

const orders: Readonly<Record<string, number>> = { primary: 1, secondary: 2, tertiary: 3, fallback: 4 };

function orderOf(priority: ExactShape['priority']): number {
  if (typeof priority === 'number') return priority;
  return priority === undefined ? 1 : (orders[priority] ?? 1);
}

function lowerExact(
  name: string,
  entry: ExactShape,
  place: Place,
  lowering: GroupLowering,
  pool: PoolShape | undefined,
): void {
  const { groups } = lowering;
  const group = groups.get(name) ?? groups.add({ name, kind: 'model', place, membersFrom: 'exact' });
  group.description = entry.description ?? group.description;
  group.capability = entry.capabilities?.[0] ?? group.capability;
  group.limit = { requestsPerMinute: entry.rate_limit?.rpm, tokensPerMinute: entry.rate_limit?.tpm };
  // A pool of the same name says who the members are; the entry then adds only the rest.
  if (pool !== undefined) return;
  const at: Place = { ...place, path: [...place.path, 'provider'] };
  noteInactive(entry.provider, at, lowering);
  const found = resolveAtProvider(
    lowering,
    entry.provider,
    { name, backendModel: entry.backend_model, specialty: specialtyOf(group, lowering) },
    { place: at, role: 'primary' },
  );
  group.members = found.map((deployment) => memberOf(deployment, { order: orderOf(entry.priority) }));
  group.membersFrom = 'exact';
}

function noteInactive(reference: string, place: Place, { catalog, findings }: GroupLowering): void {
  const [provider] = providersNamed(catalog, reference);
  if (provider === undefined || provider.status === 'active') return;
  findings.add('inactive-provider', place, `"${reference}" is not active: its names are answered by their fallbacks`, {
    found: reference,
  });
}

function specialtyOf(group: GroupDraft, { catalog }: GroupLowering): string | undefined {
  const first = group.members[0];
  return first === undefined ? undefined : catalog.deployments[first.deployment]?.specialty;
}

function lowerExactFallback(name: string, entry: ExactShape, place: Place, lowering: GroupLowering): void {
  const group = lowering.groups.get(name);
  if (group === undefined) return;
  const key = entry.fallback === undefined || entry.fallback === null ? 'fallback_chain' : 'fallback';
  const list = listOf(entry.fallback ?? entry.fallback_chain);
  list.forEach((reference, index) => {
    const at: Place = { ...place, path: [...place.path, key, ...(Array.isArray(entry[key]) ? [index] : [])] };
    group.fallback.push(...resolveTarget(reference, group, at, lowering));
  });
}

function listOf(value: string | readonly string[] | null | undefined): readonly string[] {
  return value === null || value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** What a fallback or chain item names: a group, `provider/model`, or a provider that stands for one of its models. */
export function resolveTarget(
  reference: string,
  group: GroupDraft,
  place: Place,
  lowering: GroupLowering,
  preferred?: string,
): readonly Target[] {
  const { groups, catalog } = lowering;
  if (reference === group.name) {
    lowering.findings.add('cyclic-fallback', place, `"${group.name}" is its own fallback`, {
      found: reference,
      fix: 'Name another model',
    });
    return [];
  }
  const known = groups.get(reference) ?? groups.get(`${reference}:latest`);
  if (known !== undefined && preferred === undefined) return [{ kind: 'group', group: known.index }];
  const direct = catalog.deployments.find(
    (one) => one.id === reference || `${one.provider}/${one.backendModel}` === reference,
  );
  if (direct !== undefined) return [{ kind: 'deployment', deployment: direct.index }];
  if (providersNamed(catalog, reference).length === 0) {
    const [near] = nearest(reference, [...groups.keys(), ...catalog.providers.keys()], 1);
    lowering.findings.add('unknown-fallback', place, `No model or provider is called "${reference}"`, {
      found: reference,
      nearest: near,
      wanted: 'a model or a provider',
    });
    return [];
  }
  const wanted = { name: group.name, backendModel: preferred, specialty: specialtyOf(group, lowering) };
  return resolveAtProvider(lowering, reference, wanted, { place, role: 'fallback' }).map((deployment) => ({
    kind: 'deployment',
    deployment,
  }));
}

function lowerPool(name: string, pool: PoolShape, place: Place, lowering: GroupLowering): void {
  const { groups, findings } = lowering;
  const group = groups.get(name) ?? groups.add({ name, kind: 'load_balancing', place, membersFrom: 'load_balancing' });
  const wanted = { name, specialty: specialtyOf(group, lowering) };
  group.description = pool.description ?? group.description;
  group.membersFrom = 'load_balancing';
  group.members = pool.providers.flatMap((entry, index) => {
    const member = typeof entry === 'string' ? { provider: entry } : entry;
    const at: Place = { ...place, path: [...place.path, 'providers', index] };
    const reference = member.provider ?? member.name;
    if (reference === undefined) {
      findings.add('missing-key', at, 'The key "provider" is missing', { wanted: 'a provider' });
      return [];
    }
    const backendModel = member.preferred_model ?? member.model;
    const found = resolveAtProvider(lowering, reference, { ...wanted, backendModel }, { place: at, role: 'primary' });
    const condition =
      member.condition === undefined
        ? undefined
        : readCondition(member.condition, { ...at, path: [...at.path, 'condition'] }, lowering);
    return found.map((deployment) => memberOf(deployment, { weight: member.weight, condition, reason: member.reason }));
  });
  if (group.members.length === 0)
    findings.add('empty-pool', place, `The pool "${name}" has no member that exists`, { found: name });
  checkWeights(name, pool, place, lowering);
  group.strategy = {
    ...readStrategy(pool.strategy ?? 'weighted_round_robin', { ...place, path: [...place.path, 'strategy'] }, lowering),
    saturationThreshold: pool.parameters?.saturation_threshold ?? pool.saturation_overflow?.threshold,
  };
  for (const reference of [...(pool.fallback_chain ?? []), ...listOf(pool.saturation_overflow?.overflow_to)]) {
    group.fallback.push(...resolveTarget(reference, group, place, lowering));
  }
}

function checkWeights(name: string, pool: PoolShape, place: Place, { findings }: GroupLowering): void {
  const weights = pool.providers.flatMap((entry) =>
    typeof entry === 'string' || entry.weight === undefined ? [] : [entry.weight],
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (weights.length > 1 && Math.abs(sum - 1) > 0.01 && weights.every((weight) => weight <= 1)) {
    findings.add('weights-sum', place, `The weights of "${name}" add up to ${Number(sum.toFixed(3))}`, { found: sum });
  }
}

/** Reads a strategy by any of its spellings. */
export function readStrategy(spelling: string, place: Place, { findings }: Pick<GroupLowering, 'findings'>): Strategy {
  const name = strategyName(spelling);
  if (name === undefined) {
    const [near] = nearest(spelling, strategySpellings, 1);
    findings.add('unknown-strategy', place, `No strategy is called "${spelling}"`, {
      found: spelling,
      nearest: near,
      wanted: 'a strategy of docs/explanation/routing.md',
    });
    return plainStrategy('direct');
  }
  if (!executedStrategies.has(name)) {
    findings.add(
      'strategy-not-executed-yet',
      place,
      `The strategy "${spelling}" is not executed yet: members serve in declared order`,
      { found: spelling },
    );
  }
  return plainStrategy(name);
}

/** Reads a condition; one that cannot be read never holds, and is an error anyway. */
export function readCondition(
  source: string,
  place: Place,
  { findings }: Pick<GroupLowering, 'findings'>,
): Condition | undefined {
  const parsed = parseCondition(source);
  switch (parsed.kind) {
    case 'condition':
      return parsed.condition;
    case 'syntax':
      findings.add('bad-condition', place, `The condition "${source}" cannot be read`, {
        found: source,
        wanted: parsed.message,
      });
      return undefined;
    case 'unknown': {
      const [near] = nearest(parsed.name, conditionVariables, 1);
      findings.add('unknown-variable', place, `No variable is called "${parsed.name}"`, {
        found: parsed.name,
        nearest: near,
        wanted: `one of ${conditionVariables.join(', ')}, header.NAME, PROVIDER_unavailable`,
      });
      return undefined;
    }
  }
}

function lowerCapability(name: string, entry: CapabilityShape, place: Place, lowering: GroupLowering): void {
  const { groups, findings } = lowering;
  const same = groups.get(name);
  if (same !== undefined && same.kind !== 'capability') {
    findings.add('alias-collision', { ...place, part: 'key' }, `The capability "${name}" has the name of a model`, {
      found: name,
      fix: 'Give one of them another name',
    });
    return;
  }
  const group = same ?? groups.add({ name, kind: 'capability', place, membersFrom: 'capability' });
  group.description = entry.description;
  group.capability = name;
  const found = capabilityDeployments(name, entry, place, lowering);
  group.members = satisfying(name, entry, found, place, lowering).map((deployment) => memberOf(deployment));
  const spelling = entry.routing_strategy ?? entry.strategy ?? 'direct';
  const key = entry.routing_strategy === undefined ? 'strategy' : 'routing_strategy';
  group.strategy = {
    ...readStrategy(spelling, { ...place, path: [...place.path, key] }, lowering),
    classes: classesOf(entry, place, lowering),
  };
  // Models of a direct capability are preferred in their order, and each stands behind the one before.
  if (group.members.length === 0)
    findings.add('empty-pool', place, `The capability "${name}" has no model that exists`, { found: name });
}

function capabilityDeployments(
  name: string,
  entry: CapabilityShape,
  place: Place,
  lowering: GroupLowering,
): readonly DeploymentIndex[] {
  const key = entry.preferred_models === undefined ? 'models' : 'preferred_models';
  const models = entry.preferred_models ?? entry.models;
  if (models !== undefined) {
    return [
      ...new Set(
        models.flatMap((model, index) =>
          modelDeployments(model, name, { ...place, path: [...place.path, key, index] }, lowering),
        ),
      ),
    ];
  }
  const references = [...(entry.providers ?? []), ...(entry.provider === undefined ? [] : [entry.provider])];
  return references.flatMap((reference) => {
    const at: Place = { ...place, path: [...place.path, entry.provider === reference ? 'provider' : 'providers'] };
    const providers = providersNamed(lowering.catalog, reference);
    if (providers.length === 0) unknownProvider(lowering, reference, at);
    return providers.flatMap((provider) => lowering.catalog.of(provider.id).map((one) => one.index));
  });
}

/** A capability lists models, and now and then a provider in a model's place. */
function modelDeployments(
  model: string,
  capability: string,
  place: Place,
  lowering: GroupLowering,
): readonly DeploymentIndex[] {
  const { groups, catalog, findings } = lowering;
  const group = groups.get(model) ?? groups.get(`${model}:latest`);
  if (group !== undefined) return group.members.map((member) => member.deployment);
  const direct = catalog.deployments.find((one) => `${one.provider}/${one.backendModel}` === model);
  if (direct !== undefined) return [direct.index];
  if (providersNamed(catalog, model).length > 0)
    return resolveAtProvider(
      lowering,
      model,
      { name: capability, backendModel: undefined, specialty: canonicalSpecialty(capability) },
      { place, role: 'fallback' },
    );
  const [near] = nearest(model, [...groups.keys()], 1);
  findings.add('unknown-model', place, `No model is called "${model}"`, { found: model, nearest: near });
  return [];
}

function satisfying(
  name: string,
  entry: CapabilityShape,
  found: readonly DeploymentIndex[],
  place: Place,
  { catalog, findings }: GroupLowering,
): readonly DeploymentIndex[] {
  const least = entry.min_model_size === undefined ? undefined : readSize(entry.min_model_size);
  const context = entry.min_context;
  if (least === undefined && context === undefined) return found;
  const fitting = found.filter((index) => {
    const deployment = catalog.deployments[index];
    const isLarge = least === undefined || deployment?.sizeBillions === undefined || deployment.sizeBillions >= least;
    return (
      isLarge &&
      (context === undefined || deployment?.contextTokens === undefined || deployment.contextTokens >= context)
    );
  });
  if (fitting.length > 0 || found.length === 0) return fitting;
  findings.add('unreachable-name', place, `No model of "${name}" is as large as it asks; the nearest serve`, {
    fix: 'Lower min_model_size or min_context, or add a larger model',
  });
  return found;
}

function classesOf(
  entry: CapabilityShape,
  place: Place,
  lowering: GroupLowering,
): ReadonlyMap<string, DeploymentIndex> {
  const classes = new Map<string, DeploymentIndex>();
  for (const key of ['complexity_thresholds', 'context_thresholds'] as const) {
    for (const [level, model] of Object.entries(entry[key] ?? {})) {
      const [first] = modelDeployments(model, level, { ...place, path: [...place.path, key, level] }, lowering);
      if (first !== undefined) classes.set(level, first);
    }
  }
  return classes;
}

function lowerCapabilityFallback(name: string, entry: CapabilityShape, place: Place, lowering: GroupLowering): void {
  const group = lowering.groups.get(name);
  if (group === undefined) return;
  for (const reference of listOf(entry.fallback)) {
    group.fallback.push(...resolveTarget(reference, group, { ...place, path: [...place.path, 'fallback'] }, lowering));
  }
}

function lowerNamedChain(name: string, chain: ChainShape, place: Place, lowering: GroupLowering): void {
  const group = lowering.groups.get(name) ?? lowering.groups.get(`${name}:latest`);
  if (group === undefined) {
    const [near] = nearest(name, [...lowering.groups.keys()], 1);
    lowering.findings.add(
      'unknown-model',
      { ...place, part: 'key' },
      `A chain is declared for "${name}", which no request can ask for`,
      { found: name, nearest: near },
    );
    return;
  }
  group.chain = lowerChain(chain, group, place, lowering);
}

/** Reads a chain in either of its forms. */
export function lowerChain(shape: ChainShape, group: GroupDraft, place: Place, lowering: GroupLowering): Chain {
  const isList = Array.isArray(shape);
  const long = isList ? { chain: shape } : shape;
  const items = long.chain.flatMap((item, index) =>
    lowerChainItem(item, group, { ...place, path: [...place.path, ...(isList ? [] : ['chain']), index] }, lowering),
  );
  return {
    items,
    tier: 'tier' in long ? long.tier : undefined,
    strategy: ('strategy' in long ? long.strategy : undefined) ?? 'immediate',
    retryAttempts: 'retry_attempts' in long ? long.retry_attempts : undefined,
    retryDelayMs:
      'retry_delay_ms' in long && long.retry_delay_ms !== undefined ? milliseconds(long.retry_delay_ms) : undefined,
  };
}

function lowerChainItem(
  item: ChainItemShape,
  group: GroupDraft,
  place: Place,
  lowering: GroupLowering,
): readonly ChainItem[] {
  if (typeof item === 'string')
    return resolveTarget(item, group, place, lowering).map((target) => ({ target, condition: undefined }));
  const condition =
    item.condition === undefined
      ? undefined
      : readCondition(item.condition, { ...place, path: [...place.path, 'condition'] }, lowering);
  const references = [item.primary, item.secondary, item.tertiary, item.provider, item.model].filter(
    (one) => one !== undefined,
  );
  return references.flatMap((reference) =>
    resolveTarget(reference, group, place, lowering, item.preferred_model).map((target) => ({ target, condition })),
  );
}
