import type { Candidate } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Member, ModelGroup, StrategyName } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { type Speeds, unseenSpeeds } from '../plan/residency.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { complexityOf } from './facts.ts';
import { contextOf } from './filter.ts';
import { shareOf } from './health.ts';
import { assumedOutputTokens, busyOf, type Prediction, predict } from './speeds.ts';

/** A member that may serve, with its place in the group's list. */
export type Eligible = { readonly member: Member; readonly place: number; readonly deployment: Deployment };

/** What a strategy may look at. */
export type StrategyInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly group: ModelGroup;
  readonly now: Milliseconds;
  readonly random: () => number;
};

/** What members compare by: the higher a value, the earlier its member. The numbers are for people. */
export type Scores = {
  readonly values: readonly number[];
  readonly numbersAt: (index: number) => Candidate['numbers'];
};

/** Scores members among which only the strategy decides. Equal values keep the declared order. */
type Strategy = (members: readonly Eligible[], input: StrategyInput) => Scores;

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
  soonest,
};

/** Scores members by a group's strategy; one that is not executed yet keeps the declared order. */
export function score(members: readonly Eligible[], input: StrategyInput): Scores {
  return (strategies[input.group.strategy.name] ?? declaredOrder)(members, input);
}

const noNumbers: Candidate['numbers'] = {};

function declaredOrder(members: readonly Eligible[]): Scores {
  return { values: members.map(({ place }) => -place), numbersAt: () => noNumbers };
}

/**
 * A weighted random order without replacement: each draws ln(u) / weight, the largest goes first
 * (Efraimidis and Spirakis). Its first place is the weighted draw of LiteLLM's simple-shuffle.
 */
function weightedRandom(members: readonly Eligible[], input: StrategyInput): Scores {
  const { random } = input;
  const shares = sharesOf(members, input);
  return {
    values: shares.map((share) => (share <= 0 ? Number.NEGATIVE_INFINITY : Math.log(random()) / share)),
    numbersAt: (index) => ({ share: shares[index] ?? 0 }),
  };
}

/** What says how much of its weight a member takes now. */
type ShareInput = Pick<StrategyInput, 'state' | 'now'>;

/** Weight, else rpm, else tpm, else equal, by what any member has; as parts of one, less for those that recover. */
function sharesOf(members: readonly Eligible[], input: ShareInput): readonly number[] {
  for (const read of [declaredWeight, requestLimit, tokenLimit]) {
    if (members.some((one) => (read(one) ?? 0) > 0)) return partsOfOne(members, input, (one) => read(one) ?? 0);
  }
  return partsOfOne(members, input, () => 1);
}

