import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import { type Arrival, playSeats, type Served } from '../../test/support/play-seats.ts';
import { deploymentIndex, milliseconds } from '../plan/ids.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import { unseenEngine } from '../plan/residency.ts';
import type { Waiter } from '../plan/seats.ts';
import { decide } from './decide.ts';
import { createLookup } from './facts.ts';
import { leaveSeat, mostAtOnce, nextOf, outlookOf, patienceOf, seatsKnown, seeAsked, takeSeat } from './seats.ts';
import { createRoutingState } from './state.ts';

const card: PlanOf = {
  deployments: ['ollama/m0', 'ollama/m1', 'llama/m2'],
  providers: { ollama: { exclusiveGroup: 'card' }, llama: { exclusiveGroup: 'card' } },
};
const cardPlan = planOf(card);

/** Requests that wait, the running one's deployment, and who goes next: its place among those who wait. */
type Row = {
  readonly name: string;
  readonly plan: PlanOf;
  /** Deployments that have one request under way; the first of them has the turn. */
  readonly running?: readonly number[];
  /** The model that has the turn without anything under way. */
  readonly turn?: number;
  /** `1` waits for deployment 1, `1b` as batch work; `@12` since 12 seconds. */
  readonly waiting: readonly string[];
  readonly next: number | undefined;
};

function check({ plan: written, running = [], turn, waiting, next }: Row): void {
  const plan = planOf(written);
  const state = createRoutingState(plan, milliseconds(0));
  const now = milliseconds(60_000);
  const asking = (index: number): { deployment: Waiter['deployment']; model: string } => ({
    deployment: deploymentIndex(index),
    model: plan.deployments[index]?.backendModel ?? '',
  });
  for (const index of running) takeSeat(state, asking(index), milliseconds(0));
  const [queue] = state.seats.queues;
  if (queue === undefined) throw new Error('The plan has no queue');
  if (turn !== undefined)
    queue.turn = {
      ...asking(turn),
      since: milliseconds(0),
      isLoading: false,
      askedAt: milliseconds(0),
      gapMs: undefined,
    };
  for (const written of waiting) {
    const [, index = '', batch, seconds = '0'] = /^(\d)(b?)(?:@(\d+))?$/.exec(written) ?? [];
    const since = milliseconds(now - Number(seconds) * 1000);
    queue.waiting.push({ ...asking(Number(index)), isBatch: batch === 'b', since });
  }
  const found = nextOf({ plan, state }, queue, now);
  expect(found.kind === 'goes' ? queue.waiting.indexOf(found.waiter) : undefined).toBe(next);
}

const oneSeat: PlanOf = { deployments: { 'a/m0': { seats: 1 }, 'a/m1': {} } };
const provider: PlanOf = { deployments: ['a/m0', 'a/m1'], providers: { a: { seats: 1 } } };

