import type { Candidate } from '../plan/decision.ts';
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

/** A member's score: the higher, the earlier. The numbers are what was compared, for people. */
export type Score = { readonly value: number; readonly numbers: Candidate['numbers'] };

/** Scores members among which only the strategy decides. Equal scores keep the declared order. */
type Strategy = (members: readonly Eligible[], input: StrategyInput) => readonly Score[];

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
export function score(members: readonly Eligible[], input: StrategyInput): readonly Score[] {
  return (strategies[input.group.strategy.name] ?? declaredOrder)(members, input);
}

const noNumbers: Candidate['numbers'] = {};

function declaredOrder(members: readonly Eligible[]): readonly Score[] {
  return members.map(({ place }) => ({ value: -place, numbers: noNumbers }));
}

/**
 * A weighted random order without replacement: each draws u^(1/weight), the largest goes first
 * (Efraimidis and Spirakis). Its first place is the weighted draw of LiteLLM's simple-shuffle.
 */
function weightedRandom(members: readonly Eligible[], { state, random }: StrategyInput): readonly Score[] {
  const shares = sharesOf(members, state);
  return shares.map((share) => ({ value: drawn(share, random), numbers: { share } }));
}

function drawn(share: number, random: () => number): number {
  return share <= 0 ? -1 : random() ** (1 / share);
}

/** Weight, else rpm, else tpm, else equal, by what any member has; as parts of one, halved for the degraded. */
function sharesOf(members: readonly Eligible[], state: RoutingState): readonly number[] {
  for (const read of [declaredWeight, requestLimit, tokenLimit]) {
    if (members.some((one) => (read(one) ?? 0) > 0)) return partsOfOne(members, state, (one) => read(one) ?? 0);
  }
  return partsOfOne(members, state, () => 1);
}

function partsOfOne(
  members: readonly Eligible[],
  state: RoutingState,
  weightOf: (member: Eligible) => number,
): readonly number[] {
  let sum = 0;
  const weights = members.map((one) => {
    const weight = isDegraded(one, state) ? weightOf(one) / 2 : weightOf(one);
    sum += weight;
    return weight;
  });
  return weights.map((weight) => weight / sum);
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

function isDegraded({ deployment }: Eligible, state: RoutingState): boolean {
  return state.health[deployment.index]?.kind === 'degraded';
}

/** Where each member's rotor would stand after its next step: smooth weighted round-robin, as nginx does it. */
function smoothRoundRobin(members: readonly Eligible[], { state, group }: StrategyInput): readonly Score[] {
  const rotor = state.rotors[group.index];
  return rotorSteps(members, state).map((share, index) => ({
    value: (rotor?.[members[index]?.place ?? 0] ?? 0) + share,
    numbers: { share },
  }));
}

/** Steps of the rotors: declared weights, halved for the degraded; equal where none is declared. */
export function rotorSteps(members: readonly Eligible[], state: RoutingState): readonly number[] {
  const isDeclared = members.some((one) => (one.member.weight ?? 0) > 0);
  return partsOfOne(members, state, (one) => (isDeclared ? (one.member.weight ?? 0) : 1));
}

/** A draw this small only separates equals. */
const tieBreak = 1e-9;

function leastBusy(members: readonly Eligible[], { state, random }: StrategyInput): readonly Score[] {
  const shares = sharesOf(members, state);
  return members.map(({ deployment }, index) => {
    const busy = (state.inFlight[deployment.index] ?? 0) / Math.max(1, deployment.seats ?? 1);
    return { value: -busy + drawn(shares[index] ?? 0, random) * tieBreak, numbers: { busy } };
  });
}

function cheapest(members: readonly Eligible[], { facts }: StrategyInput): readonly Score[] {
  const output = facts.maxOutputTokens ?? assumedOutputTokens;
  return members.map(({ deployment: { price } }) => {
    // A price that nobody has stated is not a low one.
    if (price === undefined) return { value: Number.NEGATIVE_INFINITY, numbers: noNumbers };
    const usd = price.inputUsdPerToken * facts.promptTokens + price.outputUsdPerToken * output;
    return { value: -usd, numbers: { usd } };
  });
}

/** Output that is reckoned with where a request sets no limit. */
const assumedOutputTokens = 256;

function largestContext(members: readonly Eligible[], { state }: StrategyInput): readonly Score[] {
  return members.map(({ deployment }) => {
    const context = state.observations[deployment.index]?.effectiveContext ?? deployment.contextTokens ?? 0;
    const busy = state.inFlight[deployment.index] ?? 0;
    // Contexts are whole numbers, so that a busy peer only stands behind equals.
    return { value: context - busy / (busy + 1), numbers: { context, busy } };
  });
}

function byComplexity(members: readonly Eligible[], input: StrategyInput): readonly Score[] {
  const { score: complexity, level } = complexityOf(input.plan, input.state, input.facts, input.group);
  return classFirst(members, input, level, { complexity });
}

function byContext(members: readonly Eligible[], input: StrategyInput): readonly Score[] {
  const large = input.group.strategy.largeContextTokens ?? defaultLargeContext;
  const tokens = input.facts.promptTokens;
  const isComplex = input.facts.isMultiStep && input.group.strategy.classes.has('complex');
  const level = tokens > large ? 'large' : isComplex ? 'complex' : 'standard';
  return classFirst(members, input, level, { tokens });
}

const defaultLargeContext = 4096;

/** The deployment named for a class goes first, the others follow in their order. */
function classFirst(
  members: readonly Eligible[],
  { group }: StrategyInput,
  level: string,
  numbers: Candidate['numbers'],
): readonly Score[] {
  const first = group.strategy.classes.get(level);
  return members.map(({ place, deployment }) => ({ value: deployment.index === first ? 1 : -place, numbers }));
}
