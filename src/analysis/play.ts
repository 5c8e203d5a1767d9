import type { DecisionRecord } from '../contract/decision-record.ts';
import type { AttemptOutcome, Decision, PlannedAttempt, Source } from '../plan/decision.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { type Milliseconds, milliseconds, tokens } from '../plan/ids.ts';
import type { Reservation } from '../plan/limit.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import type { SeatQueue, Waiter } from '../plan/seats.ts';
import { seededRandom } from '../plan/seeded.ts';
import type { Usage } from '../plan/usage.ts';
import { decide } from '../routing/decide.ts';
import { enterQueue, leaveQueue } from '../routing/enter-queue.ts';
import { tokensOf } from '../routing/facts.ts';
import { goOn } from '../routing/go-on.ts';
import { limitsOfAttempt } from '../routing/limits-of.ts';
import { isBatch } from '../routing/priority.ts';
import { reserve, sendReserved, settleReservation } from '../routing/reservations.ts';
import { countRequest, countRetry } from '../routing/retry-budget.ts';
import { isBounded, nextOf } from '../routing/seats.ts';
import { spendAnswer } from '../routing/spending.ts';
import {
  applyAttemptEnded,
  applyAttemptStarted,
  applyFailure,
  applyLesson,
  applyPrompt,
  applyRotation,
  applySuccess,
  createRoutingState,
} from '../routing/state.ts';
import type { Arrival } from './arrival.ts';
import { describeDecision, nameOf } from './describe-decision.ts';
import { createEvents, type Events } from './events.ts';
import { createSeatLine, type SeatLine, seatsAt } from './seats.ts';
import type { Work, World } from './world.ts';

/** What became of a request that was played. */
export type Played = {
  readonly arrival: Arrival;
  /** As live traffic would have it, with no words and no attempts. */
  readonly decision: DecisionRecord;
  readonly attempts: readonly {
    readonly deployment: string;
    readonly provider: string;
    readonly source: Source;
    readonly failure: string | undefined;
    /** After the request came, with its seat. */
    readonly startMs: number;
    readonly ms: number;
  }[];
  /** Absent where nobody answered. */
  readonly answer:
    | { readonly deployment: string; readonly provider: string; readonly isFallback: boolean; readonly tier: string }
    | undefined;
  readonly totalMs: number;
  readonly firstTokenMs: number | undefined;
  /** For seats, and before retries. */
  readonly waitMs: number;
  readonly costUsd: number | undefined;
  readonly hasGuess: boolean;
};

/** Lets requests come to a plan on a virtual clock, where a world stands in for the servers. */
export function play(plan: Plan, arrivals: readonly Arrival[], world: World): readonly Played[] {
  const stage: Stage = {
    plan,
    world,
    state: createRoutingState(plan, milliseconds(0)),
    events: createEvents(),
    lines: new Map(),
    waiting: new Map(),
    byName: new Map(plan.deployments.map((one) => [`${one.provider}/${one.backendModel}`, one.index])),
    played: [],
  };
  for (const arrival of arrivals) stage.events.add(arrival.at, () => arrive(stage, arrival));
  stage.events.run();
  const place = new Map(arrivals.map((one, index) => [one, index]));
  return stage.played.toSorted((a, b) => (place.get(a.arrival) ?? 0) - (place.get(b.arrival) ?? 0));
}

type Stage = {
  readonly plan: Plan;
  readonly world: World;
  readonly state: RoutingState;
  readonly events: Events;
  /** What servers have waiting before them, where the gateway lets in more than they take. */
  readonly lines: Map<string, SeatLine>;
  readonly waiting: Map<Waiter, Step>;
  readonly byName: ReadonlyMap<string, number>;
  readonly played: Played[];
};

/** A request on its way. */
type Run = {
  readonly arrival: Arrival;
  readonly decision: Decision;
  readonly outcomes: AttemptOutcome[];
  /** Draws of what follows a failure. */
  readonly random: () => number;
  waitMs: number;
  hasGuess: boolean;
};

