import type { AttemptRecord, CandidateRecord } from '../contract/decision-record.ts';
import type { FailureKind } from '../plan/failure.ts';
import { failureCatalogue } from '../plan/failure-catalogue.ts';
import { milliseconds } from '../plan/ids.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { seededRandom } from '../plan/seeded.ts';
import type { Arrival } from './arrival.ts';
import { createSeatLine, type SeatLine, seatsAt } from './seats.ts';
import type { Work, World } from './world.ts';

/**
 * A world in which servers are as they were recorded: a request that asks whom it really asked gets
 * what it really got, less its wait for a seat, which the play makes anew. Whoever asks somebody
 * else gets what a recorded attempt there came to, drawn by the seed.
 */
export function recordedWorld(plan: Plan, arrivals: readonly Arrival[], seed: number): World {
  const samples = takeSamples(plan, arrivals);
  const byDeployment = Map.groupBy(samples, (one) => one.deployment);
  const byArrival = Map.groupBy(samples, (one) => one.arrival);
  const answered = samples.filter((one) => one.service.failure === undefined);
  return {
    serve(arrival, deployment, nth) {
      const own = byArrival.get(arrival)?.filter((one) => one.deployment === deployment)[nth];
      if (own !== undefined) return own.service;
      const others = byDeployment.get(deployment);
      const draw = seededRandom(seed ^ arrival.seed ^ Math.imul(nth + 1, 0x9e3779b1))();
      const list = others ?? answered;
      const sample = list[Math.floor(draw * list.length)];
      if (sample === undefined) return unknownWork;
      return { ...scaled(sample, arrival.outputTokens), isGuess: others === undefined };
    },
    healthAt: ({ record, at }) =>
      new Map(
        (record?.candidates ?? []).flatMap((one) => {
          const health = healthOf(one, at);
          return health === undefined ? [] : [[one.deployment, health] as const];
        }),
      ),
  };
}

/** Of a deployment when nothing at all is recorded. */
const unknownWork: Work = { ms: 1000, firstTokenMs: undefined, failure: undefined, isGuess: true };

/** One attempt that was real, with the time it took once it had its seat. */
type Sample = {
  readonly arrival: Arrival;
  readonly deployment: string;
  readonly outputTokens: number | undefined;
  readonly service: Work;
};

/** An attempt with its moments on the virtual clock. */
type Real = {
  readonly arrival: Arrival;
  readonly attempt: AttemptRecord;
  readonly start: number;
  readonly end: number;
};

/**
 * What was recorded is waiting and work in one. Seats are first come, first served, so each
 * attempt's work began when it came or when a seat became free, whichever was later.
 */
function takeSamples(plan: Plan, arrivals: readonly Arrival[]): readonly Sample[] {
  const real = arrivals.flatMap((arrival) =>
    (arrival.record?.attempts ?? []).map((attempt): Real => {
      const start = arrival.at + (attempt.startMs ?? 0);
      return { arrival, attempt, start, end: start + attempt.ms };
    }),
  );
  real.sort((a, b) => a.start - b.start);
  const seats = seatsByName(plan);
  const lines = new Map<string, SeatLine>();
  return real.flatMap((one) => sampleOf(one, seats, lines));
}

function sampleOf(real: Real, seats: ReturnType<typeof seatsByName>, lines: Map<string, SeatLine>): readonly Sample[] {
  const { arrival, attempt, start, end } = real;
  const failure = failureOf(attempt.outcome);
  if (failure === 'client_closed') return [];
  const { key, count } = seats.get(attempt.deployment) ?? { key: attempt.deployment, count: Number.POSITIVE_INFINITY };
  const line = lines.get(key) ?? createSeatLine(count);
  lines.set(key, line);
  const begin = Math.min(line.freeFrom(start), end);
  line.take(end);
  const firstTokenAt = arrival.record?.timing.firstTokenMs;
  const isStream = arrival.facts.stream && failure === undefined && firstTokenAt != null;
  const firstTokenMs = isStream ? Math.min(end - begin, Math.max(0, arrival.at + firstTokenAt - begin)) : undefined;
  const service = { ms: end - begin, firstTokenMs, failure, isGuess: false };
  return [{ arrival, deployment: attempt.deployment, outputTokens: arrival.outputTokens, service }];
}

function seatsByName(plan: Plan): ReadonlyMap<string, ReturnType<typeof seatsAt>> {
  return new Map(
    plan.deployments.map(({ index }) => {
      const { provider, backendModel } = deploymentAt(plan, index);
      return [`${provider}/${backendModel}`, seatsAt(plan, index)];
    }),
  );
}

function failureOf(outcome: string): FailureKind | undefined {
  if (outcome === 'answered') return undefined;
  return isFailureKind(outcome) ? outcome : 'upstream_error';
}

function isFailureKind(word: string): word is FailureKind {
  return Object.hasOwn(failureCatalogue, word);
}

/** The same work for an answer of another length: what follows the first token grows with it. */
function scaled({ service, outputTokens }: Sample, wanted: number | undefined): Work {
  if (wanted === undefined || outputTokens === undefined || outputTokens === 0 || service.failure !== undefined)
    return service;
  const first = service.firstTokenMs ?? 0;
  return { ...service, ms: first + (service.ms - first) * (wanted / outputTokens) };
}

/** For long enough that it holds until the next request is seen. */
const forNowMs = 3_600_000;

/** How a deployment was, by what its verdict says; undefined where something else decided. */
function healthOf({ verdict, reason, detail }: CandidateRecord, at: number): DeploymentHealth | undefined {
  const since = milliseconds(at);
  if (verdict !== 'excluded') return { kind: 'ready' };
  switch (reason) {
    case 'down':
      return { kind: 'down', since, why: detail ?? 'it was down' };
    case 'cooling':
      return { kind: 'cooling', since, until: milliseconds(at + forNowMs), why: 'failures', round: 0 };
    case 'half_open_busy':
      return { kind: 'half_open', since, round: 0 };
    case 'loading':
      return { kind: 'loading', since, readyAt: milliseconds(at + forNowMs) };
    case 'draining':
      return { kind: 'draining', since };
    default:
      return undefined;
  }
}
