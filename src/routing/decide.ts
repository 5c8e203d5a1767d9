/**
 * Routing: which deployments answer a request, in which order, and what to do when one fails.
 * Values in, values out: nothing here waits, reads a clock, draws its own random numbers or knows
 * of sockets. `decide` is the only thing in the product that chooses a deployment; live traffic,
 * `route explain` and every later simulation call it. It reads as four steps: resolve the name
 * (resolve.ts), filter (filter.ts), order (order.ts, strategies.ts), and what may follow after a
 * failure (go-on.ts). State changes are data, applied by health.ts and state.ts.
 */
import type { Candidate, Decision, PlannedAttempt, Rule, Source } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Failure } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type GroupIndex, type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Chain, ModelGroup, Target } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { holds } from './condition.ts';
import { createLookup } from './facts.ts';
import { deploymentAt, lookAt, type OrderInput, orderGroup, rotationOf } from './order.ts';
import { groupAt, type Resolution, resolve, wildcardRest } from './resolve.ts';

/** Decides what may answer a request, in order, with the reason for every candidate. */
export function decide(
  plan: Plan,
  state: RoutingState,
  facts: RequestFacts,
  now: Milliseconds,
  random: () => number,
): Decision {
  const resolution = resolve(plan, state, facts);
  const draft = createDraft({ plan, state, facts, now, random }, resolution);
  switch (resolution.kind) {
    case 'unknown':
      return refused(draft, unknownModel(facts, resolution.nearest));
    case 'unlisted':
      return { ...refused(draft, undefined), needsListing: resolution.provider };
    case 'chain':
      addChain(draft, resolution.chain, 'default_fallback');
      return concluded(draft);
    case 'target':
      addTarget(draft, resolution.target, 'group');
      for (const target of resolution.fallback) addTarget(draft, target, 'fallback');
      addDefaults(draft);
      return concluded(draft);
    case 'group':
      if (!isAllowed(facts, resolution.group)) return refused(draft, notAllowed(facts));
      addGroup(draft, resolution.group, 'group');
      addFallbacks(draft, resolution.group);
      return concluded(draft);
  }
}

/** A decision in the making: candidates and attempts are only ever added. */
type Draft = {
  readonly input: OrderInput;
  readonly rule: Rule;
  readonly group: ModelGroup | undefined;
  readonly modelOf: (deployment: Deployment) => string;
  readonly attempts: PlannedAttempt[];
  readonly candidates: Candidate[];
  readonly notes: string[];
  readonly visited: Set<GroupIndex>;
  rotation: Decision['rotation'];
};

function createDraft(input: OrderInput, resolution: Resolution): Draft {
  return {
    input,
    rule: resolution.rule,
    group: resolution.kind === 'group' ? resolution.group : undefined,
    modelOf: modelNamer(input.plan, input.facts, resolution.rule),
    attempts: [],
    candidates: [],
    notes: [...resolution.notes],
    visited: new Set(),
    rotation: undefined,
  };
}

/** The name that is sent to a deployment: its own, or what stands for its `*`. */
function modelNamer(plan: Plan, facts: RequestFacts, rule: Rule): (deployment: Deployment) => string {
  const asked = facts.asked ?? '';
  const wildcard = rule.kind === 'wildcard' ? plan.wildcards.find((one) => one.pattern === rule.pattern) : undefined;
  const rest = wildcard === undefined ? undefined : wildcardRest(wildcard, asked);
  return ({ backendModel }) => {
    if (!backendModel.includes('*')) return backendModel;
    // A lone star is the whole name for patterns and sizes, and what the star stood for in a wildcard.
    let star = 0;
    return backendModel.replaceAll('*', () => rest?.[star++] ?? asked);
  };
}

