import type { Deployment } from '../plan/deployment.ts';
import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { Speeds } from '../plan/residency.ts';
import type { RoutingState } from '../plan/routing-state.ts';
import { queueSight } from './seats.ts';

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

/** Predicts an answer of a deployment; `speeds` are its own, with what is not known of it filled in. */
export function predict(input: PredictionInput, deployment: Deployment, speeds: Speeds): Prediction {
  const { state, facts } = input;
  const prefill = (speeds.prefillMsPerToken ?? 0) * facts.promptTokens;
  const decode = (speeds.decodeMsPerToken ?? 0) * (facts.maxOutputTokens ?? assumedOutputTokens);
  const seats = seatsOf(state, deployment);
  // Who is ahead is reckoned to want what this request wants.
  const ahead = busyOf(state, deployment) + queueSight(state, deployment.index).waiting;
  const rounds = Math.max(0, ahead + 1 - seats) / seats;
  return { queue: rounds * (prefill + decode), load: loadLeft(input, deployment, speeds), prefill, decode };
}

/** Requests that a deployment has, this gateway's and those of others that its engine told of. */
export function busyOf({ inFlight, observations }: RoutingState, { index }: Deployment): number {
  const residency = observations[index]?.residency;
  return (inFlight[index] ?? 0) + (residency?.kind === 'loaded' ? residency.engine.foreign : 0);
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

/** Requests that are served at once: as declared, as the engine tells, else as is assumed. */
export function seatsOf(state: RoutingState, { index, seats }: Deployment): number {
  if (seats !== undefined) return Math.max(1, seats);
  const residency = state.observations[index]?.residency;
  const told = residency?.kind === 'loaded' ? residency.engine.seats : undefined;
  return told === undefined ? (state.seats.assumedSeats[index] ?? 1) : Math.max(1, told);
}

/** Time until the model is in memory; nothing where its server does not tell. */
function loadLeft({ state, now }: PredictionInput, { index }: Deployment, { loadMs }: Speeds): number {
  const health = state.health[index];
  const residency = state.observations[index]?.residency;
  const whole = loadMs ?? assumedLoadMs;
  const since = health?.kind === 'loading' ? health.since : residency?.kind === 'loading' ? residency.since : undefined;
  // A load that takes longer than it used to may end at any time.
  if (since !== undefined) return Math.max(whole / 10, since + whole - now);
  return residency?.kind === 'unloaded' ? whole : 0;
}
