import type { DecisionRecord } from '../contract/decision-record.ts';
import type { AdviseReport, PoolAdvice, Variant } from '../contract/route-play.ts';
import { durationWords } from '../plan/in-words.ts';
import type { ModelGroup, StrategyName } from '../plan/model-group.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import { type Arrival, arrivalsOf } from './arrival.ts';
import { type Played, play } from './play.ts';
import { quantile, timesOf } from './quantile.ts';
import { recordedWorld } from './recorded-world.ts';
import { type PoolChange, poolChanges, withChange } from './variants.ts';

/** What advice is given by. */
export type AdviseInput = { readonly plan: Plan; readonly records: readonly DecisionRecord[]; readonly seed: number };

/** Fewer requests of a pool give a p95 that ten of them decide. */
const leastRequests = 200;
/** A variant has to take a tenth off the p95 to be worth a change, and hold with other draws. */
const worthwhile = 0.9;
const otherSeeds = 2;
/** How far the play of what was may be from the record, either way, to be believed. */
const believable = 0.25;

/** Plays the recorded requests with other weights and strategies, and says what would have been better. */
export function advise({ plan, records, seed }: AdviseInput): AdviseReport {
  const arrivals = arrivalsOf(records);
  const asked = Map.groupBy(arrivals, ({ record }) => record?.group ?? '');
  const pools = plan.groups.filter(({ members, name }) => members.length > 1 && asked.has(name));
  const advised = pools.map((group) => advisePool({ plan, arrivals, seed, group, own: asked.get(group.name) ?? [] }));
  return {
    seed,
    requests: arrivals.length,
    least: leastRequests,
    pools: advised.toSorted((a, b) => b.requests - a.requests),
  };
}

type PoolInput = {
  readonly plan: Plan;
  readonly arrivals: readonly Arrival[];
  readonly seed: number;
  readonly group: ModelGroup;
  /** Those of the arrivals that asked for the pool. */
  readonly own: readonly Arrival[];
};

/** A change of the pool, and what came of it. */
type Tried = { readonly change: PoolChange; readonly variant: Variant };

function advisePool(input: PoolInput): PoolAdvice {
  const { plan, group, own } = input;
  const tryOut = (change: PoolChange): Tried => ({ change, variant: variantOf(input, change, input.seed) });
  const declared = tryOut(presentOf(group));
  const present = declared.variant;
  const recordedP95Ms = quantile(
    own.flatMap(({ record }) => (record?.answeredBy == null ? [] : (record.timing.totalMs ?? []))),
    0.95,
  );
  const base = {
    group: group.name,
    requests: own.length,
    members: group.members.map(({ deployment }) => {
      const { provider, backendModel } = deploymentAt(plan, deployment);
      return `${provider}/${backendModel}`;
    }),
    present,
    recordedP95Ms,
  };
  if (own.length < leastRequests)
    return {
      ...base,
      verdict: 'too_few',
      tried: [],
      text: `${own.length} requests are too few to tell, ${leastRequests} are needed`,
    };
  const tried = poolChanges(group)
    .map(tryOut)
    .toSorted((a, b) => badness(a.variant) - badness(b.variant));
  const variants = tried.map(({ variant }) => variant);
  if (!isLikeTheRecord(present, recordedP95Ms))
    return { ...base, verdict: 'not_like_the_record', tried: variants, text: notLike(present, recordedP95Ms) };
  const better = tried.find((one) => isBetter(input, one, declared));
  if (better === undefined)
    return {
      ...base,
      verdict: 'as_good_as_any',
      tried: variants,
      text: `${gives(present)}; nothing that was tried is clearly better`,
    };
  const text = `${gives(present)}; ${better.variant.change} would have given ${seconds(better.variant.times.p95Ms)}`;
  return { ...base, verdict: 'better', tried: variants, text };
}

function presentOf({ strategy, members }: ModelGroup): PoolChange {
  const weights = members.map((one) => one.weight ?? 0);
  return { strategy: strategy.name, weights: weights.some((one) => one > 0) ? weights : undefined };
}

function variantOf({ plan, arrivals, group }: PoolInput, change: PoolChange, seed: number): Variant {
  const played = play(withChange(plan, group, change), arrivals, recordedWorld(plan, arrivals, seed));
  const own = played.filter((one) => one.decision.group === group.name);
  const answered = own.filter((one: Played) => one.answer !== undefined);
  return {
    change: changeText(change, group.strategy.name),
    strategy: change.strategy,
    weights: change.weights ?? null,
    times: timesOf(answered.map((one) => one.totalMs)),
    waits: timesOf(answered.map((one) => one.waitMs)),
    failed: own.length - answered.length,
  };
}

function changeText({ strategy, weights }: PoolChange, present: StrategyName): string {
  const shares = weights?.map((one) => Number(one.toFixed(2))).join('/');
  if (shares === undefined) return strategy;
  return strategy === present ? shares : `${shares} by ${strategy}`;
}

/** Who fails more is worse, however fast. */
function badness({ failed, times }: Variant): number {
  return failed * 1e12 + (times.p95Ms ?? 1e11) + (times.p50Ms ?? 0) / 1e6;
}

function isLikeTheRecord({ times }: Variant, recorded: number | null): boolean {
  if (recorded === null || times.p95Ms === null) return false;
  return Math.abs(times.p95Ms - recorded) <= recorded * believable;
}

function isBetter(input: PoolInput, tried: Tried, present: Tried): boolean {
  const clearly = (a: Variant, b: Variant): boolean =>
    a.failed <= b.failed && (a.times.p95Ms ?? Number.POSITIVE_INFINITY) <= (b.times.p95Ms ?? 0) * worthwhile;
  if (!clearly(tried.variant, present.variant)) return false;
  return Array.from({ length: otherSeeds }, (_none, index) => input.seed + index + 1).every((seed) =>
    clearly(variantOf(input, tried.change, seed), variantOf(input, present.change, seed)),
  );
}

function gives({ change, times }: Variant): string {
  return `${change} gives p95 ${seconds(times.p95Ms)}`;
}

function notLike(present: Variant, recorded: number | null): string {
  return `the play of what is declared gives p95 ${seconds(present.times.p95Ms)}, ${seconds(recorded)} was recorded: declare the seats of its servers, or keep the gateway running, which some servers tell theirs: then waiting can be told from work`;
}

function seconds(ms: number | null): string {
  return ms === null ? 'unknown' : durationWords(ms);
}
