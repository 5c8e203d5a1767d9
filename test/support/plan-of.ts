import { plainStrategy } from '../../src/config/group-builder.ts';
import type { Condition, Expression } from '../../src/plan/condition.ts';
import type { Deployment } from '../../src/plan/deployment.ts';
import {
  deploymentId,
  deploymentIndex,
  groupIndex,
  groupName,
  keyId,
  milliseconds,
  planHash,
  providerId,
  seconds,
  tokens,
} from '../../src/plan/ids.ts';
import type {
  Chain,
  Member,
  ModelGroup,
  NameTarget,
  Strategy,
  StrategyName,
  Target,
} from '../../src/plan/model-group.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Provider, RateLimit } from '../../src/plan/provider.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';
import type {
  CooldownSettings,
  DefaultModel,
  PatternRule,
  RetrySettings,
  RoutingRules,
  Settings,
  SizeRule,
} from '../../src/plan/settings.ts';
import { makeDeployment, makeProvider } from '../../src/providers/fixtures/make.ts';

/** A deployment is named `provider/model`, a group by its name. */
type Name = string;

type MemberOf = Name | ({ readonly at: Name } & Partial<Omit<Member, 'deployment'>>);
type ItemOf = Name | { readonly at: Name; readonly condition: Condition };
type ChainOf = readonly ItemOf[] | ({ readonly items: readonly ItemOf[] } & Partial<Omit<Chain, 'items'>>);

type GroupOf = {
  readonly members: readonly MemberOf[];
  readonly strategy?:
    | StrategyName
    | ({ readonly name: StrategyName; readonly classes?: { [level: string]: Name } } & Partial<
        Omit<Strategy, 'classes'>
      >);
  readonly fallback?: readonly Name[];
  readonly chain?: ChainOf;
  readonly overflow?: readonly Name[];
  readonly contextFallbacks?: readonly Name[];
  readonly contentFallbacks?: readonly Name[];
} & Partial<Pick<ModelGroup, 'kind' | 'capability' | 'standsInFor' | 'listed'>>;

type RulesOf = Partial<
  Omit<RoutingRules, 'patterns' | 'sizes' | 'defaultChain' | 'defaultFallbacks' | 'defaultModel' | 'defaultProviders'>
> & {
  readonly patterns?: readonly {
    readonly pattern: RegExp;
    readonly target: Name;
    readonly fallback?: readonly Name[];
  }[];
  readonly sizes?: readonly (Pick<SizeRule, 'source' | 'minBillions' | 'maxBillions'> &
    Partial<Pick<SizeRule, 'minInclusive' | 'maxInclusive'>> & {
      readonly target: Name;
      readonly fallback?: readonly Name[];
    })[];
  readonly defaultProviders?: readonly string[];
  readonly defaultModel?: { readonly deployment: Name; readonly group?: Name; readonly standIns?: readonly Name[] };
  readonly defaultChain?: ChainOf;
  readonly defaultFallbacks?: readonly Name[];
};

/** What a small plan is written as; whatever is left out has its default. */
export type PlanOf = {
  /** Overrides of providers by id; a provider that a deployment names exists without one. */
  readonly providers?: { readonly [id: string]: Partial<Provider> };
  /** Deployments in their order, as names or with overrides. */
  readonly deployments: readonly Name[] | { readonly [name: Name]: Partial<Deployment> };
  readonly groups?: { readonly [name: string]: GroupOf | readonly MemberOf[] };
  readonly aliases?: { readonly [name: string]: string };
  readonly routing?: RulesOf;
  readonly retry?: Partial<RetrySettings>;
  readonly cooldown?: Partial<CooldownSettings>;
  readonly requestMs?: number;
  /** Limits by name, as under rate_limit_settings. */
  readonly limits?: { readonly [name: string]: Partial<RateLimit> };
  /** Limits by a key's name. */
  readonly keyLimits?: { readonly [name: string]: Partial<RateLimit> };
};

/** Makes a plan without a configuration file. */
export function planOf(written: PlanOf): Plan {
  const listed = Array.isArray(written.deployments)
    ? written.deployments.map((name) => [name, {}] as const)
    : Object.entries(written.deployments);
  const deployments = listed.map(([name, overrides], index) => deploymentOf(name, index, overrides));
  const names = Object.keys(written.groups ?? {});
  const target = targetReader(deployments, names);
  const groups = Object.entries(written.groups ?? {}).map(([name, group], index) =>
    groupOf({ name, index, group: 'members' in group ? group : { members: group } }, target),
  );
  const providers = new Map(
    [...new Set(deployments.map((one) => one.provider))].map((id) => [
      id,
      makeProvider({ id, ...written.providers?.[id] }),
    ]),
  );
  return {
    hash: planHash('plan'),
    providers,
    deployments,
    groups,
    names: namesOf(deployments, groups, written.aliases ?? {}),
    wildcards: groups
      .filter((group) => group.kind === 'wildcard')
      .map((group) => ({ pattern: group.name, pieces: group.name.split('*'), group })),
    settings: settingsOf(written, target),
  };
}

