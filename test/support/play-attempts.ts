import type { AttemptOutcome, Decision, PlannedAttempt } from '../../src/plan/decision.ts';
import type { Failure, FailureKind } from '../../src/plan/failure.ts';
import { failure } from '../../src/plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../../src/plan/routing-state.ts';
import { decide } from '../../src/routing/decide.ts';
import { goOn } from '../../src/routing/go-on.ts';
import { countRetry } from '../../src/routing/retry-budget.ts';
import {
  applyAttemptEnded,
  applyAttemptStarted,
  applyFailure,
  applyRotation,
  applySuccess,
  createRoutingState,
} from '../../src/routing/state.ts';
import { factsOf, type PlanOf, planOf } from './plan-of.ts';

/** What an upstream answers to one attempt, and after how long. */
export type Scripted = { readonly failure: Failure | undefined; readonly tookMs: number };

/** A request before scripted upstreams, from its decision on. */
export type Script = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly now: Milliseconds;
  readonly deadline: Milliseconds;
  readonly random: () => number;
  /** The answer to an attempt; `count` is how many the request has made, this one included. */
  readonly upstream: (attempt: PlannedAttempt, count: number) => Scripted;
  /** Called when an attempt is over, with how many there were. */
  readonly meanwhile?: (count: number) => void;
};

/** One attempt as it went: how long it was waited for, and whether it drew on the retry budget. */
export type PlayedAttempt = AttemptOutcome & { readonly waitedMs: number; readonly isRetry: boolean };

/** What became of a request. */
export type Played = {
  readonly decision: Decision;
  readonly attempts: readonly PlayedAttempt[];
  /** What the client is told; absent where it has its answer. */
  readonly failure: Failure | undefined;
  readonly endedAt: Milliseconds;
};

/** Decides, attempts and goes on, with the state as the gateway keeps it. */
export function playScript(script: Script): Played {
  const { plan, state, facts, deadline, random } = script;
  const decision = decide(plan, state, facts, script.now, random);
  if (decision.rotation !== undefined) applyRotation(state, decision.rotation);
  const attempts: PlayedAttempt[] = [];
  let now = script.now;
  let next: Omit<PlayedAttempt, keyof AttemptOutcome> & { attempt: PlannedAttempt | undefined } = {
    attempt: decision.attempts[0],
    waitedMs: 0,
    isRetry: false,
  };
  while (next.attempt !== undefined) {
    const { attempt, waitedMs, isRetry } = next;
    const startedAt = milliseconds(now + waitedMs);
    const { failure: failed, tookMs } = script.upstream(attempt, attempts.length + 1);
    const endedAt = milliseconds(Math.min(deadline, startedAt + tookMs));
    applyAttemptStarted(state, attempt, startedAt);
    applyAttemptEnded(state, attempt);
    attempts.push({ attempt, failure: failed, startedAt, endedAt, waitedMs, isRetry });
    now = endedAt;
    if (failed === undefined) {
      applySuccess(state, attempt.deployment, { now, startedAt });
      return { decision, attempts, failure: undefined, endedAt };
    }
    const alone = decision.attempts.every((one) => one.deployment === attempt.deployment);
    applyFailure(state, { plan, deployment: attempt.deployment, failure: failed, now, alone, random: random() });
    script.meanwhile?.(attempts.length);
    const after = goOn({ plan, state, facts, decision, outcomes: attempts, deadline, now, random });
    if (after.kind === 'stop') return { decision, attempts, failure: after.failure, endedAt };
    if (after.retry) countRetry(state.retryBudget, now);
    next = { attempt: after.attempt, waitedMs: after.delayMs, isRetry: after.retry };
  }
  return { decision, attempts, failure: decision.refusal ?? failure('internal'), endedAt: now };
}

/** What each provider answers: always the same failure, one after the other, or `ok`; or the one failure of them all. */
export type Answers = FailureKind | Readonly<Record<string, FailureKind | 'ok' | readonly (FailureKind | 'ok')[]>>;

/** A request as it would go: a plan, what its providers answer, and what is tried until it ends. */
export type Play = {
  readonly name: string;
  readonly plan: PlanOf;
  readonly facts?: Partial<RequestFacts>;
  readonly answers: Answers;
  readonly health?: readonly (DeploymentHealth | undefined)[];
  readonly retryAfterMs?: number;
  readonly deadlineMs?: number;
  /** Retries of other requests in the last seconds. */
  readonly spent?: number;
  /** What happens to the state after so many attempts. */
  readonly meanwhile?: { readonly after: number; readonly change: (state: RoutingState) => void };
  /** Attempts in order, each `provider`, or `+WAIT provider` where it had to wait. */
  readonly tried: string;
  /** `ok`, or the failure that the client is told. */
  readonly ends: string;
};

/** What is known of a request and of those that answer it. */
export type PlayedRequest = Pick<Play, 'facts' | 'answers' | 'retryAfterMs' | 'deadlineMs' | 'meanwhile'>;

/** When every play begins. */
export const begin: Milliseconds = milliseconds(100_000);

/** The middle of every draw. */
export const half = (): number => 0.5;

/** What was tried for a request, in order, and how it ended. */
export type Told = { readonly tried: string; readonly ends: string };

/** Plays a row; every attempt takes ten milliseconds. */
export function play(row: Play): Told {
  const plan = planOf(row.plan);
  const state = createRoutingState(plan, begin);
  row.health?.forEach((one, index) => {
    if (one !== undefined) state.health[index] = one;
  });
  for (let count = 0; count < (row.spent ?? 0); count++) countRetry(state.retryBudget, begin);
  return playRequest({ plan, state }, row, begin);
}

/** One request to a running system that is made of values. */
export function playRequest(
  { plan, state }: { readonly plan: Plan; readonly state: RoutingState },
  row: PlayedRequest,
  now: Milliseconds,
): Told {
  const providerOf = ({ deployment }: PlannedAttempt): string => plan.deployments[deployment]?.provider ?? '';
  const known = row.retryAfterMs === undefined ? {} : { retryAfterMs: milliseconds(row.retryAfterMs) };
  const { attempts, failure: failed } = playScript({
    plan,
    state,
    facts: factsOf({ asked: 'm', ...row.facts }),
    now,
    deadline: milliseconds(now + (row.deadlineMs ?? 600_000)),
    random: half,
    upstream: (attempt, count) => {
      const answers = typeof row.answers === 'string' ? row.answers : (row.answers[providerOf(attempt)] ?? 'ok');
      const answer = typeof answers === 'string' ? answers : (answers[count - 1] ?? 'ok');
      return { failure: answer === 'ok' ? undefined : failure(answer, undefined, known), tookMs: 10 };
    },
    meanwhile: (count) => {
      if (row.meanwhile?.after === count) row.meanwhile.change(state);
    },
  });
  const tried = attempts.map(
    ({ attempt, waitedMs }) => `${waitedMs === 0 ? '' : `+${waitedMs} `}${providerOf(attempt)}`,
  );
  return { tried: tried.join(' '), ends: failed?.kind ?? 'ok' };
}
