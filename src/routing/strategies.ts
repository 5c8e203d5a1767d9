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
import type { Placed } from './members.ts';
import { ownSeats } from './seats.ts';
import { drawnBy, each, noNumbers, rotorSteps, type Scores, type StrategyInput, sharesOf, tie } from './shares.ts';
import { busyOf } from './speeds.ts';

/** Scores members among which only the strategy decides. Equal values keep the declared order. */
type Strategy = (members: readonly Placed[], input: StrategyInput) => Scores;

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
export function score(members: readonly Placed[], input: StrategyInput): Scores {
  return strategies[input.group.strategy.name](members, input);
}

function declaredOrder(members: readonly Placed[]): Scores {
  return { values: each(members, ({ place }) => -place), numbersAt: () => noNumbers };
}

/**
 * A weighted random order without replacement. Its first place is the weighted draw of LiteLLM's
 * simple-shuffle.
 */
function weightedRandom(members: readonly Placed[], input: StrategyInput): Scores {
  const shares = sharesOf(members, input);
  return {
    values: drawnBy(shares, input.random),
    numbersAt: (index) => ({ share: shares[index] ?? 0 }),
  };
}

/** Where each member's rotor would stand after its next step: smooth weighted round-robin, as nginx does it. */
function smoothRoundRobin(members: readonly Placed[], input: StrategyInput): Scores {
  const rotor = input.state.rotors[input.group.index];
  const steps = rotorSteps(members, input);
  return {
    values: each(members, ({ place }, index) => (rotor?.[place] ?? 0) + (steps[index] ?? 0)),
    numbersAt: (index) => ({ share: steps[index] ?? 0, turn: rotor?.[members[index]?.place ?? 0] ?? 0 }),
    steps,
  };
}

function leastBusy(members: readonly Placed[], input: StrategyInput): Scores {
  const { state, random } = input;
  const draws = drawnBy(sharesOf(members, input), random);
  const busy = ({ deployment }: Placed): number =>
    busyOf(state, deployment) / Math.max(1, ownSeats(input, deployment.index) ?? 1);
  return {
    // A draw stands between nothing and minus infinity, so this makes no difference as large as a request.
    values: each(members, (one, index) => tie / (1 - (draws[index] ?? 0)) - busy(one)),
    numbersAt: (index) => {
      const one = members[index];
      return one === undefined ? noNumbers : { busy: busy(one) };
    },
  };
}

function cheapest(members: readonly Placed[], { facts }: StrategyInput): Scores {
  // A price that nobody has stated is not a low one.
  const costs = each(members, ({ deployment }) => estimatedUsd(deployment, facts) ?? Number.POSITIVE_INFINITY);
  return {
    values: each(costs, (usd) => -usd),
    numbersAt: (index) => (Number.isFinite(costs[index]) ? { usd: costs[index] ?? 0 } : noNumbers),
  };
}

function largestContext(members: readonly Placed[], { state }: StrategyInput): Scores {
  const contexts = each(members, ({ deployment }) => contextOf(state, deployment) ?? 0);
  const busy = each(members, ({ deployment }) => state.inFlight[deployment.index] ?? 0);
  return {
    // Contexts are whole numbers, so that work under way only separates equals.
    values: each(contexts, (context, index) => context - (busy[index] ?? 0) / ((busy[index] ?? 0) + 1)),
    numbersAt: (index) => ({ context: contexts[index] ?? 0, busy: busy[index] ?? 0 }),
  };
}

function byComplexity(members: readonly Placed[], input: StrategyInput): Scores {
  const { score: complexity, level } = complexityOf(input.plan, input.state, input.facts, input.group);
  return classFirst(members, input, level, { complexity });
}

function byContext(members: readonly Placed[], input: StrategyInput): Scores {
  const large = input.group.strategy.largeContextTokens ?? defaultLargeContext;
  const tokens = input.facts.promptTokens;
  const isComplex = input.facts.isMultiStep && input.group.strategy.classes.has('complex');
  const level = tokens > large ? 'large' : isComplex ? 'complex' : 'standard';
  return classFirst(members, input, level, { tokens });
}

const defaultLargeContext = 4096;

/** The deployment named for a class goes first, the others follow in their order. */
function classFirst(
  members: readonly Placed[],
  { group }: StrategyInput,
  level: string,
  numbers: Candidate['numbers'],
): Scores {
  const first = group.strategy.classes.get(level);
  return {
    values: each(members, ({ place, deployment }) => (deployment.index === first ? 1 : -place)),
    numbersAt: () => numbers,
  };
}
