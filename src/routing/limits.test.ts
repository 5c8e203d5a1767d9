import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import type { Decision } from '../plan/decision.ts';
import { deploymentIndex, milliseconds, tokens } from '../plan/ids.ts';
import type { LimitState, Reservation } from '../plan/limit.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../plan/routing-state.ts';
import { decide } from './decide.ts';
import { tokensOf } from './facts.ts';
import { createLimitState } from './limit-windows.ts';
import { filledLimits, fullLimit, takeNearlyFull } from './limits.ts';
import { limitsOfAttempt, limitsOfDeployment } from './limits-of.ts';
import { reserve, sendReserved, settleReservation } from './reservations.ts';
import { createRoutingState } from './state.ts';

/** Limits of a gateway in which nothing runs. */
function idle(limits: LimitState): Parameters<typeof fullLimit>[0] {
  return { limits, inFlight: new Int32Array(), observations: [] };
}

/** Sends a request under some limits; it runs until it is settled. */
function send(state: LimitState, indices: readonly number[], wanted: number, at: number): Reservation {
  const reservation = reserve(state, indices, wanted);
  if (reservation === undefined) throw new Error('Nothing was reserved');
  return sendReserved(state, reservation, milliseconds(at));
}

/** Requests in their order, and who answers each: `provider/model`, or the refusal with its Retry-After in seconds. */
type Row = {
  readonly name: string;
  readonly plan: PlanOf;
  readonly requests: readonly (Partial<RequestFacts> & { readonly at?: number })[];
  readonly answers: readonly string[];
  /** Whether none of them ends; else each ends at once, with as many tokens as were expected. */
  readonly isLong?: true;
};

function check({ plan: written, requests, answers, isLong }: Row): void {
  const plan = planOf(written);
  const state = createRoutingState(plan, milliseconds(0));
  const given = requests.map(({ at = 0, ...facts }) => {
    const asked = factsOf({ asked: 'm', ...facts });
    const now = milliseconds(at * 1000);
    const decision = decide(plan, state, asked, now, () => 0.5);
    const [first] = decision.attempts;
    if (first === undefined)
      return `${decision.refusal?.kind} ${Math.ceil((decision.refusal?.retryAfterMs ?? 0) / 1000)}`;
    const limits = limitsOfAttempt(state.limits, asked, decision.group, first);
    if (limits.length > 0) {
      const sent = send(state.limits, limits, tokensOf(asked), now);
      if (isLong !== true) settleReservation(state.limits, sent, undefined, now);
    }
    return `${plan.deployments[first.deployment]?.provider}/${first.model}`;
  });
  expect(given).toEqual(answers);
}

const twice = { requestsPerMinute: 2 };
const once = { requestsPerMinute: 1, tokensPerMinute: undefined };
const literal: PlanOf = {
  deployments: ['ollama/*', 'ollama/llama3.2:3b'],
  groups: { 'llama3.2:3b': ['ollama/llama3.2:3b'] },
  routing: { patterns: [{ pattern: /:\d+b$/, target: 'ollama/*' }] },
};