function addGroup(draft: Draft, group: ModelGroup, source: Source): void {
  if (draft.visited.has(group.index)) return;
  draft.visited.add(group.index);
  const { serving, candidates } = orderGroup(draft.input, group, source, draft.modelOf);
  draft.candidates.push(...candidates);
  if (source === 'group') draft.rotation = rotationOf(draft.input, group, serving);
  for (const { deployment } of serving)
    addAttempt(draft, {
      deployment: deployment.index,
      model: draft.modelOf(deployment),
      source,
      group: group.index,
      delayMs: noWait,
    });
}

const noWait = milliseconds(0);

function addTarget(draft: Draft, target: Target, source: Source, delayMs: Milliseconds = noWait): void {
  if (target.kind === 'group') {
    addGroup(draft, groupAt(draft.input.plan, target.group), source);
    return;
  }
  const candidate = lookAt(draft.input, target, source, draft.modelOf);
  if (draft.candidates.some((one) => one.deployment === candidate.deployment && one.model === candidate.model)) return;
  draft.candidates.push(candidate);
  if (candidate.verdict.kind === 'excluded') return;
  addAttempt(draft, { deployment: candidate.deployment, model: candidate.model, source, group: undefined, delayMs });
}

/** A deployment that is asked for the same model already stands where it was put first. */
function addAttempt(draft: Draft, attempt: PlannedAttempt): void {
  const known = draft.attempts.some((one) => one.deployment === attempt.deployment && one.model === attempt.model);
  if (!known) draft.attempts.push(attempt);
}

/** What may answer once a group cannot: its own fallback, its chain, peers of its capability, the declared defaults. */
function addFallbacks(draft: Draft, group: ModelGroup): void {
  if (draft.input.facts.disableFallbacks) {
    draft.notes.push('fallbacks are turned off by the request');
    return;
  }
  for (const name of draft.input.facts.fallbacks) {
    const known = draft.input.plan.names.get(name);
    if (known === undefined) draft.notes.push(`the request's fallback "${name}" is not known`);
    else if (known.kind === 'deployment') addTarget(draft, known, 'request_fallback');
    else addGroup(draft, groupAt(draft.input.plan, known.group), 'request_fallback');
  }
  for (const target of group.fallback) addTarget(draft, target, 'fallback');
  if (group.chain !== undefined) addChain(draft, group.chain, 'chain');
  if (group.kind === 'capability') addPeers(draft, group);
  addDefaults(draft);
}

function addChain(draft: Draft, chain: Chain, source: Source): void {
  const delayMs = chain.strategy === 'retry_with_backoff' ? (chain.retryDelayMs ?? noWait) : noWait;
  for (const item of chain.items) {
    if (item.condition !== undefined) {
      const lookup = createLookup(draft.input.plan, draft.input.state, draft.input.facts, draft.group);
      if (!holds(item.condition, lookup)) {
        draft.notes.push(`a chain item is left out: ${item.condition.source} does not hold`);
        continue;
      }
    }
    addTarget(draft, item.target, source, delayMs);
  }
}

/** Groups whose exact entry declares the same capability. */
function addPeers(draft: Draft, group: ModelGroup): void {
  for (const peer of draft.input.plan.groups) {
    if (peer.index !== group.index && peer.capability !== undefined && peer.capability === group.capability) {
      addGroup(draft, peer, 'capability_peer');
    }
  }
}

function addDefaults(draft: Draft): void {
  if (draft.input.facts.disableFallbacks) return;
  const { defaultFallbacks, defaultChain } = draft.input.plan.settings.routing;
  for (const target of defaultFallbacks) addTarget(draft, target, 'default_fallback');
  if (defaultChain !== undefined) addChain(draft, defaultChain, 'default_fallback');
}

function concluded(draft: Draft): Decision {
  if (draft.attempts.length === 0) addDesperate(draft);
  const refusal = draft.attempts.length === 0 ? noneLeft(draft) : undefined;
  return { ...outline(draft), refusal };
}

