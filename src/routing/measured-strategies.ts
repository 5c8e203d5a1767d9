/** Strategies that compare what was measured: speed, success, tokens, seats. */
import type { Candidate } from '../plan/decision.ts';
import { type Speeds, unseenSpeeds } from '../plan/residency.ts';
import { estimatedUsd } from './cost.ts';
import { isLocalSaturated } from './facts.ts';
import type { Placed } from './members.ts';
import { tokensThisMinute } from './performance.ts';
import { drawnBy, noNumbers, type Scores, type StrategyInput, sharesOf, tie } from './shares.ts';
import { assumedSeats, busyPerSeat, type Prediction, predict, predictMs, speedsOf } from './speeds.ts';

/** The fewest tokens within the last minute; equals in turn of a draw. */
export function fewestTokens(members: readonly Placed[], { state, now, random }: StrategyInput): Scores {
  const used = new Float64Array(members.length);
  const values = new Float64Array(members.length);
  let at = 0;
  for (const { index } of members) {
    const tokens = tokensThisMinute(state.performance, index, now);
    used[at] = tokens;
    values[at++] = random() * tie - tokens;
  }
  return {
    values,
    numbersAt: (index) => ({ tokens: used[index] ?? 0 }),
  };
}

/** The lowest average time a token, for streams the lowest to their first; those within the buffer of the lowest share evenly. */
export function lowestLatency(members: readonly Placed[], input: StrategyInput): Scores {
  const { state, facts, group, random } = input;
  const { msPerToken, firstTokenMs } = state.performance;
  const latencies = new Float64Array(members.length);
  let at = 0;
  for (const { index } of members) {
    const first = firstTokenMs[index] ?? Number.NaN;
    latencies[at++] = facts.stream && !Number.isNaN(first) ? first : (msPerToken[index] ?? Number.NaN);
  }
  const lowest = lowestOf(latencies);
  return {
    values: lowestFirst(latencies, lowest * (1 + (group.strategy.latencyBuffer ?? 0)), random),
    numbersAt: (index) => measured('ms', latencies[index]),
  };
}

/** The lowest 95th percentile of the time to the first token. */
export function fastestFirstToken(members: readonly Placed[], { state, random }: StrategyInput): Scores {
  const slow = valuesOf(members, state.performance.firstTokenP95);
  return {
    values: lowestFirst(slow, Number.NEGATIVE_INFINITY, random),
    numbersAt: (index) => measured('p95_first_token_ms', slow[index]),
  };
}

/** What was never measured is tried, and then measured; times up to `most` share evenly, the others go by what they are. */
function lowestFirst(times: Float64Array, most: number, random: () => number): Float64Array {
  const values = new Float64Array(times.length);
  for (let at = 0; at < values.length; at++) {
    const ms = times[at] ?? Number.NaN;
    values[at] = Number.isNaN(ms) ? 1 + random() : ms <= most ? random() : -ms;
  }
  return values;
}