describe('4.1: who goes next', () => {
  test.each<Row>([
    { name: 'who came first', plan: card, waiting: ['0', '1'], next: 0 },
    {
      name: 'the model that has the turn, though another came first',
      plan: card,
      turn: 1,
      waiting: ['0@5', '1'],
      next: 1,
    },
    { name: 'together with what runs of its model', plan: card, running: [1], waiting: ['0@5', '1'], next: 1 },
    {
      name: 'nobody of another model while one runs',
      plan: card,
      running: [1],
      waiting: ['0@5', '2'],
      next: undefined,
    },
    { name: 'what people watch before batch work', plan: card, turn: 1, waiting: ['1b', '0'], next: 1 },
    { name: 'batch work of the turn before other batch work', plan: card, turn: 1, waiting: ['0b', '1b'], next: 1 },
    {
      name: 'who waited past its patience, whoever has the turn',
      plan: card,
      turn: 1,
      waiting: ['1', '0@11'],
      next: 1,
    },
    {
      name: 'and then nobody of the running model enters any more',
      plan: card,
      running: [1],
      waiting: ['1', '0@11'],
      next: undefined,
    },
    { name: 'batch work that waited past its patience too', plan: card, turn: 1, waiting: ['1', '0b@11'], next: 1 },
    { name: 'of those the oldest', plan: card, turn: 1, waiting: ['0@14', '1@12'], next: 0 },
    {
      name: 'nobody where the deployment’s seat is taken',
      plan: oneSeat,
      running: [0],
      waiting: ['0', '0'],
      next: undefined,
    },
    {
      name: 'another deployment of the provider meanwhile',
      plan: oneSeat,
      running: [0],
      waiting: ['0@20', '1'],
      next: 1,
    },
    {
      name: 'nobody where the provider’s seats are taken',
      plan: provider,
      running: [0],
      waiting: ['1'],
      next: undefined,
    },
  ])('$name', check);

  test('a turn is kept while the next request for its model is expected sooner than a load takes', () => {
    const state = createRoutingState(cardPlan, milliseconds(0));
    const [first] = state.observations;
    if (first !== undefined) state.observations[0] = { ...first, speeds: { ...first.speeds, loadMs: 300 } };
    const input = { plan: cardPlan, state };
    const own = { deployment: deploymentIndex(0), model: 'm0', isBatch: false, since: milliseconds(1000) };
    const other = { deployment: deploymentIndex(1), model: 'm1', isBatch: false, since: milliseconds(1000) };
    const queue = state.seats.queueOf[0];
    if (queue === undefined) throw new Error('The plan has no queue');
    takeSeat(state, own, milliseconds(0));
    for (const at of [100, 200, 300]) seeAsked(state, own, milliseconds(at));
    seeAsked(state, { ...own, isBatch: true }, milliseconds(390));
    leaveSeat(state, own.deployment);
    queue.waiting.push(other);
    expect(nextOf(input, queue, milliseconds(499))).toEqual({ kind: 'kept', until: 500 });
    expect(nextOf(input, queue, milliseconds(500))).toEqual({ kind: 'goes', waiter: other });
    // Rare requests are not waited for: a change of models costs less.
    seeAsked(state, own, milliseconds(5000));
    expect(nextOf(input, queue, milliseconds(5000))).toEqual({ kind: 'goes', waiter: other });
  });

  test('the model before is out of memory when another has the turn, in an exclusive group alone', () => {
    const residency = (plan: Plan): string | undefined => {
      const state = createRoutingState(plan, milliseconds(0));
      state.observations.forEach((one, index) => {
        state.observations[index] = {
          ...one,
          residency: { kind: 'loaded', at: milliseconds(0), engine: unseenEngine },
        };
      });
      for (const index of [0, 1]) takeSeat(state, { deployment: deploymentIndex(index), model: `m${index}` }, now);
      return state.observations[0]?.residency?.kind;
    };
    const now = milliseconds(1000);
    expect([residency(cardPlan), residency(planOf(provider))]).toEqual(['unloaded', 'loaded']);
  });

  test('a model that loads slowly keeps its turn for longer', () => {
    const state = createRoutingState(cardPlan, milliseconds(0));
    const [first] = state.observations;
    if (first !== undefined) state.observations[0] = { ...first, speeds: { ...first.speeds, loadMs: 20_000 } };
    expect(patienceOf(state, { deployment: deploymentIndex(0), model: 'm0' })).toBe(60_000);
    expect(patienceOf(state, { deployment: deploymentIndex(1), model: 'm1' })).toBe(10_000);
  });
});

/** A deployment at work, beside `b`, which is half full: its seats, who is chosen as less busy, whether all at home is full. */
type Known = {
  readonly name: string;
  readonly seats?: number;
  readonly ofProvider?: number;
  readonly engine?: Partial<typeof unseenEngine>;
  /** Requests under way at the deployment, and at another of its provider. */
  readonly running: readonly [own: number, other: number];
  /** Taken, of how many. */
  readonly is: readonly [busy: number, most: number] | undefined;
  readonly atOnce: number | undefined;
  readonly first: 'a' | 'b';
  readonly isSaturated: boolean;
};

