/**
 * Routing: which deployments answer a request, in which order, and what to do when one fails.
 * Values in, values out: nothing here waits, reads a clock, draws its own random numbers or knows
 * of sockets. `decide` is the only thing in the product that chooses a deployment; live traffic,
 * `route explain` and every later simulation call it. It reads as four steps: resolve the name
 * (resolve.ts), filter (filter.ts), order (order.ts, strategies.ts), and what may follow after a
 * failure (go-on.ts). State changes are data, applied by health.ts and state.ts.
 */
import type { Candidate, Decision, PlannedAttempt, Repeats, Rule, Source } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Failure } from '../plan/failure.ts';
import {
  type DeploymentIndex,
  type GroupIndex,
  type Milliseconds,
  milliseconds,
  type ProviderId,
} from '../plan/ids.ts';
import type { Chain, Member, ModelGroup, Target } from '../plan/model-group.ts';
import { deploymentAt, groupAt, type Plan } from '../plan/plan.ts';
import { questionsOf } from '../plan/plan-questions.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import type { MetadataRule } from '../plan/settings.ts';
import { holds } from './condition.ts';
import { complexityOf, createLookup, tokensOf } from './facts.ts';
import { type Excluded, excludedBy, excludedByHealth, excludedByUse, exclusionOf, takesPrompt } from './filter.ts';
import { fullLimit, limitsOfDeployment, limitsOfRequest } from './limits.ts';
import { type OrderInput, orderGroup, type Ranked } from './order.ts';
import { noneLeft, notAllowed, overBudget, overLimit, unknownModel } from './refusal.ts';
import { byName, isAllowed, type ModelOf, modelNamer, type Resolution, resolve } from './resolve.ts';
import { spentCap } from './spending.ts';

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
  if (resolution.kind === 'unknown') return concluded(draft, unknownModel(facts, resolution.nearest));
  if (!isAllowed(plan, facts, resolution)) return concluded(draft, notAllowed(facts));
  const spent = draft.group && spentCap(state.spending, state.spending.ofGroup.get(draft.group.index), now);
  if (spent !== undefined) return concluded(draft, overBudget(spent));
  const full = fullLimit(state.limits, limitsOfRequest(state.limits, facts, draft.group?.index), tokensOf(facts), now);
  if (full?.limit.kind === 'key') return concluded(draft, overLimit(full));
  draft.passedOver = full === undefined ? undefined : excludedBy(full);
  switch (resolution.kind) {
    case 'unlisted':
      return { ...concluded(draft, undefined), needsListing: resolution.provider };
    case 'chain':
      addChain(draft, resolution.chain, 'default_fallback');
      break;
    case 'target':
      addTarget(draft, resolution.target, 'group');
      if (!isHeld(draft)) addFallbacks(draft, resolution.fallback, undefined);
      break;
    case 'group':
      addGroup(draft, resolution.group, 'group');
      if (!isHeld(draft)) addFallbacks(draft, resolution.group.fallback, resolution.group);
      break;
  }
  if (draft.attempts.length === 0) addDesperate(draft);
  return concluded(draft, draft.attempts.length === 0 ? noneLeft({ ...draft.input, ...draft }) : undefined);
}

/** Whether the limit of a name keeps out what was asked for: then nobody else answers, unless it is declared. */
function isHeld({ input: { plan, state }, attempts, candidates, passedOver }: Draft): boolean {
  if (attempts.length > 0 || plan.settings.routing.rateLimitedFallback) return false;
  if (passedOver !== undefined) return true;
  return candidates.some(
    ({ deployment, verdict }) =>
      verdict.kind === 'excluded' &&
      verdict.reason === 'limit' &&
      limitsOfDeployment(state.limits, deployment).some((index) => state.limits.limits[index]?.kind === 'name'),
  );
}