function deploymentOf(name: Name, index: number, overrides: Partial<Deployment>): Deployment {
  const slash = name.indexOf('/');
  return makeDeployment({
    index: deploymentIndex(index),
    id: deploymentId(`id-${index}`),
    provider: providerId(name.slice(0, slash)),
    backendModel: name.slice(slash + 1),
    ...overrides,
  });
}

type TargetReader = (name: Name) => Target;

function targetReader(deployments: readonly Deployment[], groups: readonly string[]): TargetReader {
  return (name) => {
    const group = groups.indexOf(name);
    if (group !== -1) return { kind: 'group', group: groupIndex(group) };
    const deployment = deployments.find((one) => `${one.provider}/${one.backendModel}` === name);
    if (deployment === undefined) throw new Error(`The plan has neither a group nor a deployment "${name}"`);
    return { kind: 'deployment', deployment: deployment.index };
  };
}

function deploymentNamed(target: TargetReader, name: Name): Deployment['index'] {
  const found = target(name);
  if (found.kind === 'group') throw new Error(`"${name}" is a group`);
  return found.deployment;
}

function groupOf(
  { name, index, group }: { name: string; index: number; group: GroupOf },
  target: TargetReader,
): ModelGroup {
  const strategy = typeof group.strategy === 'object' ? group.strategy : { name: group.strategy ?? 'direct' };
  return {
    index: groupIndex(index),
    name: groupName(name),
    kind: group.kind ?? (name.includes('*') ? 'wildcard' : 'model'),
    declaredIn: ['model_list'],
    description: undefined,
    members: group.members.map((one): Member => {
      const { at, ...place } = typeof one === 'string' ? { at: one } : one;
      const deployment = deploymentNamed(target, at);
      return { deployment, order: 1, weight: undefined, condition: undefined, ...place };
    }),
    strategy: {
      saturationThreshold: undefined,
      complexityBy: undefined,
      latencyBuffer: undefined,
      largeContextTokens: undefined,
      factors: undefined,
      ...strategy,
      classes: new Map(
        Object.entries('classes' in strategy ? (strategy.classes ?? {}) : {}).map(([level, at]) => [
          level,
          deploymentNamed(target, at),
        ]),
      ),
    },
    capability: group.capability,
    fallback: (group.fallback ?? []).map(target),
    chain: group.chain === undefined ? undefined : chainOf(group.chain, target),
    overflow: (group.overflow ?? []).map(target),
    contextFallbacks: (group.contextFallbacks ?? []).map(target),
    contentFallbacks: (group.contentFallbacks ?? []).map(target),
    limit: { requestsPerMinute: undefined, tokensPerMinute: undefined },
    budget: undefined,
    standsInFor: group.standsInFor ?? [],
    unsatisfied: undefined,
    listed: group.listed ?? true,
    owner: undefined,
  };
}

function defaultModelOf(
  { deployment, group, standIns = [] }: NonNullable<RulesOf['defaultModel']>,
  target: TargetReader,
): DefaultModel {
  const named = group === undefined ? undefined : target(group);
  return {
    deployment: deploymentNamed(target, deployment),
    group: named?.kind === 'group' ? named.group : undefined,
    standIns: standIns.map(target),
  };
}

function chainOf(chain: ChainOf, target: TargetReader): Chain {
  const { items, ...rest } = 'items' in chain ? chain : { items: chain };
  return {
    tier: undefined,
    strategy: 'immediate',
    retryAttempts: undefined,
    retryDelayMs: undefined,
    ...rest,
    items: items.map((one) =>
      typeof one === 'string'
        ? { target: target(one), condition: undefined }
        : { target: target(one.at), condition: one.condition },
    ),
  };
}

function namesOf(
  deployments: readonly Deployment[],
  groups: readonly ModelGroup[],
  aliases: { readonly [name: string]: string },
): ReadonlyMap<string, NameTarget> {
  const names = new Map<string, NameTarget>();
  for (const { id, provider, backendModel, index } of deployments) {
    if (backendModel.includes('*')) continue;
    for (const name of [id, `${provider}/${backendModel}`]) names.set(name, { kind: 'deployment', deployment: index });
  }
  for (const [name, of] of Object.entries(aliases)) {
    const group = groups.find((one) => one.name === of);
    if (group !== undefined) names.set(name, { kind: 'alias', group: group.index, hidden: false });
  }
  for (const group of groups)
    if (group.kind !== 'wildcard') names.set(group.name, { kind: 'group', group: group.index });
  return names;
}

function limitOf(limit: Partial<RateLimit>): RateLimit {
  return { requestsPerMinute: undefined, tokensPerMinute: undefined, ...limit };
}