function checkKnown({ seats, ofProvider, engine, running, is, atOnce, first, isSaturated }: Known): void {
  const plan = planOf({
    providers: { a: ofProvider === undefined ? {} : { seats: ofProvider }, b: { tier: 'cloud_standard' } },
    deployments: { 'a/m': seats === undefined ? {} : { seats }, 'a/n': {}, 'b/m': { seats: 2 } },
    groups: { m: { strategy: 'least_busy', members: ['a/m', 'b/m'] } },
  });
  const now = milliseconds(0);
  const state = createRoutingState(plan, now);
  const seen = state.observations[0];
  if (seen !== undefined && engine !== undefined)
    state.observations[0] = { ...seen, residency: { kind: 'loaded', at: now, engine: { ...unseenEngine, ...engine } } };
  [...running, 1].forEach((count, index) => {
    for (let one = 0; one < count; one++) takeSeat(state, { deployment: deploymentIndex(index), model: 'm' }, now);
  });
  const input = { plan, state, facts: factsOf({ asked: 'm' }), now };
  const deployment = deploymentAt(plan, deploymentIndex(0));
  expect(seatsKnown(state, deployment)).toEqual(is && { busy: is[0], most: is[1] });
  expect(mostAtOnce(input, deployment.index)).toBe(atOnce);
  const [attempt] = decide(plan, state, input.facts, now, () => 0.5).attempts;
  expect(attempt?.deployment).toBe(first === 'a' ? 0 : 2);
  expect(createLookup(input, undefined)({ kind: 'fact', name: 'local_saturated' })).toBe(isSaturated);
}

describe('1.2, 4.1: seats that are known', () => {
  test.each<Known>([
    {
      ...{ name: 'as declared', seats: 5, running: [2, 9], is: [2, 5], atOnce: 5 },
      ...{ first: 'a', isSaturated: false },
    },
    {
      ...{ name: 'as declared, four fifths taken', seats: 5, running: [4, 0], is: [4, 5], atOnce: 5 },
      ...{ first: 'b', isSaturated: true },
    },
    {
      ...{ name: 'as llama.cpp tells of its slots', engine: { seats: 4 }, running: [1, 0], is: [1, 4], atOnce: 4 },
      ...{ first: 'a', isSaturated: false },
    },
    {
      ...{
        name: 'with what others run there',
        engine: { seats: 4, foreign: 3 },
        running: [1, 0],
        is: [4, 4],
        atOnce: 4,
      },
      ...{ first: 'b', isSaturated: true },
    },
    {
      ...{ name: 'none where nobody tells (vLLM, Ollama)', running: [1, 0], is: undefined, atOnce: undefined },
      ...{ first: 'b', isSaturated: false },
    },
    {
      ...{ name: 'those of its provider, taken by its other model', ofProvider: 4, running: [0, 4], is: [4, 4] },
      ...{ atOnce: 4, first: 'b', isSaturated: true },
    },
    {
      ...{ name: 'those of its provider, mostly free', ofProvider: 4, running: [1, 0], is: [1, 4], atOnce: 4 },
      ...{ first: 'a', isSaturated: false },
    },
    // What others run is told of the one model; the other one sees two of four taken.
    {
      ...{ name: 'those of its provider, with what others run there', ofProvider: 4, engine: { foreign: 2 } },
      ...{ running: [1, 1], is: [4, 4], atOnce: 4, first: 'b', isSaturated: false },
    },
    {
      ...{ name: 'its own and its provider’s, where the provider’s are fuller', seats: 4, ofProvider: 5 },
      ...{ running: [0, 4], is: [4, 5], atOnce: 4, first: 'b', isSaturated: true },
    },
    {
      ...{ name: 'its own and its provider’s, where its own are fuller', seats: 1, ofProvider: 5 },
      ...{ running: [1, 0], is: [1, 1], atOnce: 1, first: 'b', isSaturated: false },
    },
  ])('$name', checkKnown);

  test('a peer with a free seat goes before one without, where a strategy shares', () => {
    const shared = planOf({
      deployments: { 'a/m': { seats: 1 }, 'b/m': { seats: 1 } },
      groups: {
        m: {
          strategy: 'simple_shuffle',
          members: [
            { at: 'a/m', weight: 9 },
            { at: 'b/m', weight: 1 },
          ],
        },
      },
    });
    const busy = createRoutingState(shared, milliseconds(0));
    takeSeat(busy, { deployment: deploymentIndex(0), model: 'm' }, milliseconds(0));
    const { attempts } = decide(shared, busy, factsOf({ asked: 'm' }), milliseconds(0), () => 0.99);
    expect(attempts.map((one) => one.deployment)).toEqual([1, 0]);
  });
});