function partsOfOne(
  members: readonly Eligible[],
  { state, now }: ShareInput,
  weightOf: (member: Eligible) => number,
): readonly number[] {
  let sum = 0;
  const weights = members.map((one) => {
    const weight = weightOf(one) * shareOf(state.health[one.deployment.index], now);
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

/** Where each member's rotor would stand after its next step: smooth weighted round-robin, as nginx does it. */
function smoothRoundRobin(members: readonly Eligible[], input: StrategyInput): Scores {
  const rotor = input.state.rotors[input.group.index];
  const steps = rotorSteps(members, input);
  return {
    values: members.map(({ place }, index) => (rotor?.[place] ?? 0) + (steps[index] ?? 0)),
    numbersAt: (index) => ({ share: steps[index] ?? 0, turn: rotor?.[members[index]?.place ?? 0] ?? 0 }),
  };
}

/** Steps of the rotors: declared weights, less for those that recover; equal where none is declared. */
export function rotorSteps(members: readonly Eligible[], input: ShareInput): readonly number[] {
  const isDeclared = members.some((one) => (one.member.weight ?? 0) > 0);
  return partsOfOne(members, input, (one) => (isDeclared ? (one.member.weight ?? 0) : 1));
}

function leastBusy(members: readonly Eligible[], input: StrategyInput): Scores {
  const { state, random } = input;
  const shares = sharesOf(members, input);
  const busy = members.map(({ deployment }) => busyOf(state, deployment) / Math.max(1, deployment.seats ?? 1));
  // A draw this small only separates equals.
  const draw = (share: number): number => (share <= 0 ? -1 : random() ** (1 / share)) * 1e-9;
  return {
    values: busy.map((one, index) => draw(shares[index] ?? 0) - one),
    numbersAt: (index) => ({ busy: busy[index] ?? 0 }),
  };
}

function cheapest(members: readonly Eligible[], { facts }: StrategyInput): Scores {
  const output = facts.maxOutputTokens ?? assumedOutputTokens;
  // A price that nobody has stated is not a low one.
  const costs = members.map(({ deployment: { price } }) =>
    price === undefined
      ? Number.POSITIVE_INFINITY
      : price.inputUsdPerToken * facts.promptTokens + price.outputUsdPerToken * output,
  );
  return {
    values: costs.map((usd) => -usd),
    numbersAt: (index) => (Number.isFinite(costs[index]) ? { usd: costs[index] ?? 0 } : noNumbers),
  };
}

function largestContext(members: readonly Eligible[], { state }: StrategyInput): Scores {
  const contexts = members.map(({ deployment }) => contextOf(state, deployment) ?? 0);
  const busy = members.map(({ deployment }) => state.inFlight[deployment.index] ?? 0);
  return {
    // Contexts are whole numbers, so that work under way only separates equals.
    values: contexts.map((context, index) => context - (busy[index] ?? 0) / ((busy[index] ?? 0) + 1)),
    numbersAt: (index) => ({ context: contexts[index] ?? 0, busy: busy[index] ?? 0 }),
  };
}

/** The smallest predicted time to the last token. A speed that is not known is taken to be the best known among its peers, so that it is tried and then known. */
function soonest(members: readonly Eligible[], input: StrategyInput): Scores {
  const speedsOf = ({ deployment }: Eligible): Speeds =>
    input.state.observations[deployment.index]?.speeds ?? unseenSpeeds;
  const best = members.reduce<Speeds>((least, one) => fasterOf(least, speedsOf(one)), unseenSpeeds);
  const predicted = members.map((one) => predict(input, one.deployment, completed(speedsOf(one), best)));
  return {
    values: predicted.map((one) => -(one.queue + one.load + one.prefill + one.decode)),
    numbersAt: (index) => inSeconds(predicted[index]),
  };
}

function fasterOf(a: Speeds, b: Speeds): Speeds {
  return {
    loadMs: lesser(a.loadMs, b.loadMs),
    answerMs: undefined,
    prefillMsPerToken: lesser(a.prefillMsPerToken, b.prefillMsPerToken),
    decodeMsPerToken: lesser(a.decodeMsPerToken, b.decodeMsPerToken),
  };
}

function lesser(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

function completed(own: Speeds, best: Speeds): Speeds {
  return {
    answerMs: own.answerMs,
    loadMs: own.loadMs ?? best.loadMs,
    prefillMsPerToken: own.prefillMsPerToken ?? best.prefillMsPerToken,
    decodeMsPerToken: own.decodeMsPerToken ?? best.decodeMsPerToken,
  };
}

function inSeconds(prediction: Prediction | undefined): Candidate['numbers'] {
  if (prediction === undefined) return noNumbers;
  const { queue, load, prefill, decode } = prediction;
  return { queue_s: queue / 1000, load_s: load / 1000, prefill_s: prefill / 1000, decode_s: decode / 1000 };
}

function byComplexity(members: readonly Eligible[], input: StrategyInput): Scores {
  const { score: complexity, level } = complexityOf(input.plan, input.state, input.facts, input.group);
  return classFirst(members, input, level, { complexity });
}

function byContext(members: readonly Eligible[], input: StrategyInput): Scores {
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
): Scores {
  const first = group.strategy.classes.get(level);
  return {
    values: members.map(({ place, deployment }) => (deployment.index === first ? 1 : -place)),
    numbersAt: () => numbers,
  };
}