/** A decision in the making: attempts are only ever added, and so are candidates; the last resort may change a verdict. */
type Draft = {
  readonly input: OrderInput;
  readonly rule: Rule;
  readonly group: ModelGroup | undefined;
  readonly modelOf: ModelOf;
  readonly attempts: PlannedAttempt[];
  readonly candidates: Candidate[];
  readonly notes: string[];
  readonly visited: Set<GroupIndex>;
  /** 1 for each deployment that stands among the attempts; it has one place there, its first. */
  readonly planned: Uint8Array;
  rotation: Decision['rotation'];
  needsResidency: Decision['needsResidency'];
  /** Why everything is passed over that was asked for by a name whose limit is full. */
  passedOver: Excluded | undefined;
};

function createDraft(input: OrderInput, resolution: Resolution): Draft {
  const group = resolution.kind === 'group' ? resolution.group : undefined;
  const rules = matchingRules(input, group);
  return {
    // What a rule by metadata prefers stands at the front of every group.
    input: rules.length === 0 ? input : { ...input, preferred: rules.flatMap((one) => one.providers) },
    rule: resolution.rule,
    group,
    modelOf: modelNamer(input.plan, input.facts.asked, resolution.rule),
    attempts: [],
    candidates: [],
    notes: [
      ...resolution.notes,
      ...rules.map(({ name, providers }) => `"${name}" holds: ${providers.join(', ')} first`),
    ],
    visited: new Set(),
    planned: new Uint8Array(input.plan.deployments.length),
    rotation: undefined,
    needsResidency: [],
    passedOver: undefined,
  };
}

function matchingRules({ plan, state, facts }: OrderInput, group: ModelGroup | undefined): readonly MetadataRule[] {
  const { metadata } = plan.settings.routing;
  if (metadata.length === 0) return metadata;
  const lookup = createLookup(plan, state, facts, group);
  return metadata.filter(({ condition }) => holds(condition, lookup));
}

function addGroup(draft: Draft, group: ModelGroup, source: Source, repeats?: Repeats): void {
  if (draft.visited.has(group.index)) return;
  draft.visited.add(group.index);
  const { serving, further, excluded, rotation } = orderGroup(draft.input, group);
  if (source === 'group') {
    draft.rotation = rotation;
    draft.needsResidency = staleResidency(draft.input, serving);
    notePreference(draft, serving);
  }
  if (further > 0) draft.notes.push(`${further} more members of "${group.name}" could serve and stand behind these`);
  for (const { deployment, member, numbers } of serving)
    addUnlessPassedOver(draft, { deployment, member, numbers, source, group, repeats });
  for (const { deployment, member, why } of excluded)
    addExcluded(draft, { deployment, member, numbers: noNumbers, source, group, repeats }, why);
}

/** A reading of what is in memory that is younger is as good as a new one. */
const freshMs = 2000;

/** Providers whose models may have come into memory or left it since they were last seen, where that decides. */
function staleResidency({ plan, state, now }: OrderInput, serving: readonly Ranked[]): readonly ProviderId[] {
  if (!plan.settings.routing.preferWarm.enabled || serving.length < 2) return [];
  const stale = serving.filter(({ deployment }) => {
    const residency = state.observations[deployment.index]?.residency;
    return residency !== undefined && now - residency.at > freshMs;
  });
  return [...new Set(stale.map(({ deployment }) => deployment.provider))];
}

/** A rule that finds none of its providers changes nothing, which the record says. */
function notePreference({ input, notes }: Draft, serving: readonly Ranked[]): void {
  const { preferred } = input;
  if (preferred === undefined || serving.some(({ deployment }) => preferred.includes(deployment.provider))) return;
  notes.push('what the request’s metadata prefers cannot serve here');
}

function addTarget(draft: Draft, target: Target, source: Source, repeats?: Repeats): void {
  if (target.kind === 'group') return addGroup(draft, groupAt(draft.input.plan, target.group), source, repeats);
  const deployment = deploymentAt(draft.input.plan, target.deployment);
  const looked: Looked = { deployment, member: undefined, numbers: noNumbers, source, group: undefined, repeats };
  const why = exclusionOf(draft.input, deployment);
  if (why === undefined) addUnlessPassedOver(draft, looked);
  else addExcluded(draft, looked, why);
}

function addUnlessPassedOver(draft: Draft, looked: Looked): void {
  if (draft.passedOver !== undefined && looked.source === 'group') addExcluded(draft, looked, draft.passedOver);
  else addAttempt(draft, looked);
}

