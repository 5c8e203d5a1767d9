import type { Candidate } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { Milliseconds } from '../plan/ids.ts';
import type { Member, ModelGroup } from '../plan/model-group.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { shareOf } from './health.ts';

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

/** What is told of a member that was not compared by numbers. */
export const noNumbers: Candidate['numbers'] = {};

/** A draw made as small as this only separates equals. */
export const tie = 1e-9;

/**
 * A draw for a weighted order without replacement: ln(u) / share, the largest first (Efraimidis and
 * Spirakis). What has no share comes last.
 */
export function drawnBy(share: number, random: () => number): number {
  return share <= 0 ? Number.NEGATIVE_INFINITY : Math.log(random()) / share;
}

/** What says how much of its weight a member takes now. */
type ShareInput = Pick<StrategyInput, 'state' | 'now'>;

/** Weight, else rpm, else tpm, else equal, by what any member has; as parts of one, less for those that recover. */
export function sharesOf(members: readonly Eligible[], input: ShareInput): readonly number[] {
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

/** Steps of the rotors: declared weights, less for those that recover; equal where none is declared. */
export function rotorSteps(members: readonly Eligible[], input: ShareInput): readonly number[] {
  const isDeclared = members.some((one) => (one.member.weight ?? 0) > 0);
  return partsOfOne(members, input, (one) => (isDeclared ? (one.member.weight ?? 0) : 1));
}
