import { describeDecision, nameOf, unrouted } from '../analysis/describe-decision.ts';
import { describeFacts } from '../analysis/facts-record.ts';
import type { AttemptRecord, DecisionRecord } from '../contract/decision-record.ts';
import { type SettledRequest, waitedMs } from '../gateway/request.ts';
import type { Degradation } from '../plan/decision.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import { createIsoTime } from '../plan/iso-time.ts';
import { ownWords } from '../plan/own-words.ts';
import { answerUsd } from '../routing/cost.ts';

const receiveTime = createIsoTime();

/** A decision with what became of it: `why`. */
export function describeSettled(request: SettledRequest): DecisionRecord {
  const { plan } = request.snapshot;
  const { decision, failure, usage, answeredBy, degradation } = request;
  const base = decision === undefined ? undecidedBase(request) : describeDecision(plan, decision);
  return {
    ...base,
    id: request.id,
    time: receiveTime(request.receivedAt),
    facts: request.understood === undefined ? null : describeFacts(plan, request.understood.facts),
    seed: request.seed,
    plan: plan.hash,
    attempts: request.outcomes.map(
      (one): AttemptRecord => ({
        deployment: nameOf(plan, one.attempt.deployment, one.attempt.model),
        provider: plan.deployments[one.attempt.deployment]?.provider ?? 'unknown',
        source: one.attempt.source,
        startMs: Math.round(one.startedAt - request.startedAt),
        ms: Math.round(one.endedAt - one.startedAt),
        outcome: one.failure?.kind ?? 'answered',
        detail: one.failure === undefined ? null : ownWords(one.failure),
      }),
    ),
    waits: request.waits.map(({ attempt, since, endedAt, position, waitMs }) => ({
      deployment: nameOf(plan, attempt.deployment, attempt.model),
      ms: Math.round(endedAt - since),
      position,
      predictedMs: waitMs === undefined ? null : Math.round(waitMs),
    })),
    answeredBy: answeredBy === undefined ? cachedRoute(request) : nameOf(plan, answeredBy.deployment, answeredBy.model),
    cache: describeCaching(request),
    degraded: describeDegradation(degradation),
    refusal:
      failure === undefined ? base.refusal : { code: failureCatalogue[failure.kind].code, message: ownWords(failure) },
    state: request.terminal ?? null,
    timing: timingOf(request),
    usage:
      usage === undefined
        ? null
        : { promptTokens: usage.promptTokens ?? null, completionTokens: usage.completionTokens ?? null },
    costUsd: costOf(request),
  };
}

/** Why an answer is less than what was asked for, in words. */
export function describeDegradation(degradation: Degradation | undefined): string | null {
  return degradation === undefined ? null : `${degradation.reason}: from ${degradation.from} to ${degradation.to}`;
}

function undecidedBase({ understood, caching }: SettledRequest): DecisionRecord {
  const base = unrouted(understood?.facts.asked);
  if (caching?.answer === undefined) return base;
  return { ...base, rule: { kind: 'cache', text: 'an equal request was answered before' } };
}

/** Who gave the answer that was given again. */
function cachedRoute({ caching }: SettledRequest): string | null {
  return caching?.answer === undefined ? null : `${caching.answer.provider}/${caching.answer.model}`;
}

function describeCaching({ caching, receivedAt }: SettledRequest): DecisionRecord['cache'] {
  if (caching === undefined) return null;
  const { outcome, key, answer } = caching;
  const ageMs = answer === undefined ? undefined : Math.max(0, receivedAt - answer.storedAt);
  return { outcome, key: key?.hash ?? null, ageSeconds: ageMs === undefined ? null : Math.round(ageMs / 1000) };
}

function timingOf(request: SettledRequest): DecisionRecord['timing'] {
  const { startedAt, endedAt, understoodAt, decidedAt, firstTokenAt, outcomes } = request;
  const since = (from: number, to: number | undefined): number | null => (to === undefined ? null : round(to - from));
  let waitMs = 0;
  let last = decidedAt ?? startedAt;
  for (const one of outcomes) {
    waitMs += Math.max(0, one.startedAt - last);
    last = one.endedAt;
  }
  return {
    totalMs: round(endedAt - startedAt),
    receiveMs: since(startedAt, understoodAt),
    decideMs: understoodAt === undefined ? null : since(understoodAt, decidedAt),
    waitMs: outcomes.length === 0 ? null : round(waitMs),
    firstTokenMs: since(startedAt, firstTokenAt),
    ownMs: round(Math.max(0, endedAt - startedAt - waitedMs(request))),
  };
}

/** The price of an answer; unknown without a price or without usage. */
function costOf({ snapshot, answeredBy, usage, caching }: SettledRequest): number | null {
  if (caching?.answer !== undefined) return 0;
  const deployment = answeredBy === undefined ? undefined : snapshot.plan.deployments[answeredBy.deployment];
  return deployment === undefined ? null : (answerUsd(deployment, usage) ?? null);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