const noNumbers: Candidate['numbers'] = {};

/** A deployment that was looked at, by the part of the configuration that led to it. */
type Looked = {
  readonly deployment: Deployment;
  readonly member: Member | undefined;
  readonly numbers: Candidate['numbers'];
  readonly source: Source;
  readonly group: ModelGroup | undefined;
  readonly repeats: Repeats | undefined;
};

function addAttempt(draft: Draft, looked: Looked): void {
  const { attempts, planned } = draft;
  const { index } = looked.deployment;
  if (planned[index] === 1) return addExcluded(draft, looked, alreadyPlanned);
  planned[index] = 1;
  const position = attempts.length;
  const model = draft.modelOf(looked.deployment);
  draft.candidates.push(candidateOf(looked, model, { kind: position === 0 ? 'chosen' : 'standby', position }));
  attempts.push({
    deployment: index,
    model,
    source: looked.source,
    group: looked.group?.index,
    repeats: looked.repeats,
  });
}

const alreadyPlanned: Excluded = { reason: 'visited', detail: 'it has its place already' };

function addExcluded(draft: Draft, looked: Looked, { reason, detail, numbers = looked.numbers }: Excluded): void {
  const verdict = { kind: 'excluded', reason, detail } as const;
  draft.candidates.push(candidateOf({ ...looked, numbers }, draft.modelOf(looked.deployment), verdict));
}

function candidateOf(looked: Looked, model: string, verdict: Candidate['verdict']): Candidate {
  const { deployment, member, numbers, source, group } = looked;
  return {
    deployment: deployment.index,
    model,
    source,
    group: group?.index,
    order: member?.order ?? 1,
    weight: member?.weight,
    verdict,
    numbers,
  };
}

/** What may answer once the asked cannot: what stands behind it, its chain, peers of its capability, the defaults. */
function addFallbacks(draft: Draft, own: readonly Target[], group: ModelGroup | undefined): void {
  const { plan, facts } = draft.input;
  if (facts.disableFallbacks) {
    draft.notes.push('fallbacks are turned off by the request');
    return;
  }
  const isTooLong = draft.attempts.length === 0 && draft.candidates.some(isExcludedByContext);
  if (isTooLong) for (const target of group?.contextFallbacks ?? []) addTarget(draft, target, 'context_fallback');
  for (const name of facts.fallbacks) addNamed(draft, name);
  for (const target of own) addTarget(draft, target, 'fallback');
  if (group?.chain !== undefined) addChain(draft, group.chain, 'chain');
  if (group?.kind === 'capability') addPeers(draft, group);
  const { defaultFallbacks, defaultChain } = plan.settings.routing;
  for (const target of defaultFallbacks) addTarget(draft, target, 'default_fallback');
  if (defaultChain !== undefined) addChain(draft, defaultChain, 'default_fallback');
}

function isExcludedByContext({ verdict }: Candidate): boolean {
  return verdict.kind === 'excluded' && verdict.reason === 'context';
}

/** A fallback that the request itself names, with the rights of its key. */
function addNamed(draft: Draft, name: string): void {
  const { plan, facts } = draft.input;
  const meaning = byName(plan, name);
  if (meaning === undefined) draft.notes.push(`the request's fallback "${name}" is not known`);
  else if (!isAllowed(plan, { ...facts, asked: name }, meaning))
    draft.notes.push(`the key may not ask for the request's fallback "${name}"`);
  else if (meaning.kind === 'group') addGroup(draft, meaning.group, 'request_fallback');
  else addTarget(draft, meaning.target, 'request_fallback');
}

function addChain(draft: Draft, chain: Chain, source: Source): void {
  const { plan, state, facts } = draft.input;
  const repeats = repeatsOf(chain);
  for (const { target, condition } of chain.items) {
    if (condition === undefined || holds(condition, createLookup(plan, state, facts, draft.group)))
      addTarget(draft, target, source, repeats);
    else draft.notes.push(`a chain item is left out: ${condition.source} does not hold`);
  }
}