function arrive(stage: Stage, arrival: Arrival): void {
  const { plan, state } = stage;
  const now = milliseconds(arrival.at);
  seeHealth(stage, arrival);
  seeTurns(stage, arrival);
  countRequest(state.retryBudget, now);
  const choose = (): Decision => decide(plan, state, arrival.facts, now, seededRandom(arrival.seed));
  const { defaultProviders } = plan.settings.routing;
  let decision = choose();
  for (let asked = 0; decision.needsListing !== undefined && asked < defaultProviders.length; asked++) {
    state.listed.set(
      decision.needsListing,
      new Set(isListed(arrival, decision.needsListing) ? [arrival.facts.asked ?? ''] : []),
    );
    decision = choose();
  }
  const run = { arrival, decision, outcomes: [], random: seededRandom(arrival.seed + 1), waitMs: 0, hasGuess: false };
  const [first] = decision.attempts;
  if (decision.refusal !== undefined || first === undefined) return finish(stage, run, { end: now });
  if (decision.rotation !== undefined) applyRotation(state, decision.rotation);
  attempt(stage, { run, planned: first }, now);
}

/** Whether a provider's live list had the name when the request was real. */
function isListed({ record }: Arrival, provider: string): boolean {
  return record?.rule.kind === 'default_provider' && record.candidates.some((one) => one.provider === provider);
}

function seeHealth({ plan, state, world, byName }: Stage, arrival: Arrival): void {
  for (const [name, health] of world.healthAt(arrival)) {
    const index = byName.get(name) ?? byName.get(`${name.slice(0, name.indexOf('/'))}/*`);
    const deployment = index === undefined ? undefined : plan.deployments[index];
    // What the plan itself disables stays so.
    if (deployment === undefined || plan.providers.get(deployment.provider)?.status !== 'active') continue;
    state.health[deployment.index] = health;
  }
}

/** Sets a round-robin to where it stood when the request was real, where the pool is the same. */
function seeTurns({ plan, state }: Stage, { record }: Arrival): void {
  const group = record?.group == null ? undefined : plan.groups.find((one) => one.name === record.group);
  const rotor = group === undefined ? undefined : state.rotors[group.index];
  if (record === undefined || group?.strategy.name !== 'weighted_round_robin' || rotor === undefined) return;
  const seen = record.candidates.filter((one) => one.source === 'group' && one.group === record.group);
  const known = group.members.map((member) => {
    const { provider, backendModel } = deploymentAt(plan, member.deployment);
    return seen.find(
      (one) => one.provider === provider && one.model === backendModel && one.weight === (member.weight ?? null),
    );
  });
  if (seen.length !== known.length || known.some((one) => one === undefined)) return;
  known.forEach((one, place) => {
    rotor[place] = one?.numbers['turn'] ?? rotor[place] ?? 0;
  });
}

/** What a request tries next. */
type Choice = { readonly run: Run; readonly planned: PlannedAttempt };

/** An attempt that was chosen, until it has its seat. */
type Step = Choice & {
  readonly reservation: Reservation | undefined;
  readonly since: Milliseconds;
};

function attempt(stage: Stage, { run, planned }: Choice, now: Milliseconds): void {
  const { plan, state } = stage;
  const { facts } = run.arrival;
  const limits = limitsOfAttempt(state.limits, facts, run.decision.group, planned);
  const step = { run, planned, reservation: reserve(state.limits, limits, tokensOf(facts)), since: now };
  const { deployment, model } = planned;
  const queue = state.seats.queueOf[deployment];
  if (queue === undefined || !isBounded({ plan, state }, deployment)) return begin(stage, step, now);
  const waiter: Waiter = { deployment, model, isBatch: isBatch(facts), since: now };
  const entry = enterQueue(stage, waiter, { queue, deadline: deadlineOf(stage, run) });
  switch (entry.kind) {
    case 'go':
      return begin(stage, step, now);
    case 'refused':
      return sendAway(stage, step, now);
    case 'wait': {
      stage.waiting.set(waiter, step);
      const end = milliseconds(now + entry.limitMs);
      stage.events.add(end, () => giveUp(stage, waiter, end));
      return letIn(stage, queue, now);
    }
  }
}

