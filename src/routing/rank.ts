import type { Candidate } from '../plan/decision.ts';
import type { Deployment } from '../plan/deployment.ts';
import type { ProviderId } from '../plan/ids.ts';
import type { ModelGroup, StrategyName } from '../plan/model-group.ts';
import type { Residency } from '../plan/residency.ts';
import type { FilterInput } from './filter.ts';
import type { Placed } from './members.ts';
import { seatFor } from './seats.ts';

/** What ranks look at besides what filters do. */
export type RankInput = FilterInput & {
  /** Providers that a rule by metadata puts at the front, the first rule's before the next one's. */
  readonly preferred?: readonly ProviderId[];
};

/**
 * One number for what goes before the strategy, its largest part first: what a rule prefers before
 * the rest, a lower order before a higher one, near before far, ready before loading, in memory
 * before out of it, weighted before standby, a free seat before none, and what its server does not
 * list behind all.
 */
export function ranking(input: RankInput, { strategy }: ModelGroup): (one: Placed) => number {
  const { plan, state, preferred } = input;
  const { health, observations, seats } = state;
  const { preferWarm, geographic } = plan.settings.routing;
  const ranksFar = geographic.enabled && geographic.preferLocal;
  // The strategy that weighs load times against everything else weighs them here too.
  const ranksLoads = strategy.name !== 'soonest';
  const ranksWarm = ranksLoads && preferWarm.enabled;
  const isSharing = sharing.has(strategy.name);
  return ({ deployment, index, order, weight, isLocal }) => {
    const state = health[index]?.kind;
    let rank = order * 32;
    if (weight === 0) rank += behind.standby;
    if (state !== 'ready')
      rank += state === 'missing' ? behindEveryOrder : ranksLoads && state === 'loading' ? behind.loading : 0;
    if (ranksFar && !isLocal) rank += behind.far;
    if (ranksWarm && isCold(observations[index]?.residency)) rank += behind.not_in_memory;
    if (isSharing && (seats.queueOf[index]?.busy ?? 0) > 0 && isTaken(input, deployment)) rank += behind.no_free_seat;
    if (preferred !== undefined) rank += placeOf(deployment.provider, preferred) * beforeEveryOrder;
    return rank;
  };
}

function isCold(residency: Residency | undefined): boolean {
  return residency?.kind === 'unloaded' || residency?.kind === 'loading';
}

/** Strategies that spread requests over equals: there a request does not wait for one while another is idle. */
const sharing: ReadonlySet<StrategyName> = new Set(['simple_shuffle', 'weighted_round_robin']);

/** Whether a request for a deployment would have to wait for a seat now. */
function isTaken(input: RankInput, { index, backendModel }: Deployment): boolean {
  return seatFor(input, { deployment: index, model: backendModel }) !== 'free';
}

const beforeEveryOrder = 2 ** 32;
const behindEveryOrder = 2 ** 48;

function placeOf(provider: ProviderId, preferred: readonly ProviderId[]): number {
  const place = preferred.indexOf(provider);
  return place === -1 ? preferred.length : place;
}

/** What puts a member behind others of its order, whatever the strategy says; each is one bit of its rank. */
const behind = { no_free_seat: 1, standby: 2, not_in_memory: 4, loading: 8, far: 16 } as const;

/** What put a member into a rank, by name: without that its numbers would not explain its place. */
export function reasonsFor(rank: number): Candidate['numbers'] | undefined {
  const bits = rank % 32;
  const reasons = Object.entries(behind).flatMap(([name, bit]) => ((bits & bit) === 0 ? [] : [[name, 1]]));
  if (rank >= behindEveryOrder) reasons.push(['not_listed', 1]);
  return reasons.length === 0 ? undefined : Object.fromEntries(reasons);
}
