import { describe, expect, test } from 'vitest';
import { factsOf, planOf } from '../../test/support/plan-of.ts';
import type { Deployment } from '../plan/deployment.ts';
import { deploymentIndex, milliseconds, tokens } from '../plan/ids.ts';
import type { Provider } from '../plan/provider.ts';
import { type Residency, type Speeds, unseenEngine, unseenSpeeds } from '../plan/residency.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { type Lesson, learn, predict } from './speeds.ts';
import { createRoutingState } from './state.ts';

const plain: Lesson = {
  wasLoaded: true,
  wasAlone: true,
  promptTokens: 100,
  outputTokens: 11,
  firstTokenMs: 200,
  totalMs: 700,
  furtherTokens: 11,
};

const known: Speeds = { loadMs: 1000, answerMs: 700, prefillMsPerToken: 2, decodeMsPerToken: 50 };

describe('3.3 what an answer teaches', () => {
  test.each<readonly [what: string, before: Speeds, lesson: Partial<Lesson>, after: Partial<Speeds>]>([
    ['the first answer', unseenSpeeds, {}, { loadMs: undefined, prefillMsPerToken: 2, decodeMsPerToken: 50 }],
    [
      'a faster one counts three tenths',
      known,
      { firstTokenMs: 100, totalMs: 350 },
      { prefillMsPerToken: 1.7, decodeMsPerToken: 42.5 },
    ],
    // 5200 ms to the first token, of which 200 are the prompt; a surprise counts as four times what was known.
    [
      'a load',
      { ...known, loadMs: undefined },
      { wasLoaded: false, firstTokenMs: 5200, totalMs: 5700 },
      { loadMs: 5000, prefillMsPerToken: 2 },
    ],
    [
      'a load that took very long',
      known,
      { wasLoaded: false, firstTokenMs: 90_200, totalMs: 90_700 },
      { loadMs: 1900.3 },
    ],
    [
      'others were served too',
      unseenSpeeds,
      { wasAlone: false },
      { prefillMsPerToken: undefined, decodeMsPerToken: 50 },
    ],
    [
      'a server that does not tell what it holds',
      unseenSpeeds,
      { wasLoaded: undefined },
      { loadMs: undefined, prefillMsPerToken: 2 },
    ],
    ['one token has no rate', unseenSpeeds, { outputTokens: 1 }, { decodeMsPerToken: undefined, prefillMsPerToken: 2 }],
    ['an answer that came whole', known, { firstTokenMs: undefined }, known],
    [
      'a whole answer after a load: what is more than an answer takes was the load',
      { ...known, loadMs: undefined },
      { wasLoaded: false, firstTokenMs: undefined, totalMs: 3700 },
      { loadMs: 3000, answerMs: 700 },
    ],
    ['a prompt that was all cached', unseenSpeeds, { promptTokens: 0 }, { prefillMsPerToken: 200 }],
  ])('%s', (_, before, lesson, after) => {
    const { loadMs, answerMs, prefillMsPerToken, decodeMsPerToken } = learn(before, { ...plain, ...lesson });
    const rounded = (value: number | undefined): number | undefined =>
      value === undefined ? undefined : Math.round(value * 1000) / 1000;
    expect({
      loadMs: rounded(loadMs),
      answerMs: rounded(answerMs),
      prefillMsPerToken: rounded(prefillMsPerToken),
      decodeMsPerToken: rounded(decodeMsPerToken),
    }).toMatchObject(after);
  });
});

type Row = {
  readonly name: string;
  readonly deployment?: Partial<Deployment>;
  readonly provider?: Partial<Provider>;
  readonly residency?: Residency;
  readonly health?: DeploymentHealth;
  readonly inFlight?: number;
  /** Requests that another model of its provider works on, and those that wait for it. */
  readonly besides?: number;
  readonly waitingBesides?: number;
  readonly speeds?: Speeds;
  readonly output?: number;
  /** Seconds of queue, load, prefill and decode. */
  readonly is: readonly [number, number, number, number];
};

const now = milliseconds(100_000);
const loaded = (engine: Partial<typeof unseenEngine> = {}): Residency => ({
  kind: 'loaded',
  at: now,
  engine: { ...unseenEngine, ...engine },
});