function deadlineOf({ plan }: Stage, { arrival }: Run): Milliseconds {
  return milliseconds(arrival.at + plan.settings.timeouts.requestMs);
}

/** Ends a wait that is too long, where it is not over. */
function giveUp(stage: Stage, waiter: Waiter, now: Milliseconds): void {
  const step = stage.waiting.get(waiter);
  const queue = stage.state.seats.queueOf[waiter.deployment];
  if (step === undefined || queue === undefined) return;
  leaveQueue(queue, waiter);
  stage.waiting.delete(waiter);
  sendAway(stage, step, now);
  // Without this one the next in order may be another, whom a free seat waits for.
  letIn(stage, queue, now);
}

/** Gives up a seat that cannot be had in time; others may serve the request. */
function sendAway(stage: Stage, { run, planned, reservation, since }: Step, now: Milliseconds): void {
  if (reservation !== undefined) settleReservation(stage.state.limits, reservation, undefined, now);
  run.waitMs += now - since;
  run.outcomes.push({ attempt: planned, failure: failure('no_seat'), startedAt: now, endedAt: now });
  follow(stage, run, now);
}

/** Lets those in for whom there is a seat now, in the order of the gateway's own queue. */
function letIn(stage: Stage, queue: SeatQueue, now: Milliseconds): void {
  let next = nextOf(stage, queue, now);
  for (; next.kind === 'goes'; next = nextOf(stage, queue, now)) {
    const { waiter } = next;
    const step = stage.waiting.get(waiter);
    leaveQueue(queue, waiter);
    stage.waiting.delete(waiter);
    if (step !== undefined) begin(stage, step, now);
  }
  if (next.kind !== 'kept') return;
  const later = milliseconds(Math.max(now + 1, next.until));
  stage.events.add(later, () => letIn(stage, queue, later));
}

/** A seat in the gateway is taken; the server may have a line of its own before it works. */
function begin(stage: Stage, { run, planned, reservation, since }: Step, now: Milliseconds): void {
  const { plan, state, events, world } = stage;
  const name = nameOf(plan, planned.deployment, planned.model);
  const nth = run.outcomes.filter((one) => one.attempt.deployment === planned.deployment).length;
  const service = world.serve(run.arrival, name, nth);
  const line = lineOf(stage, planned);
  const workFrom = line.freeFrom(now);
  const end = milliseconds(workFrom + service.ms);
  line.take(end);
  run.waitMs += workFrom - since;
  run.hasGuess ||= service.isGuess;
  const wasAlone = (state.inFlight[planned.deployment] ?? 0) === 0;
  const sent = reservation && sendReserved(state.limits, reservation, now);
  applyAttemptStarted(state, planned, now);
  applyPrompt(state, planned.deployment, run.arrival.facts.promptTokens, now);
  events.add(end, () =>
    conclude(stage, run, { planned, service, seatedAt: now, workFrom, end, reservation: sent, wasAlone }),
  );
}

function lineOf({ plan, lines }: Stage, { deployment }: PlannedAttempt): SeatLine {
  const { key, count } = seatsAt(plan, deployment);
  const line = lines.get(key) ?? createSeatLine(count);
  lines.set(key, line);
  return line;
}

type Over = {
  readonly planned: PlannedAttempt;
  readonly service: Work;
  readonly seatedAt: Milliseconds;
  /** Later than the seat where the server has a line of its own. */
  readonly workFrom: number;
  readonly end: Milliseconds;
  readonly reservation: Reservation | undefined;
  readonly wasAlone: boolean;
};

