import type { Deployment } from '../plan/deployment.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { type Speeds, unseenSpeeds } from '../plan/residency.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { busyOf, seatsKnown, waitingAt } from './seats.ts';

/** What one answered attempt shows of its deployment. */
export type Lesson = {
  /** Whether the model was in memory when the attempt began; `undefined` where its server does not tell. */
  readonly wasLoaded: boolean | undefined;
  /** Whether the deployment had nothing else to do then: else the time of others is in the first token's. */
  readonly wasAlone: boolean;
  /** Tokens that had to be read; those that the server had cached are left out. */
  readonly promptTokens: number;
  readonly outputTokens: number | undefined;
  /** From the beginning to the first token; `undefined` for an answer that came whole. */
  readonly firstTokenMs: number | undefined;
  readonly totalMs: number;
  /** Tokens of prompt and answer beyond the estimate that was counted when the attempt began. */
  readonly furtherTokens: number;
};

/** Speeds after one more attempt. */
export function learn(speeds: Speeds, lesson: Lesson): Speeds {
  const { firstTokenMs, totalMs, outputTokens, promptTokens } = lesson;
  const known = { ...speeds };
  if (lesson.wasLoaded !== false) known.answerMs = average(speeds.answerMs, totalMs);
  if (firstTokenMs === undefined) {
    // Of an answer that came whole, what is more than an answer takes was the load.
    if (lesson.wasLoaded === false && lesson.wasAlone)
      known.loadMs = average(speeds.loadMs, Math.max(0, totalMs - (speeds.answerMs ?? 0)));
    return known;
  }
  if (outputTokens !== undefined && outputTokens > 1)
    known.decodeMsPerToken = average(speeds.decodeMsPerToken, (totalMs - firstTokenMs) / (outputTokens - 1));
  if (!lesson.wasAlone) return known;
  const prefillMs = (speeds.prefillMsPerToken ?? 0) * promptTokens;
  if (lesson.wasLoaded === false) known.loadMs = average(speeds.loadMs, Math.max(0, firstTokenMs - prefillMs));
  else known.prefillMsPerToken = average(speeds.prefillMsPerToken, firstTokenMs / Math.max(1, promptTokens));
  return known;
}

/** Speeds after a load that was watched from outside. */
export function learnLoad(speeds: Speeds, loadMs: number): Speeds {
  return { ...speeds, loadMs: average(speeds.loadMs, loadMs) };
}

/** Part of the average that the newest lesson makes up. */
const newest = 0.3;
/** One slow answer says little: it counts as at most so many times what was known. */
const surprise = 4;

function average(known: number | undefined, seen: number): number {
  if (known === undefined) return seen;
  return known + newest * (Math.min(seen, known * surprise + 1) - known);
}

/** How long an answer is predicted to take, by what the time is for; in milliseconds. */
export type Prediction = {
  readonly queue: number;
  readonly load: number;
  readonly prefill: number;
  readonly decode: number;
};

/** What a prediction looks at. */
export type PredictionInput = {
  readonly plan: Plan;
  readonly state: RoutingState;
  readonly facts: RequestFacts;
  readonly now: Milliseconds;
};

/** Output that is reckoned with where a request sets no limit. */
export const assumedOutputTokens = 256;
/** Load time of a model that was never seen to load. */
const assumedLoadMs = 5000;
/** What an answer takes where nobody has given one: long enough that who is ahead counts. */
const assumedAnswerMs = 5000;

/** Predicts an answer of a deployment; a speed of its own that is not known is taken from `assumed`. */
export function predict(input: PredictionInput, deployment: Deployment, assumed: Speeds): Prediction {
  const own = speedsOf(input.state, deployment);
  const prefill = prefillMs(input.facts, own, assumed);
  const decode = decodeMs(input.facts, own, assumed);
  // Who is ahead is reckoned to want what this request wants.
  const queue = roundsAhead(input.state, deployment) * (prefill + decode);
  return { queue, load: loadLeft(input, deployment, own.loadMs ?? assumed.loadMs), prefill, decode };
}

