import type { Deployment } from '../plan/deployment.ts';
import { otherSpelling } from '../plan/latest-tag.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import { nearest } from '../plan/nearest.ts';
import type { Plan } from '../plan/plan.ts';
import type { RateLimit } from '../plan/provider.ts';
import { holdsSize, sizeInName } from '../plan/size-in-name.ts';
import { wildcardRest } from '../plan/wildcard.ts';
import { inside, keyOf, type Place, quoted } from './findings.ts';
import type { SettingsSections } from './lower-settings.ts';
import { type Lowering, tellerAbout } from './lowering.ts';
import type { Reference } from './reference.ts';

/** Checks what only the whole plan shows: names that nothing can answer, providers that rest, limits that nothing reaches. */
export function checkPlan(plan: Plan, { rateLimits, router, server }: SettingsSections, lowering: Lowering): void {
  noteInactive(lowering);
  noteNoNames(plan, lowering);
  checkReachable(plan, lowering);
  checkPrices(plan, lowering);
  for (const name of plan.settings.retry.groupPolicy.keys()) {
    const at = keyOf(inside(router.place('model_group_retry_policy'), name));
    checkAsked({ name, at, what: 'The retry policy is' }, plan, lowering);
  }
  for (const [index, { name: key, models }] of plan.settings.server.keys.entries()) {
    const at = inside(server.place('keys'), index);
    for (const name of models) checkAsked({ name, at, what: `A right of the key "${key}" is` }, plan, lowering);
  }
  for (const { name, limit } of plan.settings.limits) {
    const at = keyOf(inside(rateLimits.place('limits'), name));
    checkLimit({ name, at }, plan, lowering);
    checkLimitedOnce({ name, at }, limit, lowering);
  }
  for (const name of plan.settings.cache.modelTtlMs.keys())
    checkCached({ name, at: keyOf(inside(server.place('cache_ttl_by_model'), name)) }, plan, lowering);
}

/** One note for each provider that is referred to and not asked, however often that is. */
function noteInactive({ inactive, findings }: Lowering): void {
  for (const [id, [first, ...others]] of inactive) {
    if (first === undefined) continue;
    const times = others.length === 0 ? 'is referred to' : `is referred to ${others.length + 1} times`;
    findings.add('inactive-provider', first, `"${id}" is not active and ${times}: the fallbacks answer instead`, {
      found: id,
      related: others,
    });
  }
}

/** A configuration that answers nothing is a file half written, or the wrong one. */
function noteNoNames({ groups, deployments, settings: { routing } }: Plan, { findings }: Lowering): void {
  const isEmpty =
    groups.length + deployments.length + routing.patterns.length + routing.sizes.length === 0 &&
    routing.defaultProviders.length === 0;
  if (!isEmpty || findings.hasErrors()) return;
  findings.add('no-names', undefined, 'Nothing is declared that could answer: every request will get 404', {
    fix: 'Declare models in providers.yaml, or a model_list in a LiteLLM file',
  });
}

/** Every listed name must have something that can answer it, now or after a provider is enabled. */
function checkReachable(plan: Plan, { groups, findings }: Lowering): void {
  // With errors above, what is missing here is their doing.
  if (findings.hasErrors()) return;
  for (const group of plan.groups) {
    if (isServed(group, plan) || hasFallback(group, plan)) continue;
    findings.add(
      'unreachable-name',
      groups.get(group.name)?.place,
      `Nothing can answer "${group.name}": its providers are not active, and it has no fallback`,
      { found: group.name, fix: 'Enable a provider, or declare a fallback' },
    );
  }
}

/** A budget counts what has a price; what has none is told, once for each budget. */
function checkPrices(
  { providers, groups, deployments }: Plan,
  { inventory, groups: drafts, findings }: Lowering,
): void {
  const tell = (name: string, members: readonly Deployment[], place: Place | undefined): void => {
    const unpriced = members.filter(({ price, backendModel }) => price === undefined && !backendModel.includes('*'));
    if (unpriced.length === 0) return;
    const models = quoted([...new Set(unpriced.map(({ backendModel }) => backendModel))]);
    findings.add('budget-without-price', place, `The budget of "${name}" does not count ${models}: no price is known`, {
      found: name,
      fix: 'Declare input_cost_per_token and output_cost_per_token of the models',
    });
  };
  for (const { id, budget } of providers.values())
    if (budget !== undefined) tell(id, inventory.of(id), inventory.places.get(id));
  for (const { name, budget, members } of groups) {
    if (budget === undefined) continue;
    const own = members.flatMap(({ deployment }) => deployments[deployment] ?? []);
    tell(name, own, drafts.get(name)?.place);
  }
}

