/** Strategies that compare what was measured: speed, success, tokens, seats. */
import type { Candidate } from '../plan/decision.ts';
import { type Speeds, unseenSpeeds } from '../plan/residency.ts';
import { estimatedUsd } from './cost.ts';
import { isLocalSaturated } from './facts.ts';
import { tokensThisMinute } from './performance.ts';
import { drawnBy, type Eligible, noNumbers, type Scores, type StrategyInput, sharesOf, tie } from './shares.ts';
import { busyOf, type Prediction, predict, seatsOf } from './speeds.ts';

/** The fewest tokens within the last minute; equals in turn of a draw. */
export function fewestTokens(members: readonly Eligible[], { state, now, random }: StrategyInput): Scores {
  const used = members.map(({ deployment }) => tokensThisMinute(state.performance, deployment.index, now));
  return {
    values: used.map((tokens) => random() * tie - tokens),
    numbersAt: (index) => ({ tokens: used[index] ?? 0 }),
  };
}

/** The lowest average time a token, for streams the lowest to their first; those within the buffer of the lowest share evenly. */
export function lowestLatency(members: readonly Eligible[], input: StrategyInput): Scores {
  const { state, facts, group, random } = input;
  const { msPerToken, firstTokenMs } = state.performance;
  const latencies = members.map(({ deployment: { index } }) => {
    const first = firstTokenMs[index] ?? Number.NaN;
    return facts.stream && !Number.isNaN(first) ? first : (msPerToken[index] ?? Number.NaN);
  });
  const lowest = Math.min(...latencies.filter((one) => !Number.isNaN(one)));
  const most = lowest * (1 + (group.strategy.latencyBuffer ?? 0));
  return {
    values: latencies.map((ms) => unseenFirst(ms, random) ?? (ms <= most ? random() : -ms)),
    numbersAt: (index) => measured('ms', latencies[index]),
  };
}

/** What was never measured is tried, and then measured. */
function unseenFirst(ms: number, random: () => number): number | undefined {
  return Number.isNaN(ms) ? 1 + random() : undefined;
}

/** The lowest 95th percentile of the time to the first token. */
export function fastestFirstToken(members: readonly Eligible[], { state, random }: StrategyInput): Scores {
  const slow = members.map(({ deployment: { index } }) => state.performance.firstTokenP95[index] ?? Number.NaN);
  return {
    values: slow.map((ms) => unseenFirst(ms, random) ?? -ms),
    numbersAt: (index) => measured('p95_first_token_ms', slow[index]),
  };
}

function measured(name: string, value: number | undefined): Candidate['numbers'] {
  return value === undefined || Number.isNaN(value) ? noNumbers : { [name]: value };
}

const usualFactors = { speed: 0.4, success: 0.4, cost: 0.2 };

/** A sum of speed, success and cheapness, each as a part of the best among the members. */
export function usageScore(members: readonly Eligible[], input: StrategyInput): Scores {
  const { state, facts, group } = input;
  const { msPerToken, success } = state.performance;
  const factors = group.strategy.factors ?? usualFactors;
  const speeds = partsOfBest(members.map(({ deployment }) => msPerToken[deployment.index] ?? Number.NaN));
  const costs = partsOfBest(members.map(({ deployment }) => estimatedUsd(deployment, facts) ?? Number.NaN));
  const successes = members.map(({ deployment }) => known(success[deployment.index], 1));
  const scores = members.map(
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
function partsOfBest(values: readonly number[]): readonly number[] {
  const numbers = values.filter((one) => !Number.isNaN(one));
  const lowest = Math.min(...numbers);
  const part = (one: number): number => (one <= 0 ? 1 : lowest / one);
  const middle = numbers.length === 0 ? 1 : numbers.reduce((sum, one) => sum + part(one), 0) / numbers.length;
  return values.map((one) => (Number.isNaN(one) ? middle : part(one)));
}

function known(value: number | undefined, otherwise: number): number {
  return value === undefined || Number.isNaN(value) ? otherwise : value;
}

const usualSaturation = 0.8;

/**
 * A weighted draw, each weight made smaller by failures and by busy seats. What stands in a cloud
 * joins once every local deployment is saturated.
 */
export function adaptiveWeighted(members: readonly Eligible[], input: StrategyInput): Scores {
  const { plan, state, group, random } = input;
  const shares = sharesOf(members, input);
  const saturations = members.map(({ deployment }) =>
    Math.min(1, busyOf(state, deployment) / seatsOf(input, deployment)),
  );
  const successes = members.map(({ deployment }) => known(state.performance.success[deployment.index], 1));
  const joins = isLocalSaturated(plan, state, group.strategy.saturationThreshold ?? usualSaturation);
  const isLocal = members.map(({ deployment }) => plan.providers.get(deployment.provider)?.tier === 'local');
  const waits = !joins && isLocal.includes(true);
  const weights = members.map((_one, index) => {
    const weight = (shares[index] ?? 0) * (successes[index] ?? 1) * (1 - (saturations[index] ?? 0));
    // A full or failing one keeps a little of its weight, so that it has a place and is measured again.
    return Math.max(weight, (shares[index] ?? 0) * leastPart);
  });
  return {
    values: weights.map((weight, index) => {
      const drawn = drawnBy(weight, random);
      return waits && isLocal[index] === false ? drawn - behindLocal : drawn;
    }),
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
export function soonest(members: readonly Eligible[], input: StrategyInput): Scores {
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
