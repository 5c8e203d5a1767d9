/** Strategies that compare what was measured: speed, success, tokens, seats. */
import type { Candidate } from '../plan/decision.ts';
import { type Speeds, unseenSpeeds } from '../plan/residency.ts';
import { estimatedUsd } from './cost.ts';
import { isLocalSaturated } from './facts.ts';
import type { Placed } from './members.ts';
import { tokensThisMinute } from './performance.ts';
import { drawnBy, each, noNumbers, type Scores, type StrategyInput, sharesOf, tie } from './shares.ts';
import { busyOf, type Prediction, predict, seatsOf } from './speeds.ts';

/** The fewest tokens within the last minute; equals in turn of a draw. */
export function fewestTokens(members: readonly Placed[], { state, now, random }: StrategyInput): Scores {
  const used = each(members, ({ deployment }) => tokensThisMinute(state.performance, deployment.index, now));
  return {
    values: each(used, (tokens) => random() * tie - tokens),
    numbersAt: (index) => ({ tokens: used[index] ?? 0 }),
  };
}

/** The lowest average time a token, for streams the lowest to their first; those within the buffer of the lowest share evenly. */
export function lowestLatency(members: readonly Placed[], input: StrategyInput): Scores {
  const { state, facts, group, random } = input;
  const { msPerToken, firstTokenMs } = state.performance;
  const latencies = each(members, ({ deployment: { index } }) => {
    const first = firstTokenMs[index] ?? Number.NaN;
    return facts.stream && !Number.isNaN(first) ? first : (msPerToken[index] ?? Number.NaN);
  });
  const lowest = lowestOf(latencies);
  const most = lowest * (1 + (group.strategy.latencyBuffer ?? 0));
  return {
    values: each(latencies, (ms) => unseenFirst(ms, random) ?? (ms <= most ? random() : -ms)),
    numbersAt: (index) => measured('ms', latencies[index]),
  };
}

/** What was never measured is tried, and then measured. */
function unseenFirst(ms: number, random: () => number): number | undefined {
  return Number.isNaN(ms) ? 1 + random() : undefined;
}

/** The lowest 95th percentile of the time to the first token. */
export function fastestFirstToken(members: readonly Placed[], { state, random }: StrategyInput): Scores {
  const slow = each(members, ({ deployment: { index } }) => state.performance.firstTokenP95[index] ?? Number.NaN);
  return {
    values: each(slow, (ms) => unseenFirst(ms, random) ?? -ms),
    numbersAt: (index) => measured('p95_first_token_ms', slow[index]),
  };
}

function measured(name: string, value: number | undefined): Candidate['numbers'] {
  return value === undefined || Number.isNaN(value) ? noNumbers : { [name]: value };
}

const usualFactors = { speed: 0.4, success: 0.4, cost: 0.2 };

/** A sum of speed, success and cheapness, each as a part of the best among the members. */
export function usageScore(members: readonly Placed[], input: StrategyInput): Scores {
  const { state, facts, group } = input;
  const { msPerToken, success } = state.performance;
  const factors = group.strategy.factors ?? usualFactors;
  const speeds = partsOfBest(each(members, ({ deployment }) => msPerToken[deployment.index] ?? Number.NaN));
  const costs = partsOfBest(each(members, ({ deployment }) => estimatedUsd(deployment, facts) ?? Number.NaN));
  const successes = each(members, ({ deployment }) => known(success[deployment.index], 1));
  const scores = each(
    members,
    (_one, index) =>
      factors.speed * (speeds[index] ?? 1) +
      factors.success * (successes[index] ?? 1) +
      factors.cost * (costs[index] ?? 1),
  );
  return {
    values: scores,
    numbersAt: (index) => ({
      score: scores[index] ?? 0,
      speed: speeds[index] ?? 1,
      success: successes[index] ?? 1,
      cheapness: costs[index] ?? 1,
    }),
  };
}

/**
 * The lowest in relation to each: 1 for the best, toward 0 for the others. What nobody knows counts
 * as the middle of those that are known; where none is known, none is better.
 */