describe('4.1: what a wait is predicted to be', () => {
  test('answers ahead, the loads between them, and what is left of the running load', () => {
    const state = createRoutingState(cardPlan, milliseconds(0));
    const known = { loadMs: 9000, answerMs: 1000 };
    state.observations.forEach((one, index) => {
      const residency = { kind: 'unloaded', at: milliseconds(0) } as const;
      state.observations[index] = { ...one, residency, speeds: { ...one.speeds, ...known } };
    });
    takeSeat(state, { deployment: deploymentIndex(0), model: 'm0' }, milliseconds(0));
    const queue = state.seats.queueOf[0];
    const waiter = (index: number): Waiter => ({
      deployment: deploymentIndex(index),
      model: `m${index}`,
      isBatch: false,
      since: milliseconds(6000),
    });
    const [same, other, last] = [waiter(0), waiter(1), waiter(1)];
    queue?.waiting.push(other, last, same);
    const input = { plan: cardPlan, state };
    // 3 s of the load, half an answer of four at once; then one answer; then the other model.
    expect(outlookOf(input, same, milliseconds(6000))).toEqual({ position: 1, waitMs: 3125 });
    expect(outlookOf(input, other, milliseconds(6000))).toEqual({ position: 2, waitMs: 3375 });
    expect(outlookOf(input, last, milliseconds(6000))).toEqual({ position: 3, waitMs: 12_625 });
  });

  test('unknown where nothing was learned', () => {
    const state = createRoutingState(cardPlan, milliseconds(0));
    takeSeat(state, { deployment: deploymentIndex(0), model: 'm0' }, milliseconds(0));
    const waiter = { deployment: deploymentIndex(1), model: 'm1', isBatch: false, since: milliseconds(0) };
    state.seats.queueOf[0]?.waiting.push(waiter);
    expect(outlookOf({ plan: cardPlan, state }, waiter, milliseconds(0))).toEqual({ position: 1, waitMs: undefined });
  });
});

const plans: readonly Plan[] = [
  cardPlan,
  planOf({ ...card, deployments: { 'ollama/m0': { seats: 2 }, 'ollama/m1': { seats: 1 }, 'llama/m2': {} } }),
  planOf({ deployments: ['a/m0', 'a/m1', 'a/m2'], providers: { a: { seats: 2 } } }),
  planOf({
    deployments: { 'a/m0': { seats: 1 }, 'a/m1': { seats: 3 }, 'b/m2': { seats: 2 } },
    providers: { a: { seats: 3 } },
  }),
];

const arrivals = fc.array(fc.record({ at: fc.nat(60_000), deployment: fc.nat(2), isBatch: fc.boolean() }), {
  maxLength: 60,
});
const plays = fc.record({
  plan: fc.constantFrom(...plans),
  arrivals,
  answerMs: fc.constantFrom(1, 200, 3000),
  loadMs: fc.constantFrom(0, 400, 10_000),
});

