import type { Condition } from '../plan/condition.ts';
import type { Candidate, Exclusion } from '../plan/decision.ts';
import type { Deployment, ModelKind } from '../plan/deployment.ts';
import type { Milliseconds } from '../plan/ids.ts';
import { waitWords } from '../plan/in-words.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { DialectName, Tier } from '../plan/provider.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../plan/routing-state.ts';
import { type ConditionValue, holds } from './condition.ts';
import { createLookup, tokensOf } from './facts.ts';
import { type FullLimit, fullLimit } from './limits.ts';
import { limitsOfDeployment } from './limits-of.ts';
import { type Looked, lookAt } from './members.ts';
import { spentCap, spentWords } from './spending.ts';

/** Why a deployment cannot serve a request. */
export type Excluded = {
  readonly reason: Exclusion;
  readonly detail: string;
  /** What was compared, where it was numbers. */
  readonly numbers?: Candidate['numbers'];
};

/** What a filter looks at. */
export type FilterInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly now: Milliseconds;
};

/** A group has filters of its own: its tags, and the conditions of its members. */
export type Within = { readonly group: ModelGroup; readonly tags: TagFilter | undefined };

/** The first reason that keeps a deployment out, or undefined where nothing does. */
export type Filter = (looked: Looked) => Excluded | undefined;

/**
 * The filter of a request. What the request wants comes before what passes with time: only a
 * deployment that fits can be cooling. What could keep nothing out is found once and not asked of
 * each, which is what makes a pool of thousands bearable.
 */
export function filterFor(input: FilterInput, within?: Within): Filter {
  const { facts, state } = input;
  const isChoosy = hasNeeds(facts) || facts.minTier !== undefined || within?.tags !== undefined;
  const isMetered = state.limits.limits.length > 0 || state.spending.caps.length > 0;
  return ({ deployment, index, kind, contextTokens, condition }) => {
    const context = state.observations[index]?.effectiveContext ?? contextTokens;
    const isReady = state.health[index]?.kind === 'ready';
    return (
      (kind === undefined ? undefined : excludedByKind(kind, facts)) ??
      (isChoosy ? excludedByWish(input, deployment, within) : undefined) ??
      (condition === undefined ? undefined : excludedByCondition(input, condition, within?.group)) ??
      (context === undefined ? undefined : excludedByContext(input, deployment, context)) ??
      (isReady ? undefined : excludedByHealth(input, deployment)) ??
      (isMetered ? excludedByUse(input, deployment) : undefined)
    );
  };
}

/** Why a deployment cannot serve a request, looked at outside of any group. */
export function exclusionOf(input: FilterInput, deployment: Deployment): Excluded | undefined {
  return filterFor(input)(lookAt(deployment));
}

/** Whether a deployment lacks what the request says that it has to have: abilities, a tier, tags. */
function excludedByWish(input: FilterInput, deployment: Deployment, within: Within | undefined): Excluded | undefined {
  return (
    excludedByNeeds(deployment, input.facts) ??
    excludedByTier(input, deployment, within?.group) ??
    within?.tags?.(deployment)
  );
}

/** Whether what may be used of a deployment in a time is used, by its limits or by its budget. */
export function excludedByUse(input: FilterInput, deployment: Deployment): Excluded | undefined {
  return longerOf(excludedByLimit(input, deployment), excludedByBudget(input, deployment));
}

/** Of two reasons to pass over something for a time the one that holds for longer. */
export function longerOf(one: Excluded | undefined, other: Excluded | undefined): Excluded | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (other.numbers?.['freeInMs'] ?? 0) > (one.numbers?.['freeInMs'] ?? 0) ? other : one;
}

/** Whether a limit of the deployment, of its provider or of its model has no room for the request. */
function excludedByLimit({ state, facts, now }: FilterInput, { index }: Deployment): Excluded | undefined {
  const limits = limitsOfDeployment(state.limits, index);
  if (limits.length === 0) return undefined;
  const full = fullLimit(state, limits, tokensOf(facts), now);
  return full === undefined ? undefined : excludedBy(full);
}

/** A full limit as a reason to pass over what it counts. */
export function excludedBy(full: FullLimit): Excluded {
  const { used, most, freeInMs } = full;
  return { reason: 'limit', detail: limitWords(full), numbers: { used, limit: most, freeInMs } };
}