/** The sum of a prediction: among thousands each is predicted, so no object is made for it. */
export function predictMs(input: PredictionInput, deployment: Deployment, assumed: Speeds): number {
  const own = speedsOf(input.state, deployment);
  const work = prefillMs(input.facts, own, assumed) + decodeMs(input.facts, own, assumed);
  return (roundsAhead(input.state, deployment) + 1) * work + loadLeft(input, deployment, own.loadMs ?? assumed.loadMs);
}

/** What attempts have taught of a deployment's speed. */
export function speedsOf({ observations }: RoutingState, { index }: Pick<Deployment, 'index'>): Speeds {
  return observations[index]?.speeds ?? unseenSpeeds;
}

function prefillMs({ promptTokens }: RequestFacts, own: Speeds, assumed: Speeds): number {
  return (own.prefillMsPerToken ?? assumed.prefillMsPerToken ?? 0) * promptTokens;
}

/** Answers that come whole teach no speed of writing, so what one takes stands for it. */
function decodeMs(facts: RequestFacts, own: Speeds, assumed: Speeds): number {
  const { decodeMsPerToken, answerMs } =
    own.decodeMsPerToken === undefined && own.answerMs === undefined ? assumed : own;
  if (decodeMsPerToken !== undefined) return decodeMsPerToken * (facts.maxOutputTokens ?? assumedOutputTokens);
  return Math.max(0, (answerMs ?? assumedAnswerMs) - prefillMs(facts, own, assumed));
}

/** How many times a deployment's seats are filled by others before a request has one. */
function roundsAhead(state: RoutingState, deployment: Deployment): number {
  const known = seatsKnown(state, deployment);
  const most = known?.most ?? assumedSeats(state, deployment);
  const ahead = (known?.busy ?? busyOf(state, deployment)) + waitingAt(state, deployment.index);
  return Math.max(0, ahead + 1 - most) / most;
}

/** Requests for each seat that a deployment's requests take, of which there are taken to be so many where nobody told. */
export function busyPerSeat(state: RoutingState, deployment: Deployment, assumedSeats: number): number {
  const known = seatsKnown(state, deployment);
  return known === undefined ? busyOf(state, deployment) / assumedSeats : known.busy / known.most;
}

/**
 * When one of so many running requests is likely to be over: their answers take what those of the
 * deployments at work took before, and are spread over that time. `undefined` where none was learned.
 */
export function nextEndMs(
  { inFlight, observations }: Pick<RoutingState, 'inFlight' | 'observations'>,
  running: number,
): Milliseconds | undefined {
  let known = 0;
  let sum = 0;
  inFlight.forEach((count, index) => {
    const answerMs = observations[index]?.speeds.answerMs;
    if (answerMs === undefined) return;
    known += count;
    sum += count * answerMs;
  });
  return known === 0 ? undefined : milliseconds(sum / known / (running + 1));
}

/** Seats that a deployment is taken to have where nobody told. */
export function assumedSeats({ seats }: RoutingState, { index }: Deployment): number {
  return seats.assumedSeats[index] ?? 1;
}

/** Time until the model is in memory; nothing where its server does not tell. */
function loadLeft({ state, now }: PredictionInput, { index }: Deployment, loadMs: number | undefined): number {
  const health = state.health[index];
  const residency = state.observations[index]?.residency;
  if (health?.kind === 'ready' && residency?.kind !== 'unloaded' && residency?.kind !== 'loading') return 0;
  const whole = loadMs ?? assumedLoadMs;
  const since = health?.kind === 'loading' ? health.since : residency?.kind === 'loading' ? residency.since : undefined;
  // A load that takes longer than it used to may end at any time.
  if (since !== undefined) return Math.max(whole / 10, since + whole - now);
  return residency?.kind === 'unloaded' ? whole : 0;
}
