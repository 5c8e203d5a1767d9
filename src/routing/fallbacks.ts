import type { Candidate, Repeats, Source } from '../plan/decision.ts';
import { milliseconds } from '../plan/ids.ts';
import type { Chain, ModelGroup, Target } from '../plan/model-group.ts';
import { deploymentAt } from '../plan/plan.ts';
import { holds, type Lookup } from './condition.ts';
import { addGroup, addTarget, type Draft } from './draft.ts';
import { createLookup, isAt, isLocalSaturated } from './facts.ts';
import { standingOf } from './health.ts';
import { byName, isAllowed } from './resolve.ts';

/** What may answer once the asked cannot: what stands behind it, its chain, peers of its capability, the defaults. */
export function addFallbacks(draft: Draft, own: readonly Target[], group: ModelGroup | undefined): void {
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
  const { defaultModel, defaultFallbacks, defaultChain } = plan.settings.routing;
  if (draft.rule.kind === 'default_model' && defaultModel !== undefined)
    for (const target of defaultModel.standIns) addTarget(draft, target, 'default_fallback');
  for (const target of defaultFallbacks) addTarget(draft, target, 'default_fallback');
  if (defaultChain !== undefined) addChain(draft, defaultChain, 'default_fallback');
}

/** What takes what is too much goes before the members while these are saturated; a full limit of the name is kept. */
export function addOverflow(draft: Draft, group: ModelGroup): void {
  const { plan, state, facts } = draft.input;
  if (group.overflow.length === 0 || facts.disableFallbacks || draft.passedOver !== undefined) return;
  if (!isLocalSaturated(plan, state, group)) return;
  draft.notes.push(`"${group.name}" overflows, since what is at home is saturated`);
  for (const target of group.overflow) addTarget(draft, target, 'fallback');
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

/** Groups whose exact entry declares the capability that was asked for. */
function addPeers(draft: Draft, { index, capability }: ModelGroup): void {
  if (capability === undefined) return;
  for (const peer of draft.input.plan.groups) {
    const standsIn = peer.capability === capability || peer.standsInFor.includes(capability);
    if (standsIn && peer.index !== index) addGroup(draft, peer, 'capability_peer');
  }
}

/** Adds the items of a chain whose condition holds. */
export function addChain(draft: Draft, chain: Chain, source: Source): void {
  const repeats = repeatsOf(chain);
  const lookup = lookupBehind(draft);
  for (const { target, condition } of chain.items) {
    if (condition === undefined || holds(condition, lookup)) addTarget(draft, target, source, repeats);
    else draft.notes.push(`a chain item is left out: ${condition.source} does not hold`);
  }
}

/**
 * Whoever comes to an item has asked all that stands before it in vain: a provider of which anything does, or
 * is passed over for its state, is unavailable then, though other models of it may serve.
 */
function lookupBehind(draft: Draft): Lookup {
  const { plan, state, now } = draft.input;
  const lookup = createLookup(draft.input, draft.group);
  const isBehind = (provider: string): boolean =>
    draft.candidates.some(
      ({ deployment, verdict }) =>
        isAt(plan, deploymentAt(plan, deployment), provider) &&
        (verdict.kind !== 'excluded' || standingOf(state.health[deployment], now) !== 'serves'),
    );
  return (variable) =>
    variable.kind === 'provider_unavailable' && isBehind(variable.provider) ? true : lookup(variable);
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
