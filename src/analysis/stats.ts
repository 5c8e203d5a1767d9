import type { DecisionRecord } from '../contract/decision-record.ts';
import type { ModelUse, ProviderUse, StatsReport, TimesReport } from '../contract/route-stats.ts';
import { quantile, timesOf } from './quantile.ts';
import { isAnswered, isError, type SeenRequest } from './seen-request.ts';
import { poolShares } from './shares.ts';

/** What statistics are made of. */
export type StatsInput = {
  readonly requests: readonly SeenRequest[];
  /** Records of those requests that have one. */
  readonly records: readonly DecisionRecord[];
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
  readonly slowMs: number;
};

/** Counts requests by what became of them, by provider, by model and by pool. */
export function routeStats(input: StatsInput): Omit<StatsReport, 'chains' | 'from'> {
  const { requests, records, since, until, slowMs } = input;
  const answered = requests.filter(isAnswered);
  const inState = (state: string): number => requests.filter((one) => one.state === state).length;
  return {
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    requests: requests.length,
    answered: answered.length,
    cached: requests.filter((one) => one.isCached).length,
    errors: requests.filter(isError).length,
    rejected: inState('rejected'),
    clientClosed: inState('client_closed'),
    times: totalsOf(answered),
    providers: providerUse(requests),
    models: modelUse(answered, slowMs),
    slowMs,
    pools: poolShares(records),
  };
}

/** Times of requests, each measured from its arrival to its last byte. */
function totalsOf(requests: readonly SeenRequest[]): TimesReport {
  return timesOf(requests.flatMap((one) => one.totalMs ?? []));
}

/** What each provider did, the most used first. */
export function providerUse(requests: readonly SeenRequest[]): readonly ProviderUse[] {
  const answered = requests.filter(isAnswered);
  const failed = requests.flatMap((one) => one.failed.map(({ provider }) => provider));
  const byProvider = Map.groupBy(answered, (one) => one.provider ?? '');
  const uses = [...new Set([...byProvider.keys(), ...failed])].map((provider): ProviderUse => {
    const own = byProvider.get(provider) ?? [];
    const costs = own.flatMap((one) => one.costUsd ?? []);
    return {
      provider,
      requests: own.length,
      share: answered.length === 0 ? 0 : own.length / answered.length,
      errors: failed.filter((one) => one === provider).length,
      fallbacks: own.filter((one) => one.isFallback).length,
      times: totalsOf(own),
      firstTokenP50Ms: quantile(
        own.flatMap((one) => one.firstTokenMs ?? []),
        0.5,
      ),
      costUsd: costs.length === 0 ? null : costs.reduce((sum, one) => sum + one, 0),
      unpriced: own.length - costs.length,
    };
  });
  return uses.toSorted((a, b) => b.requests - a.requests || (a.provider < b.provider ? -1 : 1));
}

function modelUse(answered: readonly SeenRequest[], slowMs: number): readonly ModelUse[] {
  const uses = [...Map.groupBy(answered, (one) => one.deployment ?? '')].map(([deployment, own]): ModelUse => {
    const overlong = own.filter((one) => (one.totalMs ?? 0) > slowMs).length;
    return { deployment, requests: own.length, times: totalsOf(own), slow: overlong >= own.length / 10 };
  });
  return uses.toSorted((a, b) => (b.times.p95Ms ?? 0) - (a.times.p95Ms ?? 0));
}