describe('4.2: what a limit counts', () => {
  test.each<Row>([
    {
      name: 'under a model, whatever reaches it',
      plan: { deployments: ['a/m'], groups: { m: ['a/m'], other: ['a/m'] }, limits: { m: twice } },
      requests: [{}, { asked: 'other' }, {}, { asked: 'a/m' }, { at: 61 }],
      answers: ['a/m', 'a/m', 'rate_limited 61', 'rate_limited 61', 'a/m'],
    },
    {
      name: 'under a pseudo-name, what is asked by that name',
      plan: {
        deployments: ['a/m'],
        groups: { m: ['a/m'], pool: { members: ['a/m'], kind: 'load_balancing' } },
        limits: { pool: { requestsPerMinute: 1 } },
      },
      requests: [{ asked: 'pool' }, {}, { asked: 'pool' }, {}],
      answers: ['a/m', 'a/m', 'rate_limited 61', 'a/m'],
    },
    {
      name: 'under a pseudo-name, nothing that its fallback answers',
      plan: {
        deployments: ['a/m', 'c/n'],
        providers: { a: { status: 'disabled' } },
        groups: { pool: { members: ['a/m'], kind: 'load_balancing', fallback: ['c/n'] } },
        limits: { pool: { requestsPerMinute: 1 } },
      },
      requests: [{ asked: 'pool' }, { asked: 'pool' }],
      answers: ['c/n', 'c/n'],
    },
    {
      name: 'under an alias, what is asked by the alias',
      plan: {
        deployments: ['a/m'],
        groups: { m: ['a/m'] },
        aliases: { short: 'm' },
        limits: { short: { requestsPerMinute: 1 } },
      },
      requests: [{ asked: 'short' }, { asked: 'short' }, {}],
      answers: ['a/m', 'rate_limited 61', 'a/m'],
    },
    {
      name: 'under a name that only a pattern reaches (the runbook’s llama3.1:8b)',
      plan: { ...literal, limits: { 'llama3.1:8b': { requestsPerMinute: 1 } } },
      requests: [{ asked: 'llama3.1:8b' }, { asked: 'llama3.1:8b' }, { asked: 'qwen:7b' }, { asked: 'llama3.2:3b' }],
      answers: ['ollama/llama3.1:8b', 'rate_limited 61', 'ollama/qwen:7b', 'ollama/llama3.2:3b'],
    },
    {
      name: 'under a model, and what a pool of its name asks of other models',
      plan: {
        deployments: { 'a/m': { contextTokens: tokens(500) }, 'b/n': {} },
        groups: { m: ['a/m', 'b/n'], n: ['b/n'] },
        limits: { m: twice },
      },
      requests: [{ promptTokens: tokens(900) }, {}, {}, { asked: 'n' }],
      answers: ['b/n', 'a/m', 'rate_limited 61', 'b/n'],
    },
    {
      name: 'under a deployment, that one however it is reached',
      plan: { deployments: ['a/m', 'b/m'], groups: { m: ['a/m', 'b/m'] }, limits: { 'a/m': { requestsPerMinute: 1 } } },
      requests: [{ asked: 'a/m' }, { asked: 'id-0' }, {}, { asked: 'b/m' }],
      answers: ['a/m', 'rate_limited 61', 'b/m', 'b/m'],
    },
    {
      name: 'under a wildcard, what it serves and no other does',
      plan: {
        deployments: ['a/*', 'b/*'],
        groups: { 'x/*': ['a/*'], 'y/*': ['b/*'] },
        limits: { 'y/*': { requestsPerMinute: 1 } },
      },
      requests: [{ asked: 'x/1' }, { asked: 'x/2' }, { asked: 'y/1' }, { asked: 'y/2' }],
      answers: ['a/1', 'a/2', 'b/1', 'rate_limited 61'],
    },
    {
      name: 'with and without :latest',
      plan: { deployments: ['a/m:latest'], groups: { 'm:latest': ['a/m:latest'] }, limits: { m: twice } },
      requests: [{ asked: 'm' }, { asked: 'm:latest' }, { asked: 'm' }],
      answers: ['a/m:latest', 'a/m:latest', 'rate_limited 61'],
    },
    {
      name: 'of a provider, all of its models',
      plan: {
        deployments: ['a/m', 'a/n', 'b/m'],
        providers: { a: { limit: once } },
        groups: { m: ['a/m', 'b/m'], n: ['a/n'] },
      },
      requests: [{ asked: 'n' }, {}, { asked: 'n' }],
      answers: ['a/n', 'b/m', 'rate_limited 61'],
    },
    {
      name: 'under a provider’s name in rate_limit_settings',
      plan: { deployments: ['a/m', 'b/m'], groups: { m: ['a/m', 'b/m'] }, limits: { a: { requestsPerMinute: 1 } } },
      requests: [{}, {}],
      answers: ['a/m', 'b/m'],
    },
    {
      name: 'of a key, whatever it asks',
      plan: { deployments: ['a/m'], groups: { m: ['a/m'] }, keyLimits: { laptop: { requestsPerMinute: 1 } } },
      requests: [{ key: 'laptop' }, { key: 'laptop' }, { key: 'desk' }],
      answers: ['a/m', 'rate_limited 61', 'a/m'],
    },
    {
      name: 'tokens: the prompt and the output that is asked for',
      plan: { deployments: ['a/m'], groups: { m: ['a/m'] }, limits: { m: { tokensPerMinute: 500 } } },
      requests: [
        { promptTokens: tokens(200), maxOutputTokens: tokens(100) },
        { promptTokens: tokens(200), maxOutputTokens: tokens(100), at: 10 },
        { promptTokens: tokens(100), maxOutputTokens: tokens(100), at: 20 },
      ],
      answers: ['a/m', 'rate_limited 51', 'a/m'],
    },
    {
      name: 'a request that wants more tokens than a minute has waits for an empty one',
      plan: { deployments: ['a/m'], groups: { m: ['a/m'] }, limits: { m: { tokensPerMinute: 500 } } },
      requests: [{ maxOutputTokens: tokens(9000) }, { maxOutputTokens: tokens(9000) }, { at: 61 }],
      answers: ['a/m', 'rate_limited 61', 'a/m'],
    },
  ])('$name', check);
});

