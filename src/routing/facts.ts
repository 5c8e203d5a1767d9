import { batchHeader, type Variable } from '../plan/condition.ts';
import type { Complexity } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import { type Milliseconds, type Tokens, tokens } from '../plan/ids.ts';
import { type ModelGroup, usualSaturation } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { sizeInName } from '../plan/size-in-name.ts';
import { type ConditionValue, type Lookup, truth } from './condition.ts';
import { standingOf } from './health.ts';
import { seatsKnown } from './seats.ts';
import { assumedOutputTokens } from './speeds.ts';

/** Scores a request: how long, beside how many others, with code, streamed; or by its length alone, where the group says so. */
export function complexityOf(
  plan: Plan,
  state: RoutingState,
  facts: RequestFacts,
  group: ModelGroup | undefined,
): Complexity {
  const terms =
    group?.strategy.complexityBy === 'tokens'
      ? { tokens: facts.promptTokens, concurrent: 0, code: 0, stream: 0 }
      : {
          tokens: facts.promptTokens * 0.4,
          concurrent: requestsInFlight(state) * 0.3,
          code: facts.hasCodeFence || isForCode(group) ? 10 : 0,
          stream: facts.stream ? -5 : 0,
        };
  const score = terms.tokens + terms.concurrent + terms.code + terms.stream;
  const { medium, high } = plan.settings.routing.complexity;
  return { score, level: score < medium ? 'low' : score < high ? 'medium' : 'high', terms };
}

function isForCode(group: ModelGroup | undefined): boolean {
  return group?.capability !== undefined && /^cod(e|ing)\b/i.test(group.capability.replaceAll('_', '-'));
}

/** Larger of prompt and asked output. */
function lengthOf(facts: RequestFacts): Tokens {
  return tokens(Math.max(facts.promptTokens, facts.maxOutputTokens ?? 0));
}

/** Tokens that a request is reckoned to use: its prompt and the output that it asks for. */
export function tokensOf({ endpoint, promptTokens, maxOutputTokens }: RequestFacts): Tokens {
  return tokens(promptTokens + (endpoint === 'embeddings' ? 0 : (maxOutputTokens ?? assumedOutputTokens)));
}

/** What conditions are looked up in. */
export type LookupInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly now: Milliseconds;
};

/** Looks up what conditions ask about a request for a group. */
export function createLookup(input: LookupInput, group: ModelGroup | undefined): Lookup {
  return (variable) => {
    switch (variable.kind) {
      case 'header':
        return input.facts.headers.get(variable.name);
      case 'provider_unavailable':
        return isProviderUnavailable(input, variable.provider);
      case 'fact':
        return factValue(variable.name, input, group);
    }
  };
}

type FactName = Extract<Variable, { kind: 'fact' }>['name'];

function factValue(name: FactName, { plan, state, facts }: LookupInput, group: ModelGroup | undefined): ConditionValue {
  switch (name) {
    case 'stream':
      return facts.stream;
    case 'tokens':
      return facts.promptTokens;
    case 'length':
      return lengthOf(facts);
    case 'batch_size':
      return facts.batchSize;
    case 'batch_mode':
      return facts.batchSize > 1 || truth(facts.headers.get(batchHeader));
    case 'request_count':
      return group === undefined ? 0 : (state.groupInFlight[group.index] ?? 0);
    case 'concurrent_requests':
      return requestsInFlight(state);
    case 'complexity':
      return complexityOf(plan, state, facts, group).level;
    case 'quality':
    case 'quality_tier':
      return facts.qualityTier;
    case 'model_size':
      return sizeOf(plan, facts, group);
    case 'local_saturated':
      return isLocalSaturated(plan, state, group);
    case 'always':
      return true;
  }
}

function requestsInFlight(state: RoutingState): number {
  const { inFlight } = state;
  let sum = 0;
  for (let index = 0; index < inFlight.length; index++) sum += inFlight[index] ?? 0;
  return sum;
}

function sizeOf(plan: Plan, facts: RequestFacts, group: ModelGroup | undefined): number | undefined {
  const first = group?.members[0];
  const declared = first === undefined ? undefined : plan.deployments[first.deployment]?.sizeBillions;
  return declared ?? (facts.asked === undefined ? undefined : sizeInName(facts.asked));
}

/** While one request tests a deployment it serves nobody else, so it stays unavailable to those who ask. */
function isProviderUnavailable({ plan, state, now }: LookupInput, name: string): boolean {
  const own = plan.deployments.filter((one) => isAt(plan, one, name));
  return own.every((one) => standingOf(state.health[one.index], now) !== 'serves');
}

/** Whether a deployment is meant by the name of a provider, or of a group of providers. */
export function isAt({ providers }: Plan, { provider }: Deployment, name: string): boolean {
  return provider === name || providers.get(provider)?.groups.includes(name) === true;
}

/** Whether every local deployment with known seats is as busy as the group's threshold says. */
export function isLocalSaturated(plan: Plan, state: RoutingState, group: ModelGroup | undefined): boolean {
  const threshold = group?.strategy.saturationThreshold ?? usualSaturation;
  let known = 0;
  for (const one of localsOf(plan)) {
    const seats = seatsKnown(state, one);
    if (seats === undefined) continue;
    if (seats.busy / seats.most < threshold) return false;
    known++;
  }
  return known > 0;
}

/** A plan never changes, so its local deployments are sought once. */
const locals = new WeakMap<Plan, readonly Deployment[]>();

function localsOf(plan: Plan): readonly Deployment[] {
  const before = locals.get(plan);
  if (before !== undefined) return before;
  const found = plan.deployments.filter((one) => plan.providers.get(one.provider)?.tier === 'local');
  locals.set(plan, found);
  return found;
}