function partsOfBest(values: Float64Array): Float64Array {
  const lowest = lowestOf(values);
  const part = (one: number): number => (one <= 0 ? 1 : lowest / one);
  let sum = 0;
  let count = 0;
  for (let index = 0; index < values.length; index++) {
    const one = values[index] ?? Number.NaN;
    if (Number.isNaN(one)) continue;
    sum += part(one);
    count++;
  }
  const middle = count === 0 ? 1 : sum / count;
  return each(values, (one) => (Number.isNaN(one) ? middle : part(one)));
}

/** The lowest of what is known. */
function lowestOf(values: Float64Array): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const one = values[index] ?? lowest;
    if (one < lowest) lowest = one;
  }
  return lowest;
}

function known(value: number | undefined, otherwise: number): number {
  return value === undefined || Number.isNaN(value) ? otherwise : value;
}

const usualSaturation = 0.8;

/**
 * A weighted draw, each weight made smaller by failures and by busy seats. What stands in a cloud
 * joins once every local deployment is saturated.
 */
export function adaptiveWeighted(members: readonly Placed[], input: StrategyInput): Scores {
  const { plan, state, group, random } = input;
  const shares = sharesOf(members, input);
  const saturations = each(members, ({ deployment }) =>
    Math.min(1, busyOf(state, deployment) / seatsOf(state, deployment)),
  );
  const successes = each(members, ({ deployment }) => known(state.performance.success[deployment.index], 1));
  const joins = isLocalSaturated(plan, state, group.strategy.saturationThreshold ?? usualSaturation);
  const waits = !joins && members.some(({ isLocal }) => isLocal);
  const weights = each(members, (_one, index) => {
    const weight = (shares[index] ?? 0) * (successes[index] ?? 1) * (1 - (saturations[index] ?? 0));
    // A full or failing one keeps a little of its weight, so that it has a place and is measured again.
    return Math.max(weight, (shares[index] ?? 0) * leastPart);
  });
  const draws = drawnBy(weights, random);
  return {
    values: waits ? each(members, ({ isLocal }, index) => (draws[index] ?? 0) - (isLocal ? 0 : behindLocal)) : draws,
    numbersAt: (index) => ({
      share: shares[index] ?? 0,
      success: successes[index] ?? 1,
      saturation: saturations[index] ?? 0,
    }),
  };
}

const leastPart = 0.01;
const behindLocal = 1e12;

/** The smallest predicted time to the last token. A speed that is not known is taken to be the best known among its peers, so that it is tried and then known. */
export function soonest(members: readonly Placed[], input: StrategyInput): Scores {
  const { observations } = input.state;
  const speedsOf = ({ deployment }: Placed): Speeds => observations[deployment.index]?.speeds ?? unseenSpeeds;
  const best = bestOf(members, speedsOf);
  const predicted = (one: Placed): Prediction => predict(input, one.deployment, completed(speedsOf(one), best));
  return {
    values: each(members, (one) => -totalOf(predicted(one))),
    numbersAt: (index) => {
      const one = members[index];
      return one === undefined ? noNumbers : inSeconds(predicted(one));
    },
  };
}

function totalOf({ queue, load, prefill, decode }: Prediction): number {
  return queue + load + prefill + decode;
}

/** The best of each speed that any of them has. */
function bestOf(members: readonly Placed[], speedsOf: (one: Placed) => Speeds): Speeds {
  let { loadMs, answerMs, prefillMsPerToken, decodeMsPerToken } = unseenSpeeds;
  for (const one of members) {
    const speeds = speedsOf(one);
    loadMs = lesser(loadMs, speeds.loadMs);
    prefillMsPerToken = lesser(prefillMsPerToken, speeds.prefillMsPerToken);
    decodeMsPerToken = lesser(decodeMsPerToken, speeds.decodeMsPerToken);
  }
  return { loadMs, answerMs, prefillMsPerToken, decodeMsPerToken };
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

function inSeconds({ queue, load, prefill, decode }: Prediction): Candidate['numbers'] {
  return { queue_s: queue / 1000, load_s: load / 1000, prefill_s: prefill / 1000, decode_s: decode / 1000 };
}
