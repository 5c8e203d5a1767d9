import type { Candidate } from '../plan/decision.ts';
import type { StrategyName } from '../plan/model-group.ts';
import { estimatedUsd } from './cost.ts';
import { complexityOf } from './facts.ts';
import { contextOf } from './filter.ts';
import {
  adaptiveWeighted,
  fastestFirstToken,
  fewestTokens,
  lowestLatency,
  soonest,
  usageScore,
} from './measured-strategies.ts';
import {
  drawnBy,
  type Eligible,
  noNumbers,
  rotorSteps,
  type Scores,
  type StrategyInput,
  sharesOf,
  tie,
} from './shares.ts';
import { busyOf } from './speeds.ts';

/** Scores members among which only the strategy decides. Equal values keep the declared order. */
type Strategy = (members: readonly Eligible[], input: StrategyInput) => Scores;

const strategies: Readonly<Record<StrategyName, Strategy>> = {
  direct: declaredOrder,
  simple_shuffle: weightedRandom,
  weighted_round_robin: smoothRoundRobin,
  least_busy: leastBusy,
  usage_based: fewestTokens,
  usage_score: usageScore,
  latency_based: lowestLatency,
  fastest_response: fastestFirstToken,
  adaptive_weighted: adaptiveWeighted,
  cost_based: cheapest,
  most_capacity: largestContext,
  complexity_based: byComplexity,
  context_based: byContext,
  quality_based: weightedRandom,
  soonest,
};

/** Scores members by a group's strategy. */
export function score(members: readonly Eligible[], input: StrategyInput): Scores {
  return strategies[input.group.strategy.name](members, input);
}

function declaredOrder(members: readonly Eligible[]): Scores {
  return { values: members.map(({ place }) => -place), numbersAt: () => noNumbers };
}

/**
 * A weighted random order without replacement. Its first place is the weighted draw of LiteLLM's
 * simple-shuffle.
 */
function weightedRandom(members: readonly Eligible[], input: StrategyInput): Scores {
  const shares = sharesOf(members, input);
  return {
    values: shares.map((share) => drawnBy(share, input.random)),
    numbersAt: (index) => ({ share: shares[index] ?? 0 }),
  };
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

function leastBusy(members: readonly Eligible[], input: StrategyInput): Scores {
  const { state, random } = input;
  const shares = sharesOf(members, input);
  const busy = members.map(({ deployment }) => busyOf(state, deployment) / Math.max(1, deployment.seats ?? 1));
  const draw = (share: number): number => (share <= 0 ? -1 : random() ** (1 / share)) * tie;
  return {
    values: busy.map((one, index) => draw(shares[index] ?? 0) - one),
    numbersAt: (index) => ({ busy: busy[index] ?? 0 }),
  };
}

function cheapest(members: readonly Eligible[], { facts }: StrategyInput): Scores {
  // A price that nobody has stated is not a low one.
  const costs = members.map(({ deployment }) => estimatedUsd(deployment, facts) ?? Number.POSITIVE_INFINITY);
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