function settingsOf(written: PlanOf, target: TargetReader): Settings {
  const { routing = {}, retry, cooldown, requestMs = 600_000, limits = {}, keyLimits = {} } = written;
  const { defaultProviders, defaultModel, defaultChain, defaultFallbacks, patterns, sizes, ...rest } = routing;
  return {
    timeouts: {
      connectMs: seconds(5),
      firstTokenMs: seconds(300),
      betweenChunksMs: seconds(120),
      attemptMs: milliseconds(requestMs),
      requestMs: milliseconds(requestMs),
      heartbeatAfterMs: seconds(15),
      drainMs: seconds(30),
    },
    retry: {
      retries: 2,
      maxFallbacks: 5,
      retryAfterMs: milliseconds(0),
      policy: new Map(),
      groupPolicy: new Map(),
      ...retry,
    },
    cooldown: {
      enabled: true,
      allowedFails: 3,
      windowMs: seconds(60),
      cooldownMs: seconds(5),
      maxCooldownMs: seconds(60),
      rateLimitedMs: seconds(60),
      allowedFailsPolicy: new Map(),
      ...cooldown,
    },
    routing: {
      metadata: [],
      unknownModel: 'default_chain',
      complexity: { medium: 50, high: 100 },
      defaultStrategy: plainStrategy('simple_shuffle'),
      preferWarm: { enabled: false, checkTimeoutMs: milliseconds(100) },
      rateLimitedFallback: false,
      geographic: { enabled: false, preferLocal: true },
      preCallChecks: true,
      tagFiltering: { enabled: false, matchAny: true },
      ...rest,
      patterns: (patterns ?? []).map(
        (one): PatternRule => ({
          source: one.pattern.source,
          matches: (name) => one.pattern.test(name),
          target: target(one.target),
          fallback: (one.fallback ?? []).map(target),
        }),
      ),
      sizes: (sizes ?? []).map(
        (one): SizeRule => ({
          minInclusive: true,
          maxInclusive: true,
          ...one,
          target: target(one.target),
          fallback: (one.fallback ?? []).map(target),
        }),
      ),
      defaultProviders: (defaultProviders ?? []).map(providerId),
      defaultModel: defaultModel && defaultModelOf(defaultModel, target),
      defaultChain: defaultChain === undefined ? undefined : chainOf(defaultChain, target),
      defaultFallbacks: (defaultFallbacks ?? []).map(target),
    },
    server: {
      host: '127.0.0.1',
      port: 0,
      cors: { enabled: false, allowedOrigins: [] },
      masterKey: undefined,
      keys: Object.entries(keyLimits).map(([name, limit]) => ({
        id: keyId(name),
        name,
        secret: { kind: 'env', name: 'KEY' },
        models: [],
        limit: limitOf(limit),
        priority: undefined,
        mayRehearse: false,
      })),
      maxBodyBytes: 1024 * 1024,
      maxParallelRequests: undefined,
      queue: { maxWaitMs: undefined, maxLength: 256 },
      showApiBase: false,
      alwaysIncludeUsage: false,
    },
    cache: {
      enabled: false,
      kind: 'local',
      ttlMs: seconds(60),
      modelTtlMs: new Map(),
      mode: 'default_on',
      endpoints: new Set(['chat', 'completions', 'embeddings']),
      namespace: 'signalbox',
      maxBytes: 1024 * 1024,
      directory: undefined,
      redis: {
        url: undefined,
        host: '127.0.0.1',
        port: 6379,
        username: undefined,
        password: undefined,
        database: 0,
        tls: false,
      },
    },
    limits: Object.entries(limits).map(([name, limit]) => ({ name, limit: limitOf(limit) })),
  };
}

/** A short chat request with nothing asked for but what the overrides say. */
export function factsOf(overrides: Partial<RequestFacts> = {}): RequestFacts {
  return {
    endpoint: 'chat',
    asked: undefined,
    capability: undefined,
    stream: false,
    promptTokens: tokens(100),
    leastPromptTokens: overrides.promptTokens ?? tokens(100),
    maxOutputTokens: undefined,
    needs: { tools: false, vision: false, jsonSchema: false },
    batchSize: 1,
    hasCodeFence: false,
    isMultiStep: false,
    priority: undefined,
    tags: [],
    qualityTier: undefined,
    minTier: undefined,
    headers: new Map(),
    key: 'local',
    allowedModels: [],
    disableFallbacks: false,
    fallbacks: [],
    retries: undefined,
    ...overrides,
  };
}

/** A condition that compares one fact with a value. */
export function conditionOf(
  name: Extract<Extract<Expression, { kind: 'variable' }>['variable'], { kind: 'fact' }>['name'],
  operator: Extract<Expression, { kind: 'compare' }>['operator'],
  value: string | number | boolean,
): Condition {
  return {
    source: `${name} ${operator} ${JSON.stringify(value)}`,
    expression: {
      kind: 'compare',
      operator,
      left: { kind: 'variable', variable: { kind: 'fact', name } },
      right: { kind: 'literal', value },
    },
  };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