describe('4.2: what a full limit does', () => {
  const pool: PlanOf = {
    deployments: { 'a/m': { limit: once }, 'b/m': {}, 'c/n': {} },
    groups: { m: { members: ['a/m', 'b/m'], fallback: ['c/n'] } },
  };
  test.each<Row>([
    {
      name: 'a full deployment is passed over for its peers',
      plan: pool,
      requests: [{}, {}, {}],
      answers: ['a/m', 'b/m', 'b/m'],
    },
    {
      name: 'a full name refuses, though a fallback stands behind it',
      plan: { ...pool, limits: { m: { requestsPerMinute: 1 } } },
      requests: [{}, {}],
      answers: ['a/m', 'rate_limited 61'],
    },
    {
      name: 'unless rate_limited_fallback sends the request on',
      plan: { ...pool, limits: { m: { requestsPerMinute: 1 } }, routing: { rateLimitedFallback: true } },
      requests: [{}, {}, {}],
      answers: ['a/m', 'c/n', 'c/n'],
    },
    {
      name: 'a full key refuses even then',
      plan: { ...pool, keyLimits: { local: { requestsPerMinute: 1 } }, routing: { rateLimitedFallback: true } },
      requests: [{}, {}],
      answers: ['a/m', 'rate_limited 61'],
    },
    {
      name: 'a full key refuses even where its name is full for longer',
      plan: {
        ...pool,
        groups: { m: ['a/m'], pool: { members: ['b/m'], kind: 'load_balancing', fallback: ['c/n'] } },
        keyLimits: { local: { requestsPerMinute: 1 } },
        limits: { pool: { requestsPerMinute: 1 } },
        routing: { rateLimitedFallback: true },
      },
      requests: [{}, { asked: 'pool', key: 'desk', at: 10 }, { asked: 'pool', at: 20 }, { asked: 'pool', at: 61 }],
      answers: ['a/m', 'b/m', 'rate_limited 41', 'c/n'],
    },
    {
      name: 'a deployment that is free sooner than the name that was asked for promises nothing sooner',
      plan: {
        ...pool,
        groups: { m: ['a/m'], both: { members: ['a/m', 'b/m'], kind: 'load_balancing' } },
        limits: { both: { requestsPerMinute: 1 } },
      },
      requests: [{}, { asked: 'both', at: 50 }, { asked: 'both', at: 51 }, { asked: 'both', at: 111 }],
      answers: ['a/m', 'b/m', 'rate_limited 60', 'a/m'],
    },
    {
      name: 'as many at the same time as a key may have, and no more',
      plan: { ...pool, keyLimits: { local: { parallelRequests: 2 } } },
      requests: [{}, {}, {}],
      answers: ['a/m', 'b/m', 'rate_limited 1'],
      isLong: true,
    },
  ])('$name', check);

  test('stands in the record with its numbers', () => {
    const plan = planOf(pool);
    const state: RoutingState = createRoutingState(plan, milliseconds(0));
    const ask = factsOf({ asked: 'm' });
    send(state.limits, [0], 1, 0);
    const { candidates } = decide(plan, state, ask, milliseconds(30_000), () => 0.5);
    const [full] = candidates.filter(({ verdict }) => verdict.kind === 'excluded');
    expect(full?.verdict).toEqual({
      kind: 'excluded',
      reason: 'limit',
      detail: 'the limit of a/m is full: 1 of 1 requests a minute, free in 31 s',
    });
    expect(full?.numbers).toEqual({ used: 1, limit: 1, freeInMs: 31_000 });
  });
});