/** The last resort: what is only cooling is tried after all, the soonest to recover first. */
function addDesperate(draft: Draft): void {
  const { state } = draft.input;
  const cooling = draft.candidates.flatMap((candidate) => {
    const health = state.health[candidate.deployment];
    const isCooling = candidate.verdict.kind === 'excluded' && candidate.verdict.reason === 'cooling';
    // A server that asked for quiet gets it: only a guess of ours may be overruled.
    if (!isCooling || health?.kind !== 'cooling' || health.why === 'rate_limited') return [];
    return [{ candidate, until: health.until }];
  });
  cooling.sort((a, b) => a.until - b.until);
  for (const { candidate } of cooling) {
    addAttempt(draft, {
      deployment: candidate.deployment,
      model: candidate.model,
      source: 'desperate',
      group: candidate.group,
      delayMs: noWait,
    });
  }
  if (cooling.length > 0) draft.notes.push('nothing is ready, so deployments that are cooling are tried');
}

function refused(draft: Draft, refusal: Failure | undefined): Decision {
  return { ...outline(draft), refusal };
}

function outline(draft: Draft): Omit<Decision, 'refusal'> {
  return {
    asked: draft.input.facts.asked,
    rule: draft.rule,
    group: draft.group?.index,
    attempts: draft.attempts,
    candidates: draft.candidates,
    notes: draft.notes,
    promptTokens: draft.input.facts.promptTokens,
    rotation: draft.rotation,
    needsListing: undefined,
  };
}

function isAllowed(facts: RequestFacts, group: ModelGroup): boolean {
  if (facts.allowedModels.length === 0) return true;
  return (
    facts.allowedModels.includes(group.name) || (facts.asked !== undefined && facts.allowedModels.includes(facts.asked))
  );
}

function notAllowed(facts: RequestFacts): Failure {
  return failure('key_not_allowed', `The key may not ask for "${facts.asked ?? facts.capability ?? 'auto'}"`, {
    param: 'model',
  });
}

function unknownModel(facts: RequestFacts, near: readonly string[]): Failure {
  const name = facts.asked ?? facts.capability;
  const message =
    name === undefined
      ? 'The request names no model, and no default model is configured'
      : `The model "${name}" does not exist`;
  return failure('model_not_found', message, { param: 'model', nearest: near });
}

/** Why nothing can serve, as one failure: the reason that a client can act on comes first. */
function noneLeft(draft: Draft): Failure {
  const excluded = draft.candidates.flatMap(({ verdict }) => (verdict.kind === 'excluded' ? [verdict] : []));
  const own = draft.candidates.filter((one) => one.source === 'group');
  const isAll = (reasons: readonly string[]): boolean =>
    excluded.length > 0 && excluded.every((one) => reasons.includes(one.reason));
  const name = draft.input.facts.asked ?? draft.group?.name ?? 'the request';
  if (isAll(['context']))
    return failure('context_length_exceeded', `The prompt is too long for "${name}": ${excluded[0]?.detail}`, {
      param: 'messages',
    });
  if (isAll(['capability', 'kind', 'tags', 'min_tier', 'condition'])) {
    return failure(
      'unsupported_by_group',
      `No deployment of "${name}" can do this: ${excluded[0]?.detail ?? 'none is declared'}`,
    );
  }
  if (isAll(['disabled', 'draining']))
    return failure('provider_disabled', `Every provider of "${name}" is disabled, and no fallback is declared`);
  const reasons = own.map((one) =>
    one.verdict.kind === 'excluded'
      ? `${deploymentAt(draft.input.plan, one.deployment).provider}: ${one.verdict.detail}`
      : '',
  );
  const retryAfterMs = soonest(draft);
  const detail = reasons.filter((reason) => reason !== '').join('; ');
  return failure(
    'no_deployment_ready',
    `Cannot route to "${name}": ${detail === '' ? 'it has no deployment' : detail}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}

function soonest(draft: Draft): Milliseconds | undefined {
  let until: number | undefined;
  for (const { deployment } of draft.candidates) {
    const health = draft.input.state.health[deployment];
    if (health?.kind === 'cooling') until = Math.min(until ?? health.until, health.until);
  }
  return until === undefined ? undefined : milliseconds(Math.max(0, until - draft.input.now));
}
