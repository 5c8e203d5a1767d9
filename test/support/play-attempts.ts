import type { AttemptOutcome, PlannedAttempt } from '../../src/plan/decision.ts';
import type { FailureKind } from '../../src/plan/failure.ts';
import { failure } from '../../src/plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../../src/plan/routing-state.ts';
import { decide } from '../../src/routing/decide.ts';
import { goOn } from '../../src/routing/go-on.ts';
import {
  applyAttemptEnded,
  applyAttemptStarted,
  applyBudget,
  applyFailure,
  createRoutingState,
} from '../../src/routing/state.ts';
import { factsOf, type PlanOf, planOf } from './plan-of.ts';

/** What a provider answers: always the same failure, one after the other, or `ok`. */
export type Answers = Readonly<Record<string, FailureKind | 'ok' | readonly (FailureKind | 'ok')[]>>;

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

/** Decides, attempts and goes on, with the state as the gateway would keep it. */
export function play(row: Play): Played {
  const plan = planOf(row.plan);
  const state = createRoutingState(plan, begin);
  row.health?.forEach((one, index) => {
    if (one !== undefined) state.health[index] = one;
  });
  for (let count = 0; count < (row.spent ?? 0); count++) applyBudget(state, 'retries', begin);
  return playRequest({ plan, state }, row, begin);
}

/** What was tried for a request, in order, and how it ended. */
export type Played = { readonly tried: string; readonly ends: string };

/** One request to a running system that is made of values. */
export function playRequest(
  { plan, state }: { readonly plan: Plan; readonly state: RoutingState },
  row: PlayedRequest,
  at: Milliseconds,
): Played {
  const facts = factsOf({ asked: 'm', ...row.facts });
  const decision = decide(plan, state, facts, at, half);
  const outcomes: AttemptOutcome[] = [];
  const tried: string[] = [];
  let now = at;
  let attempt = decision.attempts[0];
  let wait = 0;
  while (attempt !== undefined) {
    now = milliseconds(now + wait + 10);
    const provider = plan.deployments[attempt.deployment]?.provider ?? '';
    tried.push(wait === 0 ? provider : `+${wait} ${provider}`);
    const outcome = attemptOnce({ row, plan, state, attempt, now, count: tried.length });
    if (outcome === 'ok') return { tried: tried.join(' '), ends: 'ok' };
    outcomes.push(outcome);
    if (row.meanwhile?.after === tried.length) row.meanwhile.change(state);
    const deadline = milliseconds(at + (row.deadlineMs ?? 600_000));
    const next = goOn({ plan, state, facts, decision, outcomes, deadline, now, random: half });
    if (next.kind === 'stop') return { tried: tried.join(' '), ends: next.failure.kind };
    if (next.retry) applyBudget(state, 'retries', now);
    attempt = next.attempt;
    wait = next.delayMs;
  }
  return { tried: '', ends: decision.refusal?.kind ?? 'nothing' };
}

/** The middle of every draw. */
export const half = (): number => 0.5;

type One = {
  readonly row: PlayedRequest;
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly attempt: PlannedAttempt;
  readonly now: Milliseconds;
  readonly count: number;
};

function attemptOnce({ row, plan, state, attempt, now, count }: One): AttemptOutcome | 'ok' {
  const { deployment } = attempt;
  const answers = row.answers[plan.deployments[deployment]?.provider ?? ''] ?? 'ok';
  const answer = typeof answers === 'string' ? answers : (answers[count - 1] ?? 'ok');
  applyAttemptStarted(state, attempt, now);
  applyAttemptEnded(state, attempt);
  if (answer === 'ok') return 'ok';
  const known = row.retryAfterMs === undefined ? {} : { retryAfterMs: milliseconds(row.retryAfterMs) };
  const failed = failure(answer, undefined, known);
  const alone = plan.deployments.length === 1;
  applyFailure(state, { plan, deployment, failure: failed, now, alone, random: 0.5 });
  return { attempt, failure: failed, startedAt: now, endedAt: now };
}