describe('4.1: laws of the queue', () => {
  test('4.1: never more under way than there are seats, and one model at a time in an exclusive group', () => {
    fc.assert(
      fc.property(plays, (play) => {
        playSeats({
          ...play,
          watch: (state) => {
            const busy = [...state.inFlight];
            for (const { index, seats } of play.plan.deployments)
              expect(busy[index]).toBeLessThanOrEqual(seats ?? Number.POSITIVE_INFINITY);
            for (const { id, seats } of play.plan.providers.values()) {
              const own = play.plan.deployments.filter((one) => one.provider === id);
              const sum = own.reduce((all, { index }) => all + (busy[index] ?? 0), 0);
              expect(sum).toBeLessThanOrEqual(seats ?? Number.POSITIVE_INFINITY);
            }
            for (const queue of state.seats.queues.filter((one) => one.isExclusive)) {
              const models = busy.filter((count, index) => count > 0 && state.seats.queueOf[index] === queue);
              expect(models.length).toBeLessThanOrEqual(1);
            }
          },
        });
      }),
    );
  });

  test('4.1: everybody is served once, first come first served within a class and model', () => {
    fc.assert(
      fc.property(plays, (play) => {
        const { served } = playSeats(play);
        expect(served.length).toBe(play.arrivals.length);
        expect(new Set(served.map((one) => one.waiter)).size).toBe(served.length);
        const kinds = Map.groupBy(served, ({ waiter }) => `${waiter.deployment} ${waiter.isBatch}`);
        for (const same of kinds.values())
          expect(same.map((one) => one.waiter.since)).toEqual(
            same.map((one) => one.waiter.since).toSorted((a, b) => a - b),
          );
      }),
    );
  });

  test('4.1: past its patience nobody is overtaken by who came later and takes what it waits for', () => {
    fc.assert(
      fc.property(plays, (play) => {
        const { served } = playSeats(play);
        const patience = Math.max(10_000, 3 * play.loadMs);
        const isExclusive = [...play.plan.providers.values()].some((one) => one.exclusiveGroup !== undefined);
        served.forEach((later, index) => {
          for (const early of served.slice(index + 1)) {
            const isOverdue = later.startedAt - early.waiter.since >= patience;
            const takesItsSeat = isExclusive || early.waiter.deployment === later.waiter.deployment;
            if (isOverdue && takesItsSeat) expect(later.waiter.since).toBeLessThanOrEqual(early.waiter.since);
          }
        });
      }),
    );
  });
});

const alternating = (count: number, gapMs: number): Arrival[] =>
  Array.from({ length: count }, (_, index) => ({ at: index * gapMs, deployment: index % 2 }));
const longestWait = (served: readonly Served[]): number =>
  Math.max(...served.map((one) => one.startedAt - one.waiter.since));
const oneAtATime = planOf({
  deployments: { 'ollama/m0': { seats: 1 }, 'ollama/m1': { seats: 1 } },
  providers: { ollama: { exclusiveGroup: 'card' } },
});

describe('4.1: two models that take turns on one card, simulated with loads of 10 s', () => {
  const play = { plan: oneAtATime, answerMs: 150, loadMs: 10_000 };

  test('20 requests, alternating, 50 ms apart: 2 loads instead of one each', () => {
    const arrivals = alternating(20, 50);
    const { served, loads } = playSeats({ ...play, arrivals });
    expect(loads).toBe(2);
    // The best order: two loads and twenty answers, one after the other.
    expect(served.at(-1)?.endedAt).toBeLessThanOrEqual((2 * 10_000 + 20 * 150) * 1.1);
    expect(playSeats({ ...play, arrivals, inOrderOfArrival: true }).loads).toBe(20);
  });

  test('an hour of both: nobody waits longer than patience, the answers before and two loads', () => {
    const arrivals = alternating(3600, 1000);
    const { served, loads } = playSeats({ ...play, arrivals });
    expect(longestWait(served)).toBeLessThan(30_000 + 2 * 10_000 + 60 * 150);
    // Each change of model serves all that came meanwhile.
    expect(loads).toBeLessThan(3600 / 10);
  });
});
