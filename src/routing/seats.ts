import type { Deployment } from '../plan/deployment.ts';
import { type DeploymentIndex, deploymentIndex, type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import type { Provider } from '../plan/provider.ts';
import type { EngineReading } from '../plan/residency.ts';
import type { RoutingState, Successor } from '../plan/routing-state.ts';
import type { SeatQueue, SeatState, Turn, Waiter } from '../plan/seats.ts';

/** Creates the seats of a plan, all free. */
export function createSeatState(plan: Plan): SeatState {
  const providers = [...plan.providers.values()];
  const queues = new Map<string, SeatQueue>();
  const queueOf = plan.deployments.map(({ provider }) => {
    const group = plan.providers.get(provider)?.exclusiveGroup;
    const name = group === undefined ? `provider ${provider}` : `group ${group}`;
    const queue = queues.get(name) ?? { isExclusive: group !== undefined, busy: 0, turn: undefined, waiting: [] };
    queues.set(name, queue);
    return queue;
  });
  return {
    queueOf,
    providerOf: Int32Array.from(plan.deployments, ({ provider }) => providers.findIndex(({ id }) => id === provider)),
    busyAtProvider: new Int32Array(providers.length),
    seatsOfProvider: Int32Array.from(providers, ({ seats }) => seats ?? 0),
    assumedSeats: Float64Array.from(plan.deployments, ({ provider }) => assumedSeats(plan.providers.get(provider))),
    queues: [...queues.values()],
    awaitingLoad: new Int32Array(plan.deployments.length),
  };
}

/** One at home, and any number in a cloud. */
function assumedSeats(provider: Provider | undefined): number {
  return provider?.tier === 'local' ? 1 : Number.MAX_SAFE_INTEGER;
}

/** What the seats of a plan are looked at with. */
export type SeatInput = { readonly plan: Plan; readonly state: RoutingState };

/** Whether a deployment's requests may have to wait at all; most deployments have no bound. */
export function isBounded(input: SeatInput, deployment: DeploymentIndex): boolean {
  return input.state.seats.queueOf[deployment]?.isExclusive === true || mostAtOnce(input, deployment) !== undefined;
}

/** Requests that a deployment serves at once, by its own seats and by those of its provider; `undefined` is not bounded. */
export function mostAtOnce(input: SeatInput, deployment: DeploymentIndex): number | undefined {
  const own = ownSeats(input, deployment);
  const shared = seatsOfProvider(input.state, deployment);
  return shared === 0 ? own : Math.min(own ?? shared, shared);
}

/** Seats of one deployment: as declared, else as its engine tells; `undefined` is not bounded. */
function ownSeats({ plan, state }: SeatInput, deployment: DeploymentIndex): number | undefined {
  const known = plan.deployments[deployment];
  return known && toldSeats(state, known);
}

/** Seats as a deployment declares, else as its engine tells. */
function toldSeats(state: RoutingState, { index, seats }: Deployment): number | undefined {
  return seats ?? engineOf(state, index)?.seats;
}

/** Seats that a deployment's provider declares for all that it has; 0 is not bounded. */
function seatsOfProvider({ seats }: RoutingState, deployment: DeploymentIndex): number {
  return seats.seatsOfProvider[seats.providerOf[deployment] ?? -1] ?? 0;
}

/** Seats, and how many of them are taken. */
export type SeatsKnown = { readonly most: number; readonly busy: number };

/**
 * The seats that a deployment's requests take: its own, or its provider's, which its other models take
 * too. Where both are known, those of which the larger part is taken. `undefined` where nobody tells.
 */
export function seatsKnown(state: RoutingState, deployment: Deployment): SeatsKnown | undefined {
  const { index } = deployment;
  const own = toldSeats(state, deployment);
  const shared = seatsOfProvider(state, index);
  if (own === undefined && shared === 0) return undefined;
  const busy = busyOf(state, deployment);
  if (shared === 0) return { most: Math.max(1, own ?? 1), busy };
  const { busyAtProvider, providerOf } = state.seats;
  const others = (busyAtProvider[providerOf[index] ?? -1] ?? 0) - (state.inFlight[index] ?? 0);
  const isOwnFuller = own !== undefined && busy * shared >= (busy + others) * own;
  return isOwnFuller ? { most: Math.max(1, own), busy } : { most: shared, busy: busy + others };
}

/** Requests that a deployment has, this gateway's and those of others that its engine told of. */
export function busyOf(state: RoutingState, { index }: Deployment): number {
  return (state.inFlight[index] ?? 0) + (engineOf(state, index)?.foreign ?? 0);
}

/** What a deployment's engine told, while the model is in memory. */
function engineOf({ observations }: RoutingState, deployment: DeploymentIndex): EngineReading | undefined {
  const residency = observations[deployment]?.residency;
  return residency?.kind === 'loaded' ? residency.engine : undefined;
}

/** Who asks for a seat. */
type Asking = Pick<Waiter, 'deployment' | 'model'>;

/**
 * What keeps a request from a seat that is asked for now: nothing, another model's turn, or that all
 * are taken. Where another plan came into force its seats count, since all that run hold theirs there.
 */
export function seatFor(input: SeatInput, asking: Asking): 'free' | 'turn' | 'full' {
  const later = inSuccessor(input.state, asking);
  if (later !== undefined) return seatFor(later, later.asking);
  const { seats, inFlight } = input.state;
  const { deployment } = asking;
  const queue = seats.queueOf[deployment];
  if (queue?.isExclusive === true && queue.busy > 0 && !hasTurn(queue, asking)) return 'turn';
  const most = seatsOfProvider(input.state, deployment);
  if (most > 0 && (seats.busyAtProvider[seats.providerOf[deployment] ?? -1] ?? 0) >= most) return 'full';
  const own = ownSeats(input, deployment);
  return own !== undefined && (inFlight[deployment] ?? 0) >= own ? 'full' : 'free';
}

/** The next plan, and what is asked for by its place there; `undefined` where it has none. */
function inSuccessor({ successor }: RoutingState, asking: Asking): (SeatInput & { asking: Asking }) | undefined {
  const deployment = successor?.deploymentOf[asking.deployment];
  if (successor === undefined || deployment === undefined) return undefined;
  return { ...successor, asking: { deployment, model: asking.model } };
}

function hasTurn({ turn }: SeatQueue, { deployment, model }: Asking): boolean {
  return turn?.deployment === deployment && turn.model === model;
}

/** Takes a seat. In an exclusive group the turn goes to its model, and what had it before is out of memory. */
export function takeSeat(state: RoutingState, asking: Asking, now: Milliseconds): void {
  const { seats, inFlight } = state;
  const { deployment, model } = asking;
  const later = inSuccessor(state, asking);
  if (later !== undefined) takeSeat(later.state, later.asking, now);
  const queue = seats.queueOf[deployment];
  const provider = seats.providerOf[deployment] ?? -1;
  inFlight[deployment] = (inFlight[deployment] ?? 0) + 1;
  seats.busyAtProvider[provider] = (seats.busyAtProvider[provider] ?? 0) + 1;
  if (queue === undefined) return;
  queue.busy++;
  if (!queue.isExclusive || hasTurn(queue, asking)) return;
  const before = queue.turn?.deployment;
  if (before !== undefined && before !== deployment) seeUnloaded(state, before, now);
  const residency = state.observations[deployment]?.residency?.kind;
  // Where the server does not tell, the first model may be in memory already; one that follows another is not.
  const isLoading = residency === undefined ? before !== undefined : residency !== 'loaded';
  queue.turn = { deployment, model, since: now, isLoading, askedAt: now, gapMs: undefined };
}

/** Part of the usual time between two requests that the newest one makes up. */
const newest = 0.3;

/** Records that a model is asked for: whether others of its kind will follow soon decides how long its turn is kept. */
export function seeAsked({ seats }: RoutingState, asking: Asking & Pick<Waiter, 'isBatch'>, now: Milliseconds): void {
  const queue = seats.queueOf[asking.deployment];
  if (queue?.turn === undefined || asking.isBatch || !hasTurn(queue, asking)) return;
  const { askedAt, gapMs } = queue.turn;
  const gap = now - askedAt;
  queue.turn = { ...queue.turn, askedAt: now, gapMs: gapMs === undefined ? gap : gapMs + newest * (gap - gapMs) };
}

function seeUnloaded(state: RoutingState, deployment: DeploymentIndex, at: Milliseconds): void {
  const observation = state.observations[deployment];
  if (observation?.residency === undefined) return;
  state.observations[deployment] = { ...observation, residency: { kind: 'unloaded', at } };
}

/** Takes over into a plan that comes into force the seats that are held, and whose turn it is. */
export function takeOverSeats(previous: RoutingState, { state, deploymentOf }: Successor): void {
  const { seats, inFlight } = state;
  deploymentOf.forEach((deployment, before) => {
    const count = previous.inFlight[before] ?? 0;
    const queue = deployment === undefined ? undefined : seats.queueOf[deployment];
    if (deployment === undefined || queue === undefined) return;
    const provider = seats.providerOf[deployment] ?? -1;
    inFlight[deployment] = (inFlight[deployment] ?? 0) + count;
    seats.busyAtProvider[provider] = (seats.busyAtProvider[provider] ?? 0) + count;
    queue.busy += count;
    const turn = previous.seats.queueOf[before]?.turn;
    if (queue.isExclusive && turn?.deployment === before) queue.turn = { ...turn, deployment };
  });
}

/** Gives a seat back. */
export function leaveSeat({ seats, inFlight, successor }: RoutingState, deployment: DeploymentIndex): void {
  const later = successor?.deploymentOf[deployment];
  if (successor !== undefined && later !== undefined) leaveSeat(successor.state, later);
  const queue = seats.queueOf[deployment];
  const provider = seats.providerOf[deployment] ?? -1;
  inFlight[deployment] = Math.max(0, (inFlight[deployment] ?? 0) - 1);
  seats.busyAtProvider[provider] = Math.max(0, (seats.busyAtProvider[provider] ?? 0) - 1);
  if (queue !== undefined) queue.busy = Math.max(0, queue.busy - 1);
}

/** Records that the model that has the turn has answered, so that it is in memory. */
export function seeTurnAnswered({ seats }: RoutingState, deployment: DeploymentIndex): void {
  const queue = seats.queueOf[deployment];
  if (queue?.turn?.deployment === deployment && queue.turn.isLoading) queue.turn = { ...queue.turn, isLoading: false };
}

/** Shortest time after which a waiter goes before everybody who came later, whatever that costs. */
const patienceMs = 10_000;
/** A model that came into memory is used for at least so many times what that took. */
const loadsWorth = 3;

/** How long a request may be overtaken: longer where a model takes long to load, since changes of model cost that. */
export function patienceOf({ observations }: Pick<RoutingState, 'observations'>, { deployment }: Asking): number {
  return Math.max(patienceMs, loadsWorth * (observations[deployment]?.speeds.loadMs ?? 0));
}

/** What a queue does now. */
export type Next =
  | { readonly kind: 'goes'; readonly waiter: Waiter }
  /** Nothing runs, and the turn is kept for its own model: the queue has to be looked at again then. */
  | { readonly kind: 'kept'; readonly until: Milliseconds }
  /** Nobody, until somebody comes or gives a seat back. */
  | { readonly kind: 'nobody' };

const nobody: Next = { kind: 'nobody' };

/**
 * Who of a queue goes next, if anybody can now. Whoever has waited past its patience goes first, the
 * oldest before the others; then what people watch before batch work; then, in an exclusive
 * group, the model that has the turn, since every change costs a load; then who came first.
 */
export function nextOf(input: SeatInput, queue: SeatQueue, now: Milliseconds): Next {
  for (const waiter of inOrder(input.state, queue, now)) {
    switch (seatFor(input, waiter)) {
      case 'free': {
        const until = keptUntil(input.state, queue, waiter);
        return until > now ? { kind: 'kept', until } : { kind: 'goes', waiter };
      }
      case 'turn':
        // The turn ends when what runs is over; letting more of its model in would put that off.
        return nobody;
      case 'full':
        break;
    }
  }
  return nobody;
}

/** Times the usual gap between two requests after which no further one is expected. */
const gapsExpected = 2;
/** A load that seemed shorter had luck: Ollama looks four times a second whether a model has come up. */
const leastLoadMs = 250;
const notKept: Milliseconds = milliseconds(0);

/**
 * Until when a turn is kept for its own model although another could have it: while the next request
 * for it is expected, where that is sooner than it could be loaded again, and not past anybody's patience.
 */
function keptUntil({ observations }: RoutingState, queue: SeatQueue, waiter: Waiter): Milliseconds {
  const { turn } = queue;
  if (!queue.isExclusive || turn?.gapMs === undefined || hasTurn(queue, waiter)) return notKept;
  const loadOf = (deployment: DeploymentIndex): number | undefined => observations[deployment]?.speeds.loadMs;
  const loadMs = Math.max(leastLoadMs, loadOf(turn.deployment) ?? loadOf(waiter.deployment) ?? 0);
  // A server that idles for a rare request, while others wait, loses more than the change costs.
  if (turn.gapMs > loadMs) return notKept;
  const keptMs = Math.min(gapsExpected * turn.gapMs, loadMs);
  return milliseconds(Math.min(turn.askedAt + keptMs, waiter.since + patienceOf({ observations }, waiter)));
}

/** The waiters of a queue in the order in which they would go now. */
function inOrder(state: RoutingState, queue: SeatQueue, now: Milliseconds): readonly Waiter[] {
  return queue.waiting.toSorted((a, b) => rankOf(state, queue, a, now) - rankOf(state, queue, b, now));
}

/** Equal ranks keep the order of arrival. */
function rankOf(state: RoutingState, queue: SeatQueue, waiter: Waiter, now: Milliseconds): number {
  if (now - waiter.since >= patienceOf(state, waiter)) return 0;
  return 1 + (waiter.isBatch ? 2 : 0) + (queue.isExclusive && !hasTurn(queue, waiter) ? 1 : 0);
}

/** Where a request stands in its queue, and how long it is predicted to wait; `undefined` where nothing was learned yet. */
export type Outlook = { readonly position: number; readonly waitMs: number | undefined };

/** Predicts the wait of a request that stands in its queue, by playing the queue as it stands to the request's seat. */
export function outlookOf(input: SeatInput, waiter: Waiter, now: Milliseconds): Outlook {
  const { state } = input;
  const queue = state.seats.queueOf[waiter.deployment];
  if (queue === undefined) return { position: 1, waitMs: 0 };
  const position = inOrder(state, queue, now).indexOf(waiter) + 1;
  return { position, waitMs: playedWait(input, queue, waiter, now) };
}

function playedWait(input: SeatInput, queue: SeatQueue, waiter: Waiter, now: Milliseconds): number | undefined {
  const { state } = input;
  let waitMs = leftOfRunning(input, queue, now);
  let { turn } = queue;
  const waiting = [...queue.waiting];
  while (waitMs !== undefined && waiting.length > 0) {
    const played: SeatQueue = { ...queue, turn, waiting };
    const [next] = inOrder(state, played, (now + waitMs) as Milliseconds);
    if (next === undefined) break;
    if (queue.isExclusive && !hasTurn(played, next)) {
      if (next === waiter) return waitMs;
      waitMs += state.observations[next.deployment]?.speeds.loadMs ?? 0;
      turn = { ...next, isLoading: false, askedAt: now, gapMs: undefined };
    }
    if (next === waiter) return waitMs;
    waiting.splice(waiting.indexOf(next), 1);
    if (!queue.isExclusive && !sharesSeats(input, next, waiter)) continue;
    const answerMs = state.observations[next.deployment]?.speeds.answerMs;
    waitMs = answerMs === undefined ? undefined : waitMs + answerMs / parallelOf(input, next.deployment);
  }
  return waitMs;
}

/** Whether one takes a seat that the other waits for. */
function sharesSeats({ state }: SeatInput, a: Asking, b: Asking): boolean {
  return a.deployment === b.deployment || seatsOfProvider(state, a.deployment) > 0;
}

/** Time until a seat of what runs is free: half an answer, and what is left of a load. */
function leftOfRunning(input: SeatInput, queue: SeatQueue, now: Milliseconds): number | undefined {
  const { seats, inFlight, observations } = input.state;
  if (queue.busy === 0) return 0;
  let soonest: number | undefined;
  inFlight.forEach((count, deployment) => {
    if (count === 0 || seats.queueOf[deployment] !== queue) return;
    const speeds = observations[deployment]?.speeds;
    if (speeds?.answerMs === undefined) return;
    const { turn } = queue;
    const load = turn?.isLoading === true ? Math.max(0, turn.since + (speeds.loadMs ?? 0) - now) : 0;
    const left = load + speeds.answerMs / 2 / parallelOf(input, deploymentIndex(deployment));
    soonest = Math.min(soonest ?? left, left);
  });
  return soonest;
}

/** Requests of a deployment that are served at once. */
function parallelOf(input: SeatInput, deployment: DeploymentIndex): number {
  return Math.max(1, mostAtOnce(input, deployment) ?? unboundedTogether);
}

/** A model without a bound that has its turn serves what waits for it together; a few times faster is a guess. */
const unboundedTogether = 4;

/** Counts a request that waits until a deployment has loaded; the function that it gives ends that, once. */
export function awaitLoad({ seats }: RoutingState, deployment: DeploymentIndex): () => void {
  const change = (by: number): void => {
    seats.awaitingLoad[deployment] = (seats.awaitingLoad[deployment] ?? 0) + by;
  };
  change(1);
  let waits = true;
  return () => {
    if (waits) change(-1);
    waits = false;
  };
}

/** How many wait for the seats that a deployment's requests take, be they shared with other models, or until it has loaded. */
export function waitingAt(state: RoutingState, deployment: DeploymentIndex): number {
  const { awaitingLoad, queueOf, providerOf } = state.seats;
  let count = awaitingLoad[deployment] ?? 0;
  const waiting = queueOf[deployment]?.waiting;
  if (waiting === undefined || waiting.length === 0) return count;
  const provider = seatsOfProvider(state, deployment) > 0 ? providerOf[deployment] : undefined;
  for (const one of waiting) if (one.deployment === deployment || providerOf[one.deployment] === provider) count++;
  return count;
}

/** What a queue does for one deployment at the moment: how many wait, and whether it is loading for them. */
export type QueueSight = {
  readonly waiting: number;
  readonly first: Waiter | undefined;
  readonly loading: Turn | undefined;
};

const idle: QueueSight = { waiting: 0, first: undefined, loading: undefined };

/** Looks at a deployment's part of its queue, and at those who wait until it has loaded. */
export function queueSight({ seats }: RoutingState, deployment: DeploymentIndex): QueueSight {
  const queue = seats.queueOf[deployment];
  const loading = seats.awaitingLoad[deployment] ?? 0;
  if (queue === undefined || queue.busy + queue.waiting.length + loading === 0) return idle;
  const waiting = queue.waiting.filter((one) => one.deployment === deployment);
  const isLoading = queue.busy > 0 && queue.turn?.deployment === deployment && queue.turn.isLoading;
  return { waiting: waiting.length + loading, first: waiting[0], loading: isLoading ? queue.turn : undefined };
}