/** A full limit in words: what is limited, how full it is, when it has room. */
export function limitWords({ limit, unit, most, used, wanted, freeInMs }: FullLimit): string {
  const wait = `free in ${waitWords(freeInMs)}`;
  return used >= most
    ? `the limit of ${limit.label} is full: ${used} of ${most} ${unit}, ${wait}`
    : `the limit of ${limit.label} has no room for about ${wanted} more: ${used} of ${most} ${unit} are used, ${wait}`;
}

/** Whether what may be spent at the deployment's provider is spent. */
function excludedByBudget({ state, now }: FilterInput, { provider }: Deployment): Excluded | undefined {
  if (state.spending.caps.length === 0) return undefined;
  const spent = spentCap(state.spending, state.spending.ofProvider.get(provider), now);
  if (spent === undefined) return undefined;
  const { usd, cap, freeInMs } = spent;
  return { reason: 'budget', detail: spentWords(spent), numbers: { usd, maxUsd: cap.maxUsd, freeInMs } };
}

function excludedByCondition(
  input: FilterInput,
  condition: Condition,
  group: ModelGroup | undefined,
): Excluded | undefined {
  const lookup = createLookup(input, group);
  const asked: string[] = [];
  const noted = (variable: Parameters<typeof lookup>[0]): ConditionValue => {
    const value = lookup(variable);
    asked.push(
      `${variable.kind === 'header' ? `header.${variable.name}` : variable.kind === 'fact' ? variable.name : `${variable.provider}_unavailable`} = ${value ?? 'absent'}`,
    );
    return value;
  };
  if (holds(condition, noted)) return undefined;
  return { reason: 'condition', detail: `${condition.source} does not hold: ${asked.join(', ')}` };
}

/** Whether a deployment's state keeps it out for now. */
export function excludedByHealth(
  { plan, state, now }: FilterInput,
  { index, provider }: Deployment,
): Excluded | undefined {
  const health = state.health[index];
  switch (health?.kind) {
    case undefined:
    case 'ready':
    case 'degraded':
    case 'missing':
      return undefined;
    case 'loading':
      return excludedByLoading(health, plan, now);
    case 'cooling':
      if (now >= health.until) return undefined;
      return { reason: 'cooling', detail: `${coolingWords[health.why]}, ${waitWords(health.until - now)} left` };
    case 'half_open':
      return { reason: 'half_open_busy', detail: 'one request is testing it' };
    case 'down':
      return { reason: 'down', detail: health.why };
    case 'draining':
      return { reason: 'draining', detail: `its provider "${provider}" is draining` };
    case 'disabled':
      return { reason: 'disabled', detail: `its provider "${provider}" is disabled` };
  }
}

/** A model that loads is waited for, unless it is known to need longer than a request may take. */
function excludedByLoading(
  { readyAt }: Extract<DeploymentHealth, { kind: 'loading' }>,
  plan: Plan,
  now: Milliseconds,
): Excluded | undefined {
  if (readyAt === undefined || readyAt <= now + plan.settings.timeouts.requestMs) return undefined;
  return { reason: 'loading', detail: `it is loading, ${waitWords(readyAt - now)} left` };
}

const coolingWords = {
  failures: 'cooling after failures',
  rate_limited: 'cooling after a rate limit',
  refused: 'cooling after a connection that failed',
  configuration: 'cooling after a refused key or model',
};

function excludedByKind(kind: ModelKind, { endpoint }: RequestFacts): Excluded | undefined {
  const serves = endpoint === 'embeddings' ? kind === 'embedding' : kind !== 'embedding';
  return serves ? undefined : { reason: 'kind', detail: `it is for ${kind}, the request is for ${endpoint}` };
}

function excludedByContext(
  { plan, facts }: FilterInput,
  deployment: Deployment,
  context: number,
): Excluded | undefined {
  const output = facts.maxOutputTokens ?? 0;
  const wanted = facts.promptTokens + output;
  if (wanted <= context || certainTokens({ plan, facts }, deployment) + output <= context) return undefined;
  if (!plan.settings.routing.preCallChecks && refusesItself(plan, deployment)) return undefined;
  return { reason: 'context', detail: `about ${wanted} tokens are asked for, its context is ${context}` };
}

/** Tokens by which a prompt may be called too long: a server that counts them itself decides where the estimate may be wrong. */
function certainTokens({ plan, facts }: Pick<FilterInput, 'plan' | 'facts'>, { provider }: Deployment): number {
  const dialect = plan.providers.get(provider)?.dialect;
  return dialect !== undefined && countsItself[dialect] ? facts.leastPromptTokens : facts.promptTokens;
}

