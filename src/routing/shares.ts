import type { Candidate } from '../plan/decision.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { ModelGroup } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { shareOf } from './health.ts';
import type { Placed } from './members.ts';

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
  readonly values: Float64Array;
  readonly numbersAt: (index: number) => Candidate['numbers'];
  /** How far each member's rotor steps, where the strategy turns them. */
  readonly steps?: Float64Array;
};

/** What is told of a member that was not compared by numbers. */
export const noNumbers: Candidate['numbers'] = {};

/** A draw made as small as this only separates equals. */
export const tie = 1e-9;

/**
 * Draws for a weighted order without replacement: ln(u) / share, the largest first (Efraimidis and
 * Spirakis). What has no share comes last.
 */
export function drawnBy(shares: Float64Array, random: () => number): Float64Array {
  // A loop for each of the two is a quarter quicker than one for both.
  const draws = new Float64Array(shares.length);
  for (let index = 0; index < draws.length; index++) draws[index] = random();
  for (let index = 0; index < draws.length; index++) {
    const share = shares[index] ?? 0;
    draws[index] = share <= 0 ? Number.NEGATIVE_INFINITY : Math.log(draws[index] ?? 0) / share;
  }
  return draws;
}

/** What says how much of its weight a member takes now. */
type ShareInput = Pick<StrategyInput, 'state' | 'now'>;

/** Weight, else rpm, else tpm, else equal, by what any member has; as parts of one, less for those that recover. */
export function sharesOf(members: readonly Placed[], input: ShareInput): Float64Array {
  const weightOf = [declaredWeight, requestLimit, tokenLimit].find((read) => isSaid(members, read));
  return partsOfOne(members, input, weightOf ?? equalWeight);
}

/** Steps of the rotors: declared weights, less for those that recover; equal where none is declared. */
export function rotorSteps(members: readonly Placed[], input: ShareInput): Float64Array {
  return partsOfOne(members, input, isSaid(members, declaredWeight) ? declaredWeight : equalWeight);
}

type WeightOf = (member: Placed) => number;

function isSaid(members: readonly Placed[], weightOf: WeightOf): boolean {
  for (let at = 0; at < members.length; at++) {
    const one = members[at];
    if (one !== undefined && weightOf(one) > 0) return true;
  }
  return false;
}

function declaredWeight({ weight }: Placed): number {
  return weight ?? 0;
}

function requestLimit({ deployment }: Placed): number {
  return deployment.limit.requestsPerMinute ?? 0;
}

function tokenLimit({ deployment }: Placed): number {
  return deployment.limit.tokensPerMinute ?? 0;
}

function equalWeight(): number {
  return 1;
}

function partsOfOne(members: readonly Placed[], { state, now }: ShareInput, weightOf: WeightOf): Float64Array {
  const { health } = state;
  const parts = new Float64Array(members.length);
  let sum = 0;
  for (let at = 0; at < parts.length; at++) {
    const one = members[at];
    if (one === undefined) continue;
    const weight = weightOf(one) * shareOf(health[one.index], now);
    sum += weight;
    parts[at] = weight;
  }
  for (let at = 0; at < parts.length; at++) parts[at] = (parts[at] ?? 0) / sum;
  return parts;
}