/** A breaker is never knocked at twice; the other strategies repeat as often as they say. */
function repeatsOf({ strategy, retryAttempts, retryDelayMs }: Chain): Repeats | undefined {
  if (strategy === 'circuit_breaker' || retryAttempts === undefined) return undefined;
  const isPatient = strategy === 'retry_with_backoff';
  return {
    times: retryAttempts,
    waitMs: retryDelayMs ?? milliseconds(isPatient ? firstWaitMs : 0),
    doubling: isPatient,
  };
}

const firstWaitMs = 500;

/** Groups whose exact entry declares the capability that was asked for. */
function addPeers(draft: Draft, { index, capability }: ModelGroup): void {
  if (capability === undefined) return;
  for (const peer of draft.input.plan.groups) {
    const standsIn = peer.capability === capability || peer.standsInFor.includes(capability);
    if (standsIn && peer.index !== index) addGroup(draft, peer, 'capability_peer');
  }
}

/**
 * The last resort: what has room for the prompt, though not for all of the answer that was allowed,
 * and then what is only cooling, the soonest to recover first. A full limit is no guess, so it holds here too.
 */
function addDesperate(draft: Draft): void {
  const { candidates, planned } = draft;
  const resorts = candidates.flatMap((candidate, place) => {
    const end = desperateFrom(draft, candidate);
    if (end === undefined) return [];
    const held = heldBack(draft, candidate);
    if (held === undefined) return [{ ...candidate, end }];
    const { reason, detail, numbers = candidate.numbers } = held;
    candidates[place] = { ...candidate, numbers, verdict: { kind: 'excluded', reason, detail } };
    return [];
  });
  resorts.sort((a, b) => a.end - b.end);
  for (const { deployment, model, group } of resorts) {
    if (planned[deployment] === 1) continue;
    planned[deployment] = 1;
    draft.attempts.push({ deployment, model, source: 'desperate', group, repeats: undefined });
  }
  if (resorts.some(({ end }) => end === atOnce))
    draft.notes.push('no context has room for all of the asked output, so the answer may be shorter');
  if (resorts.some(({ end }) => end !== atOnce))
    draft.notes.push('nothing is ready, so deployments that are cooling are tried');
}

const atOnce = Number.NEGATIVE_INFINITY;

/** When a deployment that was passed over could serve after all, if nothing else can. */
function desperateFrom({ input }: Draft, { deployment: index, verdict }: Candidate): number | undefined {
  if (verdict.kind !== 'excluded') return undefined;
  const deployment = deploymentAt(input.plan, index);
  if (verdict.reason === 'context')
    return takesPrompt(input, deployment) && excludedByHealth(input, deployment) === undefined ? atOnce : undefined;
  const isSetAside = verdict.reason === 'cooling' || verdict.reason === 'half_open_busy';
  return isSetAside ? endOfCooling(input.state, index) : undefined;
}

/** The limit or budget that keeps a deployment from being a last resort. */
function heldBack({ input, passedOver }: Draft, { deployment, source }: Candidate): Excluded | undefined {
  return (source === 'group' ? passedOver : undefined) ?? excludedByUse(input, deploymentAt(input.plan, deployment));
}

/** When a deployment recovers that is set aside by a guess of ours; a server that asked for quiet gets it. */
function endOfCooling(state: RoutingState, deployment: DeploymentIndex): Milliseconds | undefined {
  const health = state.health[deployment];
  if (health?.kind === 'half_open') return health.since;
  return health?.kind === 'cooling' && health.why !== 'rate_limited' ? health.until : undefined;
}

function concluded(draft: Draft, refusal: Failure | undefined): Decision {
  const { input, rule, group, attempts, candidates, notes, rotation, needsResidency } = draft;
  return {
    asked: input.facts.asked,
    rule,
    group: group?.index,
    attempts,
    refusal,
    candidates,
    notes,
    promptTokens: input.facts.promptTokens,
    complexity: questionsOf(input.plan).complexity
      ? complexityOf(input.plan, input.state, input.facts, group)
      : undefined,
    rotation,
    needsListing: undefined,
    needsResidency,
  };
}