/** What was measured of each member. */
function valuesOf(members: readonly Placed[], measurements: Float64Array): Float64Array {
  const values = new Float64Array(members.length);
  let at = 0;
  for (const { index } of members) values[at++] = measurements[index] ?? Number.NaN;
  return values;
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
  const speeds = partsOfBest(valuesOf(members, msPerToken));
  const successes = valuesOf(members, success);
  const prices = new Float64Array(members.length);
  let at = 0;
  for (const { deployment } of members) prices[at++] = estimatedUsd(deployment, facts) ?? Number.NaN;
  const costs = partsOfBest(prices);
  const scores = new Float64Array(members.length);
  for (at = 0; at < scores.length; at++) {
    scores[at] =
      factors.speed * (speeds[at] ?? 1) + factors.success * known(successes[at], 1) + factors.cost * (costs[at] ?? 1);
  }
  return {
    values: scores,
    numbersAt: (index) => ({
      score: scores[index] ?? 0,
      speed: speeds[index] ?? 1,
      success: known(successes[index], 1),
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
  const parts = new Float64Array(values.length);
  let sum = 0;
  let count = 0;
  for (let at = 0; at < parts.length; at++) {
    const one = values[at] ?? Number.NaN;
    const part = one <= 0 ? 1 : lowest / one;
    parts[at] = part;
    if (Number.isNaN(part)) continue;
    sum += part;
    count++;
  }
  if (count === parts.length) return parts;
  const middle = count === 0 ? 1 : sum / count;
  for (let at = 0; at < parts.length; at++) if (Number.isNaN(parts[at])) parts[at] = middle;
  return parts;
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

/**
 * A weighted draw, each weight made smaller by failures and by busy seats. What stands in a cloud
 * joins once every local deployment is saturated.
 */
export function adaptiveWeighted(members: readonly Placed[], input: StrategyInput): Scores {
  const { plan, state, group, random } = input;
  const { success } = state.performance;
  const shares = sharesOf(members, input);
  const saturationOf = ({ deployment }: Placed): number =>
    Math.min(1, busyPerSeat(state, deployment, assumedSeats(state, deployment)));
  const successOf = ({ index }: Placed): number => known(success[index], 1);
  const weights = new Float64Array(members.length);
  let at = 0;
  let locals = 0;
  // A full or failing one keeps a little of its weight, so that it has a place and is measured again.
  for (const one of members) {
    weights[at] = (shares[at] ?? 0) * Math.max(leastPart, successOf(one) * (1 - saturationOf(one)));
    if (one.isLocal) locals++;
    at++;
  }
  const isMixed = locals > 0 && locals < members.length;
  const values = drawnBy(weights, random);
  if (isMixed && !isLocalSaturated(plan, state, group)) putCloudBehind(members, values);
  return {
    values,
    numbersAt: (index) => {
      const one = members[index];
      return one === undefined
        ? noNumbers
        : { share: shares[index] ?? 0, success: successOf(one), saturation: saturationOf(one) };
    },
  };
}

function putCloudBehind(members: readonly Placed[], values: Float64Array): void {
  for (let at = 0; at < values.length; at++)
    if (members[at]?.isLocal === false) values[at] = (values[at] ?? 0) - behindLocal;
}

const leastPart = 0.01;
const behindLocal = 1e12;

/** The smallest predicted time to the last token. A speed that is not known is taken to be the best known among its peers, so that it is tried and then known. */
export function soonest(members: readonly Placed[], input: StrategyInput): Scores {
  const best = bestOf(members, input.state);
  const values = new Float64Array(members.length);
  let at = 0;
  for (const { deployment } of members) values[at++] = -predictMs(input, deployment, best);
  return {
    values,
    numbersAt: (index) => {
      const one = members[index];
      return one === undefined ? noNumbers : inSeconds(predict(input, one.deployment, best));
    },
  };
}

/** The best of each speed that any of them has. */
function bestOf(members: readonly Placed[], state: StrategyInput['state']): Speeds {
  let { loadMs, answerMs, prefillMsPerToken, decodeMsPerToken } = unseenSpeeds;
  for (const one of members) {
    const speeds = speedsOf(state, one);
    if (speeds === unseenSpeeds) continue;
    loadMs = lesser(loadMs, speeds.loadMs);
    answerMs = lesser(answerMs, speeds.answerMs);
    prefillMsPerToken = lesser(prefillMsPerToken, speeds.prefillMsPerToken);
    decodeMsPerToken = lesser(decodeMsPerToken, speeds.decodeMsPerToken);
  }
  return { loadMs, answerMs, prefillMsPerToken, decodeMsPerToken };
}

function lesser(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

function inSeconds({ queue, load, prefill, decode }: Prediction): Candidate['numbers'] {
  return { queue_s: queue / 1000, load_s: load / 1000, prefill_s: prefill / 1000, decode_s: decode / 1000 };
}
