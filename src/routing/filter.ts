import type { Exclusion } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Member, ModelGroup } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { Tier } from '../plan/provider.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../plan/routing-state.ts';
import { type ConditionValue, holds } from './condition.ts';
import { createLookup } from './facts.ts';

/** Why a deployment cannot serve a request. */
export type Excluded = { readonly reason: Exclusion; readonly detail: string };

/** What a filter looks at. */
export type FilterInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly now: Milliseconds;
};

/** The first reason that keeps a deployment out, or undefined where nothing does. */
export function exclusionOf(input: FilterInput, deployment: Deployment): Excluded | undefined {
  const health = input.state.health[deployment.index];
  return (
    (health === undefined ? undefined : excludedByHealth(health, input.now)) ??
    excludedByKind(deployment, input.facts) ??
    excludedByContext(input, deployment) ??
    excludedByNeeds(deployment, input.facts) ??
    excludedByTags(input, deployment) ??
    excludedByTier(input, deployment)
  );
}

/** The member's condition, which belongs to its place in a group and not to the deployment. */
export function excludedByCondition(input: FilterInput, group: ModelGroup, member: Member): Excluded | undefined {
  if (member.condition === undefined) return undefined;
  const lookup = createLookup(input.plan, input.state, input.facts, group);
  const asked: string[] = [];
  const noted = (variable: Parameters<typeof lookup>[0]): ConditionValue => {
    const value = lookup(variable);
    asked.push(
      `${variable.kind === 'header' ? `header.${variable.name}` : variable.kind === 'fact' ? variable.name : `${variable.provider}_unavailable`} = ${value ?? 'absent'}`,
    );
    return value;
  };
  if (holds(member.condition, noted)) return undefined;
  return { reason: 'condition', detail: `${member.condition.source} does not hold: ${asked.join(', ')}` };
}

function excludedByHealth(health: DeploymentHealth, now: Milliseconds): Excluded | undefined {
  switch (health.kind) {
    case 'ready':
    case 'degraded':
    case 'loading':
    case 'missing':
      return undefined;
    case 'cooling':
      if (now >= health.until) return undefined;
      return { reason: 'cooling', detail: `${coolingWords[health.why]}, ${secondsLeft(health.until, now)} s left` };
    case 'half_open':
      return { reason: 'half_open_busy', detail: 'one request is testing it' };
    case 'down':
      return { reason: 'down', detail: health.why };
    case 'draining':
      return { reason: 'draining', detail: 'its provider is draining' };
    case 'disabled':
      return { reason: 'disabled', detail: 'its provider is disabled' };
  }
}

const coolingWords = {
  failures: 'cooling after failures',
  rate_limited: 'cooling after a rate limit',
  refused: 'cooling after a refused connection',
  configuration: 'cooling after a refused key or model',
};

function secondsLeft(until: Milliseconds, now: Milliseconds): number {
  return Math.ceil((until - now) / 1000);
}

function excludedByKind(deployment: Deployment, facts: RequestFacts): Excluded | undefined {
  if (deployment.kind === undefined) return undefined;
  const serves = facts.endpoint === 'embeddings' ? deployment.kind === 'embedding' : deployment.kind !== 'embedding';
  return serves
    ? undefined
    : { reason: 'kind', detail: `it is for ${deployment.kind}, the request is for ${facts.endpoint}` };
}

/** Estimates run up to 40 % low on digits and logs, so a prompt near the limit is let through and the server decides. */
function excludedByContext({ state, facts }: FilterInput, deployment: Deployment): Excluded | undefined {
  const context = state.observations[deployment.index]?.effectiveContext ?? deployment.contextTokens;
  if (context === undefined) return undefined;
  const wanted = facts.promptTokens + (facts.maxOutputTokens ?? 0);
  if (wanted <= context) return undefined;
  return { reason: 'context', detail: `about ${wanted} tokens, its context is ${context}` };
}

function excludedByNeeds(deployment: Deployment, { needs }: RequestFacts): Excluded | undefined {
  const { capabilities } = deployment;
  if (needs.tools && capabilities.tools === false) return { reason: 'capability', detail: 'it has no tools' };
  if (needs.vision && capabilities.vision === false) return { reason: 'capability', detail: 'it reads no pictures' };
  if (needs.jsonSchema && capabilities.jsonSchema === false)
    return { reason: 'capability', detail: 'it keeps to no JSON schema' };
  return undefined;
}

function excludedByTags({ plan, facts }: FilterInput, deployment: Deployment): Excluded | undefined {
  const { enabled, matchAny } = plan.settings.routing.tagFiltering;
  if (!enabled || facts.tags.length === 0 || deployment.tags.includes('default')) return undefined;
  const has = (tag: string): boolean => deployment.tags.includes(tag);
  const fits = matchAny ? facts.tags.some(has) : facts.tags.every(has);
  return fits ? undefined : { reason: 'tags', detail: `it has the tags ${deployment.tags.join(', ') || 'none'}` };
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

function excludedByTier({ plan, facts }: FilterInput, deployment: Deployment): Excluded | undefined {
  if (facts.minTier === undefined) return undefined;
  const least = rankOfTier(facts.minTier);
  const tier = plan.providers.get(deployment.provider)?.tier ?? 'local';
  if (least === undefined || tierRank[tier] >= least) return undefined;
  return { reason: 'min_tier', detail: `its tier is ${tier}, the request wants ${facts.minTier} at least` };
}