function isServed(group: ModelGroup, plan: Plan): boolean {
  return group.members.some((member) => {
    const deployment = plan.deployments[member.deployment];
    return deployment !== undefined && plan.providers.get(deployment.provider)?.status === 'active';
  });
}

function hasFallback({ fallback, chain }: ModelGroup, { settings: { routing } }: Plan): boolean {
  return (
    fallback.length > 0 ||
    (chain?.items.length ?? 0) > 0 ||
    routing.defaultFallbacks.length > 0 ||
    routing.defaultChain !== undefined
  );
}

/** A name that a setting is for must be one that requests can ask for. */
function checkAsked({ name, at, what }: Reference & { readonly what: string }, plan: Plan, lowering: Lowering): void {
  const isWildcard = plan.wildcards.some((one) => one.pattern === name);
  if (isWildcard || isAsked(name, plan)) return;
  const [near] = nearest(name, plan.names.keys(), 1);
  tellerAbout(name, lowering).add('unknown-model', at, `${what} for "${name}", which no request can ask for`, {
    found: name,
    nearest: near,
  });
}

function checkCached({ name, at }: Reference, plan: Plan, lowering: Lowering): void {
  if (isAsked(name, plan)) return;
  const [near] = nearest(name, plan.names.keys(), 1);
  tellerAbout(name, lowering).add('unknown-cached-name', at, `The time is for "${name}", which no request reaches`, {
    found: name,
    nearest: near,
  });
}

/** Whether a request can ask for a name, declared or not. */
function isAsked(name: string, plan: Plan): boolean {
  return plan.names.has(name) || plan.names.has(otherSpelling(name)) || ruleFor(name, plan) !== undefined;
}

/** A limit counts for a name, a model or a provider; one that no request can reach limits nothing. */
function checkLimit({ name, at }: Reference, plan: Plan, lowering: Lowering): void {
  const isKnown =
    plan.names.has(name) ||
    plan.names.has(otherSpelling(name)) ||
    plan.deployments.some((one) => one.backendModel === name) ||
    [...plan.providers.values()].some((one) => one.id === name || one.groups.includes(name)) ||
    plan.wildcards.some((one) => one.pattern === name);
  if (isKnown) return;
  const teller = tellerAbout(name, lowering);
  const [near] = nearest(name, [...plan.names.keys(), ...plan.providers.keys()], 1);
  const rule = ruleFor(name, plan);
  if (rule === undefined) {
    teller.add('unknown-limit-name', at, `The limit is for "${name}", which no request reaches`, {
      found: name,
      nearest: near,
    });
    return;
  }
  const closest = near === undefined ? '' : `; the nearest declared name is "${near}"`;
  teller.add('limit-by-pattern', at, `"${name}" is reached by ${rule} only${closest}`, { found: name });
}

/** A name whose exact entry has another limit has two, and the file should say which is meant. */
function checkLimitedOnce({ name, at }: Reference, limit: RateLimit, { groups, findings }: Lowering): void {
  const group = groups.get(name);
  if (group?.limitPlace === undefined) return;
  const differs = (['requestsPerMinute', 'tokensPerMinute'] as const).some(
    (unit) => limit[unit] !== undefined && group.limit[unit] !== undefined && limit[unit] !== group.limit[unit],
  );
  if (!differs) return;
  findings.add('conflicting-declarations', at, `"${name}" has another limit in its exact match: the lower one holds`, {
    found: name,
    severity: 'warning',
    related: [group.limitPlace],
    fix: 'Keep one of the two',
  });
}

/** The rule for names that are not declared by which a request for this one is served: the first that routing finds. */
function ruleFor(name: string, { wildcards, settings: { routing } }: Plan): string | undefined {
  const wildcard = wildcards.find((one) => wildcardRest(one, name) !== undefined);
  if (wildcard !== undefined) return `the wildcard "${wildcard.pattern}"`;
  const pattern = routing.patterns.find((one) => one.matches(name));
  if (pattern !== undefined) return `the pattern "${pattern.source}"`;
  const billions = sizeInName(name);
  const size = billions === undefined ? undefined : routing.sizes.find((one) => holdsSize(one, billions));
  return size === undefined ? undefined : `the size rule "${size.source}"`;
}