describe('4.2: a full limit holds for the last resort too', () => {
  const small: PlanOf = {
    deployments: { 'a/m': { contextTokens: tokens(200) } },
    groups: { m: ['a/m'] },
  };
  const tooMuch = { maxOutputTokens: tokens(1e308) };
  const cooling: DeploymentHealth = {
    kind: 'cooling',
    since: milliseconds(0),
    until: milliseconds(5000),
    why: 'failures',
    round: 0,
  };
  test.each<{ name: string; plan: PlanOf; facts?: Partial<RequestFacts>; health?: DeploymentHealth }>([
    { name: 'a name’s, where only part of the answer fits', plan: { ...small, limits: { m: once } }, facts: tooMuch },
    {
      name: 'a deployment’s, where only part of the answer fits',
      plan: {
        deployments: { 'a/m': { contextTokens: tokens(200), limit: once } },
        groups: { m: ['a/m'] },
      },
      facts: tooMuch,
    },
    {
      name: 'a name’s, where all are cooling',
      plan: { deployments: ['a/m'], groups: { m: ['a/m'] }, limits: { m: once } },
      health: cooling,
    },
  ])('$name', ({ plan: written, facts, health }) => {
    const plan = planOf(written);
    const state = createRoutingState(plan, milliseconds(0));
    const ask = (): Decision => decide(plan, state, factsOf({ asked: 'm', ...facts }), milliseconds(0), () => 0.5);
    if (health !== undefined) for (const { index } of plan.deployments) state.health[index] = health;
    const before = ask();
    expect(before.refusal).toBeUndefined();
    const [first] = before.attempts;
    if (first === undefined) throw new Error('nobody answers');
    send(state.limits, limitsOfAttempt(state.limits, factsOf({ asked: 'm' }), before.group, first), 1, 0);
    const after = ask();
    expect(after.attempts).toEqual([]);
    expect(after.refusal).toMatchObject({ kind: 'rate_limited', retryAfterMs: 61_000 });
  });
});

test('4.2: a limit of tokens says how many a request would add', () => {
  const plan = planOf({ deployments: ['a/m'], groups: { m: ['a/m'] }, limits: { m: { tokensPerMinute: 1000 } } });
  const state = createRoutingState(plan, milliseconds(0));
  send(state.limits, [0], 300, 0);
  const asked = factsOf({ asked: 'm', promptTokens: tokens(700), maxOutputTokens: tokens(200) });
  expect(decide(plan, state, asked, milliseconds(0), () => 0.5).refusal?.message).toBe(
    'Cannot route to "m": the limit of model "m" has no room for about 900 more: 300 of 1000 tokens a minute are used, free in 61 s',
  );
});

test('4.2: a limit that is supposed to be full is no fuller than full', () => {
  const state = limited(30, 100);
  send(state, [0], 40, 0);
  expect(fullLimit(idle(filledLimits(state, [0], milliseconds(0))), [0], 1, milliseconds(0))?.used).toBe(100);
});

const limited = (requestsPerMinute: number | undefined, tokensPerMinute: number | undefined): LimitState =>
  createLimitState(
    planOf({
      deployments: ['a/m'],
      groups: { m: ['a/m'] },
      limits: { m: { requestsPerMinute, tokensPerMinute } },
    }),
  );

