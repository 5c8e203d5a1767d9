import type { Deployment } from '../plan/deployment.ts';
import type { Member, ModelGroup, StrategyName } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { complexityOf } from './facts.ts';

/** A member that may serve, with its place in the group's list. */
export type Eligible = { readonly member: Member; readonly place: number; readonly deployment: Deployment };

/** What a strategy may look at. */
export type StrategyInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly group: ModelGroup;
  readonly random: () => number;
};

/** A score for each eligible member: the higher, the earlier. Equal scores keep the declared order. */
type Strategy = (eligible: readonly Eligible[], input: StrategyInput) => readonly number[];

const strategies: { readonly [Name in StrategyName]?: Strategy } = {
  direct: declaredOrder,
  simple_shuffle: weightedRandom,
  weighted_round_robin: smoothRoundRobin,
  least_busy: leastBusy,
  cost_based: cheapest,
  most_capacity: largestContext,
  complexity_based: byComplexity,
  context_based: byContext,
  quality_based: weightedRandom,
};

/** Scores members by a group's strategy; one that is not executed yet keeps the declared order. */
export function score(eligible: readonly Eligible[], input: StrategyInput): readonly number[] {
  return (strategies[input.group.strategy.name] ?? declaredOrder)(eligible, input);
}

function declaredOrder(eligible: readonly Eligible[]): readonly number[] {
  return eligible.map(({ place }) => -place);
}

/**
 * A weighted random order without replacement: each draws u^(1/weight), the largest goes first
 * (Efraimidis and Spirakis). Its first place is the weighted draw of LiteLLM's simple-shuffle.
 */
function weightedRandom(eligible: readonly Eligible[], { random }: StrategyInput): readonly number[] {
  return weights(eligible).map((weight) => (weight <= 0 ? -1 : random() ** (1 / weight)));
}

/** Weight, else rpm, else tpm, else equal, by what any member has; a set without a positive weight is equal. */
export function weights(eligible: readonly Eligible[]): readonly number[] {
  for (const read of [declaredWeight, requestLimit, tokenLimit]) {
    const found = eligible.map(read);
    if (found.some((weight) => weight !== undefined && weight > 0)) return found.map((weight) => weight ?? 0);
  }
  return eligible.map(() => 1);
}

function declaredWeight({ member }: Eligible): number | undefined {
  return member.weight;
}

function requestLimit({ deployment }: Eligible): number | undefined {
  return deployment.limit.requestsPerMinute;
}

function tokenLimit({ deployment }: Eligible): number | undefined {
  return deployment.limit.tokensPerMinute;
}

/** Where each member's rotor would stand after its next step: smooth weighted round-robin, as nginx does it. */
function smoothRoundRobin(eligible: readonly Eligible[], { state, group }: StrategyInput): readonly number[] {
  const rotor = state.rotors[group.index];
  const steps = rotorWeights(eligible, state);
  return eligible.map(({ place }, index) => (rotor?.[place] ?? 0) + (steps[index] ?? 0));
}

/** Steps of the rotors: declared weights, halved for the degraded; 1 where none is declared. */
export function rotorWeights(eligible: readonly Eligible[], state: RoutingState): readonly number[] {
  const declared = eligible.some(({ member }) => member.weight !== undefined && member.weight > 0);
  return eligible.map(({ member, deployment }) => {
    const weight = declared ? (member.weight ?? 0) : 1;
    return state.health[deployment.index]?.kind === 'degraded' ? weight / 2 : weight;
  });
}

function leastBusy(eligible: readonly Eligible[], { state }: StrategyInput): readonly number[] {
  return eligible.map(({ member, deployment }) => {
    const busy = (state.inFlight[deployment.index] ?? 0) / Math.max(1, deployment.seats ?? 1);
    // The weight only separates equals.
    return -busy + (member.weight ?? 0) * 1e-6;
  });
}

function cheapest(eligible: readonly Eligible[], { facts }: StrategyInput): readonly number[] {
  return eligible.map(({ deployment }) => {
    if (deployment.price === undefined) return Number.NEGATIVE_INFINITY;
    const output = facts.maxOutputTokens ?? assumedOutputTokens;
    return -(deployment.price.inputUsdPerToken * facts.promptTokens + deployment.price.outputUsdPerToken * output);
  });
}

/** Output that is reckoned with where a request sets no limit. */
const assumedOutputTokens = 256;

function largestContext(eligible: readonly Eligible[], { state }: StrategyInput): readonly number[] {
  return eligible.map(({ deployment }) => {
    const context = state.observations[deployment.index]?.effectiveContext ?? deployment.contextTokens ?? 0;
    return context - (state.inFlight[deployment.index] ?? 0) * 1e-3;
  });
}

function byComplexity(eligible: readonly Eligible[], input: StrategyInput): readonly number[] {
  return classFirst(eligible, input, complexityOf(input.plan, input.state, input.facts).level);
}

function byContext(eligible: readonly Eligible[], input: StrategyInput): readonly number[] {
  const large = input.group.strategy.largeContextTokens ?? defaultLargeContext;
  return classFirst(eligible, input, input.facts.promptTokens > large ? 'large' : 'standard');
}

const defaultLargeContext = 4096;

/** The deployment named for a class goes first, the others follow in their order. */
function classFirst(eligible: readonly Eligible[], { group }: StrategyInput, level: string): readonly number[] {
  const first = group.strategy.classes.get(level);
  return eligible.map(({ place, deployment }) => (deployment.index === first ? 1 : -place));
}