function conclude(stage: Stage, run: Run, over: Over): void {
  const { plan, state, events } = stage;
  const { planned, service, seatedAt: startedAt, end: now, reservation } = over;
  const failed = service.failure === undefined ? undefined : failure(service.failure);
  run.outcomes.push({ attempt: planned, failure: failed, startedAt, endedAt: now });
  if (reservation !== undefined)
    settleReservation(state.limits, reservation, failed === undefined ? used(run) : 0, now);
  applyAttemptEnded(state, planned);
  const queue = state.seats.queueOf[planned.deployment];
  if (queue !== undefined) events.add(now, () => letIn(stage, queue, now));
  if (failed === undefined) {
    applySuccess(state, planned.deployment, { now, startedAt });
    applyLesson(state, planned.deployment, lessonOf(run, over), now);
    return finish(stage, run, { end: now, over });
  }
  const alone = run.decision.attempts.every((one) => one.deployment === planned.deployment);
  applyFailure(state, { plan, deployment: planned.deployment, failure: failed, now, alone, random: run.random() });
  follow(stage, run, now);
}

/** Goes on after a failure as the gateway would. */
function follow(stage: Stage, run: Run, now: Milliseconds): void {
  const { plan, state, events } = stage;
  const { arrival, decision, outcomes, random } = run;
  const deadline = deadlineOf(stage, run);
  const next = goOn({ plan, state, facts: arrival.facts, decision, outcomes, deadline, now, random });
  if (next.kind === 'stop') return finish(stage, run, { end: now });
  if (next.retry) countRetry(state.retryBudget, now);
  run.waitMs += next.delayMs;
  const at = milliseconds(now + next.delayMs);
  events.add(at, () => attempt(stage, { run, planned: next.attempt }, at));
}

function used({ arrival }: Run): number | undefined {
  return arrival.outputTokens === undefined ? undefined : arrival.facts.promptTokens + arrival.outputTokens;
}

function lessonOf(
  { arrival }: Run,
  { service, wasAlone, seatedAt, workFrom, end }: Over,
): Parameters<typeof applyLesson>[2] {
  return {
    wasLoaded: undefined,
    wasAlone,
    promptTokens: arrival.facts.promptTokens,
    outputTokens: arrival.outputTokens,
    firstTokenMs: service.firstTokenMs === undefined ? undefined : workFrom - seatedAt + service.firstTokenMs,
    totalMs: end - seatedAt,
    furtherTokens: arrival.outputTokens ?? 0,
  };
}

/** When a request is over, and the attempt that answered it. */
type Ending = { readonly end: Milliseconds; readonly over?: Over };

function finish({ plan, state, played }: Stage, run: Run, { end, over }: Ending): void {
  const { arrival, decision, outcomes } = run;
  const given = over && { attempt: over.planned, asked: decision.group, usage: usageOf(arrival) };
  const firstToken = over?.service.firstTokenMs;
  played.push({
    arrival,
    decision: describeDecision(plan, decision),
    attempts: outcomes.map((one) => ({
      deployment: nameOf(plan, one.attempt.deployment, one.attempt.model),
      provider: deploymentAt(plan, one.attempt.deployment).provider,
      source: one.attempt.source,
      failure: one.failure?.kind,
      startMs: one.startedAt - arrival.at,
      ms: one.endedAt - one.startedAt,
    })),
    answer: over === undefined ? undefined : answerOf(plan, over.planned),
    totalMs: end - arrival.at,
    firstTokenMs: over === undefined || firstToken === undefined ? undefined : over.workFrom + firstToken - arrival.at,
    waitMs: run.waitMs,
    costUsd: given && spendAnswer({ plan, state }, given, end),
    hasGuess: run.hasGuess,
  });
}

function answerOf(plan: Plan, { deployment, model, source }: PlannedAttempt): NonNullable<Played['answer']> {
  const { provider } = deploymentAt(plan, deployment);
  const tier = plan.providers.get(provider)?.tier ?? 'unknown';
  return { deployment: nameOf(plan, deployment, model), provider, isFallback: source !== 'group', tier };
}

/** What its answer used, as far as it is known. */
function usageOf({ facts, outputTokens }: Arrival): Pick<Usage, 'promptTokens' | 'completionTokens'> {
  const { promptTokens } = facts;
  return { promptTokens, completionTokens: outputTokens === undefined ? undefined : tokens(outputTokens) };
}