describe('4.2: a minute that slides', () => {
  test('4.2: no sixty seconds hold more requests than the limit, whenever they come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        // Of full length mostly: a few requests say little of a minute.
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 80, size: 'max' }),
        (most, gaps) => {
          const state = limited(most, undefined);
          const sent: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            const full = fullLimit(idle(state), [0], 1, milliseconds(now));
            if (full === undefined) {
              send(state, [0], 1, now);
              sent.push(now);
            } else {
              // What Retry-After promises holds, and a second before it would not have.
              expect(fullLimit(idle(state), [0], 1, milliseconds(now + full.freeInMs))).toBeUndefined();
              if (full.freeInMs > 1000)
                expect(fullLimit(idle(state), [0], 1, milliseconds(now + full.freeInMs - 1000))).toBeDefined();
            }
          }
          for (const start of sent)
            expect(sent.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(most);
        },
      ),
    );
  });

  test('4.2: what is taken is given back or made true, to the last token', () => {
    const ending = fc.record({ isSent: fc.boolean(), used: fc.option(fc.nat(500), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400), ending), { maxLength: 40 }), (requests) => {
        const state = limited(1_000_000, 1_000_000);
        const now = milliseconds(5000);
        const taken = requests.map(([wanted]) => reserve(state, [0], wanted));
        requests.forEach(([, { isSent, used }], index) => {
          const reservation = taken[index];
          if (reservation === undefined) return;
          settleReservation(state, isSent ? sendReserved(state, reservation, now) : reservation, used, now);
        });
        const sent = requests.filter(([, { isSent }]) => isSent);
        const all = sent.reduce((sum, [wanted, { used }]) => sum + (used ?? wanted), 0);
        for (const { requests, tokens, running } of state.counts) {
          const inSlots = [requests, tokens].map(({ slots }) => slots.reduce((sum, one) => sum + one, 0));
          expect(inSlots).toEqual([sent.length, all]);
          expect([requests.used, tokens.used, running]).toEqual([sent.length, all, 0]);
          expect([requests.held, tokens.held]).toEqual([0, 0]);
        }
      }),
    );
  });

  test('4.2: a stream longer than a minute holds its estimate until its tokens are known, and they count from then', () => {
    const state = limited(undefined, 1000);
    const taken = send(state, [0], 400, 0);
    for (const at of [59_000, 90_000])
      expect(fullLimit(idle(state), [0], 700, milliseconds(at))).toMatchObject({ used: 400, freeInMs: 61_000 });
    settleReservation(state, taken, 900, milliseconds(95_000));
    expect(fullLimit(idle(state), [0], 700, milliseconds(96_000))).toMatchObject({ used: 900, freeInMs: 60_000 });
  });

  test('4.2: a request that waits to be sent keeps its room, and its minute begins when it is sent', () => {
    const state = limited(2, undefined);
    const waits = reserve(state, [0], 1);
    settleReservation(state, send(state, [0], 1, 0), 1, milliseconds(0));
    if (waits === undefined) throw new Error('Nothing was reserved');
    expect(fullLimit(idle(state), [0], 1, milliseconds(40_000))).toMatchObject({ used: 2, freeInMs: 21_000 });
    sendReserved(state, waits, milliseconds(40_000));
    send(state, [0], 1, 61_000);
    expect(fullLimit(idle(state), [0], 1, milliseconds(61_000))).toMatchObject({ used: 2, freeInMs: 40_000 });
  });

  test('4.2: of requests and tokens what has no room for longer says when to come again', () => {
    const state = limited(2, 1000);
    settleReservation(state, send(state, [0], 900, 0), 900, milliseconds(40_000));
    for (const at of [62_000, 63_000]) settleReservation(state, send(state, [0], 10, at), 10, milliseconds(at));
    const full = fullLimit(idle(state), [0], 500, milliseconds(64_000));
    expect(full).toMatchObject({ unit: 'requests a minute', used: 2, freeInMs: 59_000 });
    expect(fullLimit(idle(state), [0], 500, milliseconds(64_000 + (full?.freeInMs ?? 0)))).toBeUndefined();
  });

  test('4.2: that a limit is nearly full is told once, and again after it was well below', () => {
    const state = limited(10, undefined);
    const told = (now: number): number => {
      send(state, [0], 1, now);
      return takeNearlyFull(state, [0], milliseconds(now)).length;
    };
    expect(Array.from({ length: 9 }, () => told(0))).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(told(70_000)).toBe(0);
    expect(Array.from({ length: 8 }, () => told(70_000))).toEqual([0, 0, 0, 0, 0, 0, 1, 0]);
  });

  test('4.2: limits that stay keep what they counted when another plan comes into force', () => {
    const before = limited(3, undefined);
    send(before, [0], 1, 1000);
    const waits = reserve(before, [0], 1);
    const plan = planOf({
      deployments: ['b/n', 'a/m'],
      groups: { m: ['a/m'] },
      limits: { n: { requestsPerMinute: 9 }, m: { requestsPerMinute: 2 } },
    });
    const after = createLimitState(plan, before);
    expect(fullLimit(idle(after), [0], 1, milliseconds(2000))).toBeUndefined();
    expect(fullLimit(idle(after), [1], 1, milliseconds(2000))?.used).toBe(2);
    // A request that is never sent is given back, although its plan is no longer in force.
    if (waits === undefined) throw new Error('Nothing was reserved');
    settleReservation(before, waits, undefined, milliseconds(2000));
    expect(fullLimit(idle(after), [1], 1, milliseconds(2000))).toBeUndefined();
  });

  test('4.2: where one thing is limited at two places, another plan goes on with each count by itself', () => {
    const plan = planOf({
      deployments: ['a/m'],
      providers: { a: { limit: { ...once, requestsPerMinute: 4 } } },
      groups: { m: ['a/m'] },
      limits: { a: { requestsPerMinute: 10 } },
    });
    const state = createLimitState(plan, createLimitState(plan));
    send(state, limitsOfDeployment(state, deploymentIndex(0)), 1, 0);
    expect(state.counts.map(({ requests }) => requests.used)).toEqual([1, 1]);
  });
});