/** Whether a server refuses a prompt that is longer than its context, to the token; the others may cut it without a word. */
const countsItself: Readonly<Record<DialectName, boolean>> = {
  ollama: true,
  llama_cpp: true,
  vllm: true,
  openai: true,
  azure: true,
  anthropic: true,
  lm_studio: false,
  openai_compatible: false,
  echo: false,
};

/** Whether a server refuses a prompt that is too long. Ollama cuts it, so for Ollama the estimate always counts. */
function refusesItself({ providers }: Plan, { provider }: Deployment): boolean {
  return providers.get(provider)?.dialect !== 'ollama';
}

/** Context that a deployment grants: as its server was last seen, else as declared. */
export function contextOf(state: RoutingState, { index, contextTokens }: Deployment): number | undefined {
  return state.observations[index]?.effectiveContext ?? contextTokens;
}

/** Whether the prompt alone fits, so that an answer begins, though it may end before it is as long as was allowed. */
export function takesPrompt({ plan, state, facts }: FilterInput, deployment: Deployment): boolean {
  return certainTokens({ plan, facts }, deployment) < (contextOf(state, deployment) ?? Number.POSITIVE_INFINITY);
}

function hasNeeds({ needs }: RequestFacts): boolean {
  return needs.tools || needs.vision || needs.jsonSchema;
}

function excludedByNeeds(deployment: Deployment, { needs }: RequestFacts): Excluded | undefined {
  const { capabilities } = deployment;
  if (needs.tools && capabilities.tools === false) return { reason: 'capability', detail: 'it has no tools' };
  if (needs.vision && capabilities.vision === false) return { reason: 'capability', detail: 'it reads no pictures' };
  if (needs.jsonSchema && capabilities.jsonSchema === false)
    return { reason: 'capability', detail: 'it keeps to no JSON schema' };
  return undefined;
}

/** Whether a deployment passes the tags of a request. */
export type TagFilter = (deployment: Deployment) => Excluded | undefined;

/**
 * LiteLLM's tag routing, which looks at a whole group: deployments with the request's tags, else
 * those tagged `default`; without tags those tagged `default`, where there are any.
 */
export function tagFilter({ plan, facts }: FilterInput, group: ModelGroup): TagFilter | undefined {
  const { enabled, matchAny } = plan.settings.routing.tagFiltering;
  if (!enabled) return undefined;
  const { tags } = facts;
  const fits = ({ tags: own }: Deployment): boolean =>
    tags.length > 0 && (matchAny ? tags.some((tag) => own.includes(tag)) : tags.every((tag) => own.includes(tag)));
  const members = group.members.flatMap(({ deployment }) => plan.deployments[deployment] ?? []);
  const isDefault = ({ tags: own }: Deployment): boolean => own.includes('default');
  const passes = members.some(fits) ? fits : members.some(isDefault) ? isDefault : undefined;
  if (passes === undefined && (tags.length === 0 || members.every((one) => one.tags.length === 0))) return undefined;
  return (deployment) =>
    passes?.(deployment) === true
      ? undefined
      : { reason: 'tags', detail: `the request has the tags ${listed(tags)}, it has ${listed(deployment.tags)}` };
}

function listed(tags: readonly string[]): string {
  return tags.length === 0 ? 'none' : tags.map((tag) => `"${tag}"`).join(', ');
}

const tierRank: Readonly<Record<Tier, number>> = {
  local: 0,
  universal: 0,
  cloud_entry: 1,
  cloud_standard: 2,
  cloud_premium: 3,
};

/** Rank of a tier, from 0; a name that is none has no rank. */
export function rankOfTier(tier: string): number | undefined {
  return Object.hasOwn(tierRank, tier) ? tierRank[tier as Tier] : undefined;
}

/** Tier of what answers for a name: as the name's own chain declares it, else that of the provider. */
export function tierOf(plan: Plan, { provider }: Deployment, group: ModelGroup | undefined): Tier {
  return group?.chain?.tier ?? plan.providers.get(provider)?.tier ?? 'local';
}

function excludedByTier(
  { plan, facts: { minTier } }: FilterInput,
  deployment: Deployment,
  group: ModelGroup | undefined,
): Excluded | undefined {
  if (minTier === undefined) return undefined;
  const least = rankOfTier(minTier);
  const tier = tierOf(plan, deployment, group);
  if (least === undefined)
    return { reason: 'min_tier', detail: `"${minTier}" is no tier: write ${Object.keys(tierRank).join(', ')}` };
  if (tierRank[tier] >= least) return undefined;
  return { reason: 'min_tier', detail: `its tier is ${tier}, the request wants ${minTier} at least` };
}
