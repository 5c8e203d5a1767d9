import type { PlayReport, Refusal } from '../contract/route-play.ts';
import type { Played } from './play.ts';
import { timesOf } from './quantile.ts';
import type { SeenRequest } from './seen-request.ts';
import { poolShares } from './shares.ts';
import { providerUse } from './stats.ts';

/** Adds up what was played. */
export function summarise(played: readonly Played[]): PlayReport {
  const answered = played.filter((one) => one.answer !== undefined);
  const costs = answered.map((one) => one.costUsd);
  const seen = played.map(seenInPlay);
  return {
    requests: played.length,
    answered: answered.length,
    failed: played.filter((one) => one.answer === undefined && one.attempts.length > 0).length,
    refused: played.filter((one) => one.attempts.length === 0).length,
    refusals: refusalsOf(played),
    times: timesOf(answered.map((one) => one.totalMs)),
    waits: timesOf(answered.map((one) => one.waitMs)),
    costUsd: costs.includes(undefined) ? null : costs.reduce((sum: number, one) => sum + (one ?? 0), 0),
    providers: providerUse(seen),
    tiers: tiersOf(answered),
    pools: poolShares(played.map((one) => one.decision)),
    guessed: played.filter((one) => one.hasGuess).length,
  };
}

function refusalsOf(played: readonly Played[]): readonly Refusal[] {
  const refused = played.flatMap(({ attempts, decision }) => (attempts.length === 0 ? (decision.refusal ?? []) : []));
  return [...Map.groupBy(refused, ({ code }) => code)]
    .map(([code, own]) => ({ code, message: own[0]?.message ?? code, requests: own.length }))
    .toSorted((a, b) => b.requests - a.requests);
}

function tiersOf(answered: readonly Played[]): PlayReport['tiers'] {
  const tiers = [...Map.groupBy(answered, (one) => one.answer?.tier ?? 'unknown')];
  return tiers
    .map(([tier, own]) => ({ tier, requests: own.length, share: own.length / answered.length }))
    .toSorted((a, b) => b.requests - a.requests);
}

function seenInPlay({ arrival, answer, attempts, totalMs, firstTokenMs, costUsd, decision }: Played): SeenRequest {
  return {
    id: arrival.id,
    at: arrival.at,
    asked: decision.asked,
    provider: answer?.provider ?? null,
    deployment: answer?.deployment ?? null,
    isFallback: answer?.isFallback ?? false,
    isCached: false,
    state: answer !== undefined ? 'completed' : attempts.length > 0 ? 'upstream_error' : 'rejected',
    totalMs,
    firstTokenMs: firstTokenMs ?? null,
    costUsd: costUsd ?? null,
    failed: attempts.filter((one) => one.failure !== undefined),
    plan: decision.plan,
  };
}