describe('3.3 what is predicted: queue, load, prefill, decode', () => {
  test.each<Row>([
    { name: 'in memory and idle', residency: loaded(), is: [0, 0, 0.2, 12.8] },
    { name: 'as much output as is asked for', residency: loaded(), output: 10, is: [0, 0, 0.2, 0.5] },
    { name: 'out of memory', residency: { kind: 'unloaded', at: now }, is: [0, 1, 0.2, 12.8] },
    {
      name: 'out of memory, never seen',
      residency: { kind: 'unloaded', at: now },
      speeds: unseenSpeeds,
      is: [0, 5, 0, 5],
    },
    { name: 'its answers came whole', speeds: { ...unseenSpeeds, answerMs: 900 }, inFlight: 2, is: [1.8, 0, 0, 0.9] },
    {
      name: 'on its way',
      residency: { kind: 'loading', at: now, since: milliseconds(now - 400) },
      is: [0, 0.6, 0.2, 12.8],
    },
    {
      name: 'its server loads',
      health: { kind: 'loading', since: milliseconds(now - 700), readyAt: undefined },
      is: [0, 0.3, 0.2, 12.8],
    },
    {
      name: 'on its way for longer than ever',
      residency: { kind: 'loading', at: now, since: milliseconds(now - 9000) },
      is: [0, 0.1, 0.2, 12.8],
    },
    { name: 'nothing is told of its memory', is: [0, 0, 0.2, 12.8] },
    { name: 'one ahead at the one seat of a local server', inFlight: 1, is: [13, 0, 0.2, 12.8] },
    {
      name: 'three ahead at two seats of its provider',
      provider: { seats: 2 },
      inFlight: 3,
      is: [13, 0, 0.2, 12.8],
    },
    {
      name: 'three at its provider’s other models, and two seats for all',
      provider: { seats: 2 },
      besides: 3,
      is: [13, 0, 0.2, 12.8],
    },
    {
      name: 'two at its provider’s other model, and one who waits for it',
      provider: { seats: 2 },
      besides: 2,
      waitingBesides: 1,
      is: [13, 0, 0.2, 12.8],
    },
    { name: 'who waits for a model with other seats', waitingBesides: 9, is: [0, 0, 0.2, 12.8] },
    { name: 'three ahead at two declared seats', deployment: { seats: 2 }, inFlight: 3, is: [13, 0, 0.2, 12.8] },
    {
      name: 'a free seat that its engine tells of',
      residency: loaded({ seats: 4 }),
      inFlight: 3,
      is: [0, 0, 0.2, 12.8],
    },
    { name: 'requests of others', residency: loaded({ seats: 2, foreign: 3 }), is: [13, 0, 0.2, 12.8] },
    { name: 'a cloud has no queue', provider: { tier: 'cloud_standard' }, inFlight: 50, is: [0, 0, 0.2, 12.8] },
  ])('$name', (row) => {
    const plan = planOf({
      providers: { a: row.provider ?? {} },
      deployments: { 'a/m': row.deployment ?? {}, 'a/n': {} },
    });
    const state = createRoutingState(plan, now);
    const speeds = row.speeds ?? known;
    const { inFlight = 0, besides = 0, waitingBesides = 0 } = row;
    state.inFlight[0] = inFlight;
    state.seats.busyAtProvider[0] = inFlight + besides;
    for (let count = 0; count < waitingBesides; count++)
      state.seats.queueOf[1]?.waiting.push({ deployment: deploymentIndex(1), model: 'n', isBatch: false, since: now });
    if (row.health !== undefined) state.health[0] = row.health;
    state.observations[0] = { failures: [], effectiveContext: undefined, residency: row.residency, speeds };
    const facts = factsOf(row.output === undefined ? {} : { maxOutputTokens: tokens(row.output) });
    const [deployment] = plan.deployments;
    if (deployment === undefined) throw new Error('the plan has a deployment');
    const { queue, load, prefill, decode } = predict({ plan, state, facts, now }, deployment, speeds);
    expect([queue, load, prefill, decode].map((ms) => Math.round(ms) / 1000)).toEqual(row.is);
  });
});
