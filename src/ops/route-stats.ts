import { routeStats } from '../analysis/stats.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import type { ChainReadiness, StatsReport } from '../contract/route-stats.ts';
import type { AdminClient } from './admin-client.ts';
import type { SystemTarget } from './admin-record.ts';
import { recordedDecisions, recordedRequests } from './recorded-requests.ts';

/** What is asked of recorded requests. */
export type StatsQuestion = {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
  /** Requests that this provider answered or failed only. */
  readonly provider: string | undefined;
  readonly slowMs: number;
};

/** Counts the requests of a system since a moment, and asks its gateway what stands ready behind its names. */
export async function readStats(
  target: SystemTarget,
  running: AdminClient | undefined,
  question: StatsQuestion,
): Promise<StatsReport> {
  const { since, until, slowMs, provider } = question;
  const all = await recordedDecisions(target, running);
  const { requests, fromLog } = await recordedRequests(target, all, since);
  const concerns = (one: (typeof requests)[number]): boolean =>
    provider === undefined || one.provider === provider || one.failed.some((failed) => failed.provider === provider);
  const records = all.filter((one) => one.time !== null && Date.parse(one.time) >= since);
  const counted = requests.filter((one) => one.at <= until && concerns(one));
  const chains = running === undefined ? [] : await readChains(running);
  return {
    ...routeStats({ requests: counted, records, since, until, slowMs }),
    chains,
    from: { records: requests.length - fromLog, log: fromLog },
  };
}

/** Names of which more is asked than a person reads. */
const mostNames = 200;

/** For each name with something behind it, who of its hops could serve at this moment: as routing itself decides it. */
async function readChains(running: AdminClient): Promise<readonly ChainReadiness[]> {
  const names = (await running.models()).slice(0, mostNames);
  const decisions = await Promise.all(names.map((model) => running.explain({ model })));
  return decisions.flatMap((decision) => {
    const hops = decision.candidates.filter((one) => one.reason !== 'visited').map(hopOf);
    const isChain = decision.candidates.some((one) => one.source !== 'group');
    return isChain ? [{ group: decision.group ?? decision.asked ?? 'auto', hops }] : [];
  });
}

function hopOf(candidate: DecisionRecord['candidates'][number]): ChainReadiness['hops'][number] {
  const { deployment, source, verdict, detail, reason } = candidate;
  return { deployment, source, ready: verdict !== 'excluded', why: verdict === 'excluded' ? (detail ?? reason) : null };
}
