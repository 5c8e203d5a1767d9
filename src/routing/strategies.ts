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
import { drawnBy, noNumbers, rotorSteps, type Scores, type StrategyInput, sharesOf, tie } from './shares.ts';
import { busyPerSeat } from './speeds.ts';

/** Scores members among which only the strategy decides. Equal values keep the declared order. */
type Strategy = (members: readonly Placed[], input: StrategyInput) => Scores;

const strategies: Readonly<Record<StrategyName, Strategy>> = {
  direct: declaredOrder,
  simple_shuffle: weightedRandom,
  weighted_round_robin: smoothRoundRobin,
  least_busy: leastBusy,
  usage_based_routing: fewestTokens,
  usage_based: usageScore,
  latency_based_routing: lowestLatency,
  fastest_response: fastestFirstToken,
  adaptive_weighted: adaptiveWeighted,
  cost_based_routing: cheapest,
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
  const values = new Float64Array(members.length);
  let at = 0;
  for (const { place } of members) values[at++] = -place;
  return { values, numbersAt: () => noNumbers };
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
  const values = new Float64Array(members.length);
  let at = 0;
  for (const { place } of members) {
    values[at] = (rotor?.[place] ?? 0) + (steps[at] ?? 0);
    at++;
  }
  return {
    values,
    numbersAt: (index) => ({ share: steps[index] ?? 0, turn: rotor?.[members[index]?.place ?? 0] ?? 0 }),
    steps,
  };
}

function leastBusy(members: readonly Placed[], input: StrategyInput): Scores {
  const { state, random } = input;
  const draws = drawnBy(sharesOf(members, input), random);
  const values = new Float64Array(members.length);
  let at = 0;
  // A draw stands between nothing and minus infinity, so it makes no difference as large as a request.
  for (const { deployment } of members) {
    values[at] = tie / (1 - (draws[at] ?? 0)) - busyPerSeat(state, deployment, 1);
    at++;
  }
  return {
    values,
    numbersAt: (index) => {
      const one = members[index];
      return one === undefined ? noNumbers : { busy: busyPerSeat(state, one.deployment, 1) };
    },
  };
}

function cheapest(members: readonly Placed[], { facts }: StrategyInput): Scores {
  const values = new Float64Array(members.length);
  let at = 0;
  // A price that nobody has stated is not a low one.
  for (const { deployment } of members) values[at++] = -(estimatedUsd(deployment, facts) ?? Number.POSITIVE_INFINITY);
  return {
    values,
    numbersAt: (index) => {
      const one = members[index];
      const usd = one && estimatedUsd(one.deployment, facts);
      return usd === undefined ? noNumbers : { usd };
    },
  };
}

function largestContext(members: readonly Placed[], { state }: StrategyInput): Scores {
  const context = ({ deployment }: Placed): number => contextOf(state, deployment) ?? 0;
  const busy = ({ index }: Placed): number => state.inFlight[index] ?? 0;
  const values = new Float64Array(members.length);
  let at = 0;
  // Contexts are whole numbers, so that work under way only separates equals.
  for (const one of members) values[at++] = context(one) - busy(one) / (busy(one) + 1);
  return {
    values,
    numbersAt: (index) => {
      const one = members[index];
      return one === undefined ? noNumbers : { context: context(one), busy: busy(one) };
    },
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
  const values = new Float64Array(members.length);
  let at = 0;
  for (const { place, index } of members) values[at++] = index === first ? 1 : -place;
  return { values, numbersAt: () => numbers };
}
