import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Sample, type System, systemOf, systems } from '../../test/support/any-system.ts';
import { factsOf, planOf, seededRandom } from '../../test/support/plan-of.ts';
import { type Played, type PlayedAttempt, playScript, type Scripted } from '../../test/support/play-attempts.ts';
import type { PlannedAttempt } from '../plan/decision.ts';
import type { Failure, FailureKind } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import { milliseconds, seconds } from '../plan/ids.ts';
import { deploymentAt, groupAt } from '../plan/plan.ts';
import { exclusionOf } from './filter.ts';
import { policyClass } from './policy-class.ts';
import { countRequest, countRetry } from './retry-budget.ts';
import { createRoutingState } from './state.ts';

/*
 * What holds of every request from its first attempt to its end: any plan, any state, any needs,
 * and upstreams that answer anything, one answer after the other, on a clock of their own.
 */

const now = milliseconds(100_000);
const runs = { numRuns: 500 };
const allKinds = Object.keys(failureCatalogue) as FailureKind[];
/** What an attempt can come to besides. */
const ofAttempts: readonly FailureKind[] = [
  'context_length_exceeded',
  'client_closed',
  'internal',
  'no_seat',
  'rehearsed',
];
const kinds = allKinds.filter((kind) => kind.startsWith('upstream_') || ofAttempts.includes(kind));

/** One answer of an upstream, as it is drawn. */
const answer = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...kinds) },
    { weight: 1, arbitrary: fc.constant('ok' as const) },
  ),
  tookMs: fc.constantFrom(0, 10, 900, 45_000),
  retryAfterMs: fc.constantFrom(undefined, undefined, 0, 700, 20_000, 90_000),
});

const plays = fc.record({
  system: systems,
  /** Answers by deployment; the last one is for ever. */
  scripts: fc.array(fc.array(answer, { minLength: 1, maxLength: 4 }), { minLength: 6, maxLength: 6 }),
  deadlineMs: fc.constantFrom(1000, 30_000, 600_000),
  spent: fc.constantFrom(0, 0, 0, 9, 10),
});

type Playing = { readonly before: System; readonly played: Played; readonly deadline: number };
type Drawn = { readonly kind: FailureKind | 'ok'; readonly tookMs: number; readonly retryAfterMs: number | undefined };

/** Plays a sample; the system is given as it was before. */
function playAny(sample: {
  readonly system: Sample;
  readonly scripts: readonly (readonly Drawn[])[];
  readonly deadlineMs: number;
  readonly spent: number;
}): Playing {
  const { plan, state, facts } = systemOf(sample.system);
  for (let count = 0; count < sample.spent; count++) countRetry(state.retryBudget, now);
  const deadline = milliseconds(now + sample.deadlineMs);
  const counts = new Map<number, number>();
  const upstream = ({ deployment }: PlannedAttempt): Scripted => {
    const count = counts.get(deployment) ?? 0;
    counts.set(deployment, count + 1);
    const script = sample.scripts[deployment] ?? [];
    const drawn = script[Math.min(count, script.length - 1)];
    if (drawn === undefined || drawn.kind === 'ok') return { failure: undefined, tookMs: drawn?.tookMs ?? 0 };
    const { kind, tookMs, retryAfterMs } = drawn;
    const known = retryAfterMs === undefined ? {} : { retryAfterMs: milliseconds(retryAfterMs) };
    return { failure: failure(kind, undefined, known), tookMs };
  };
  const played = playScript({ plan, state, facts, now, deadline, random: seededRandom(sample.system.seed), upstream });
  return { before: systemOf(sample.system), played, deadline };
}

/** Holds a law against many requests. */
function law(check: (playing: Playing) => void): void {
  fc.assert(
    fc.property(plays, (sample) => check(playAny(sample))),
    runs,
  );
}

/** The group of an attempt, a deployment alone, or what is tried in despair. */
function groupOf({ attempt }: Pick<PlayedAttempt, 'attempt'>): string {
  if (attempt.source === 'desperate') return 'desperate';
  return attempt.group === undefined ? `only ${attempt.deployment}` : `${attempt.group}`;
}

/** Most retries that anything in the random systems declares. */
const mostRetries = 4;
/** Orders that the groups of the random systems have. */
const orders = 2;

describe('2: every request', () => {
  test('spine 5.4: makes no more attempts than are budgeted, in its groups and in all', () => {
    law(({ before: { plan }, played: { attempts } }) => {
      const { maxFallbacks } = plan.settings.retry;
      const isByKind = attempts.some(({ failure: one }) => one?.kind === 'context_length_exceeded');
      const perGroup = Map.groupBy(attempts, groupOf);
      expect(perGroup.size).toBeLessThanOrEqual(1 + maxFallbacks);
      for (const made of perGroup.values())
        expect(made.length).toBeLessThanOrEqual(
          isByKind ? 2 + Math.max(mostRetries, maxFallbacks) : 1 + mostRetries + orders - 1,
        );
    });
  });

  test('begins nothing at its deadline or later, and waits for nothing that would be later', () => {
    law(({ played: { attempts, endedAt }, deadline }) => {
      for (const { startedAt } of attempts) expect(startedAt).toBeLessThan(deadline);
      expect(endedAt).toBeLessThanOrEqual(deadline);
    });
  });

  test('has one end: one answer and nothing after it, or one failure', () => {
    law(({ played: { attempts, failure: failed } }) => {
      const answers = attempts.filter((one) => one.failure === undefined);
      expect(answers.length).toBe(failed === undefined ? 1 : 0);
      if (failed === undefined) expect(attempts.at(-1)?.failure).toBeUndefined();
    });
  });

  test('never loops: a group that was left is not entered again, and a fallback is asked as often as its chain says', () => {
    law(({ played: { attempts } }) => {
      const entered = attempts.map(groupOf).filter((one, index, all) => one !== all[index - 1]);
      const isByKind = attempts.some(({ failure: one }) => one?.kind === 'context_length_exceeded');
      if (!isByKind) expect(new Set(entered).size).toBe(entered.length);
      for (const [, asked] of Map.groupBy(attempts, ({ attempt }) => `${attempt.deployment} ${attempt.model}`)) {
        const [first] = asked;
        const times = first?.attempt.source === 'group' ? mostRetries : (first?.attempt.repeats?.times ?? 0);
        const isDesperate = first?.attempt.source === 'desperate';
        expect(asked.length).toBeLessThanOrEqual(1 + (isDesperate ? mostRetries : times));
      }
    });
  });

  test('goes on only after what others may mend, or what a policy says', () => {
    law(({ before: { plan }, played: { attempts } }) => {
      for (const { failure: one } of attempts.slice(0, -1)) {
        const isMeant = one !== undefined && plan.settings.retry.policy.has(policyClass(one) ?? 'Default');
        expect(one !== undefined && (failureCatalogue[one.kind].goesOn || isMeant), one?.kind).toBe(true);
      }
    });
  });

  test('asks a server that asked for quiet no sooner than it said', () => {
    law(({ played: { attempts } }) => {
      attempts.forEach(({ attempt, failure: one, endedAt }, index) => {
        const asked = one?.kind === 'upstream_loading' ? undefined : one?.retryAfterMs;
        const again = attempts.slice(index + 1).find((later) => later.attempt.deployment === attempt.deployment);
        if (asked !== undefined && again !== undefined)
          expect(again.startedAt - endedAt, `${one?.kind}`).toBeGreaterThanOrEqual(asked);
      });
    });
  });

  test('draws on the retry budget only where it has some, and never for a fallback', () => {
    fc.assert(
      fc.property(plays, (sample) => {
        const { attempts } = playAny(sample).played;
        const drawn = attempts.filter((one) => one.isRetry).length;
        const within = attempts.every(({ startedAt }) => startedAt - now <= 10_000);
        if (within) expect(sample.spent + drawn).toBeLessThanOrEqual(10);
        attempts.forEach((one, index) => {
          const last = attempts[index - 1];
          if (one.isRetry && last !== undefined) expect(groupOf(one)).toBe(groupOf(last));
        });
      }),
      runs,
    );
  });

  test('is told its first failure, with the class of each attempt and nobody’s address', () => {
    law(({ before: { plan }, played: { attempts, failure: failed, decision } }) => {
      if (failed === undefined) return;
      const first = attempts[0]?.failure ?? decision.refusal;
      if (failed.kind !== 'deadline_exceeded' && failed.kind !== 'model_not_found')
        expect(failed.kind).toBe(first?.kind);
      if (attempts.length > 1)
        for (const { attempt, failure: one } of attempts)
          expect(failed.message).toContain(`${deploymentAt(plan, attempt.deployment).provider}: ${one?.kind}`);
      expect(failed.message).not.toMatch(/https?:|\d+\.\d+\.\d+\.\d+/);
    });
  });

  test('after a content filter, nobody is asked but who is declared for it', () => {
    law(({ before: { plan }, played: { attempts, decision } }) => {
      const at = attempts.findIndex(({ failure: one }) => one?.kind === 'upstream_content_filter');
      const after = at === -1 ? [] : attempts.slice(at + 1);
      const declared = decision.group === undefined ? [] : groupAt(plan, decision.group).contentFallbacks;
      // A group may be declared that shares a deployment with the one that was asked.
      const mayAnswer = declared.flatMap((one) =>
        one.kind === 'group' ? groupAt(plan, one.group).members.map((member) => member.deployment) : [one.deployment],
      );
      for (const { attempt } of after) expect(mayAnswer).toContain(attempt.deployment);
    });
  });

  test('after a prompt that was too long, nobody is asked but a larger context or who is declared for it', () => {
    law(({ before: { plan }, played: { attempts } }) => {
      const contextOf = ({ attempt }: PlayedAttempt): number =>
        deploymentAt(plan, attempt.deployment).contextTokens ?? 0;
      attempts.forEach((one, index) => {
        if (one.failure?.kind !== 'context_length_exceeded') return;
        if (attempts.some(({ failure: other }) => other?.kind === 'upstream_content_filter')) return;
        for (const later of attempts.slice(index + 1))
          if (later.attempt.source !== 'context_fallback') expect(contextOf(later)).toBeGreaterThan(contextOf(one));
      });
    });
  });

  test('spine 5.4: is answered by nobody who lacks what it needs', () => {
    law(({ before, played: { attempts } }) => {
      // Health passes, needs do not.
      const health = before.plan.deployments.map(() => ({ kind: 'ready' as const }));
      const input = { ...before, state: { ...before.state, health }, now };
      for (const { attempt } of attempts) {
        const reason = exclusionOf(input, deploymentAt(before.plan, attempt.deployment))?.reason;
        expect(attempt.source === 'desperate' && reason === 'context' ? undefined : reason).toBeUndefined();
      }
    });
  });
});

describe('2: the retry budget of many requests', () => {
  /** A pool of two with a fallback, and what a second of traffic under which everything but the fallback fails. */
  function storm(perSecond: number): {
    readonly retries: readonly number[];
    readonly answered: number;
    readonly sent: number;
  } {
    const plan = planOf({
      deployments: ['a/m', 'b/m', 'z/m'],
      groups: { m: { members: ['a/m', 'b/m'], strategy: 'simple_shuffle', fallback: ['z/m'] } },
      cooldown: { enabled: false },
    });
    const state = createRoutingState(plan, now);
    const random = seededRandom(5);
    const retries: number[] = [];
    let answered = 0;
    const sent = perSecond * 30;
    for (let index = 0; index < sent; index++) {
      const at = milliseconds(now + (index * 1000) / perSecond);
      countRequest(state.retryBudget, at);
      const { attempts, failure: failed } = playScript({
        ...{ plan, state, facts: factsOf({ asked: 'm' }), now: at, random },
        deadline: milliseconds(at + seconds(60)),
        upstream: ({ deployment }) => ({
          failure: deployment === 2 ? undefined : failure('upstream_error'),
          tookMs: 0,
        }),
      });
      retries.push(...attempts.filter((one) => one.isRetry).map(() => Number(at)));
      if (failed === undefined) answered++;
    }
    return { retries, answered, sent };
  }

  test.each([
    [1, 10],
    [4, 10],
    [20, 40],
    [200, 400],
  ])('of %i requests a second, %i retries in ten seconds; fallbacks answer all', (perSecond, most) => {
    const { retries, answered, sent } = storm(perSecond);
    for (const from of retries) {
      const within = retries.filter((one) => one >= from && one <= from + 10_000).length;
      // The window may hold one more request than its seconds.
      expect(within).toBeLessThanOrEqual(most + 1);
    }
    expect(retries.length).toBeGreaterThanOrEqual(most);
    expect(answered).toBe(sent);
  });
});

describe('2: every kind of failure', () => {
  const pair = planOf({ deployments: ['a/m', 'z/m'], groups: { m: { members: ['a/m'], fallback: ['z/m'] } } });

  test.each(kinds)('%s goes on as the catalogue says', (kind) => {
    const state = createRoutingState(pair, now);
    const told: Failure = failure(kind);
    const { attempts, failure: failed } = playScript({
      ...{ plan: pair, state, facts: factsOf({ asked: 'm', retries: 0 }), now, random: () => 0.5 },
      deadline: milliseconds(now + seconds(60)),
      upstream: ({ deployment }) => ({ failure: deployment === 0 ? told : undefined, tookMs: 1 }),
    });
    // These two go where it is declared for them, and here nothing is.
    const hasOwnWay = kind === 'upstream_content_filter' || kind === 'context_length_exceeded';
    const goesOn = failureCatalogue[kind].goesOn && !hasOwnWay;
    expect(attempts.some(({ attempt }) => attempt.deployment === 1)).toBe(goesOn);
    expect(failed?.kind).toBe(goesOn ? undefined : kind);
  });

  test('what a client does wrong never goes on, whoever says so', () => {
    const clients = allKinds.filter(
      (kind) => failureCatalogue[kind].blame === 'client' && failureCatalogue[kind].goesOn,
    );
    // A larger context, another filter, a model that can do it: others may well answer.
    expect(clients).toEqual([
      'context_length_exceeded',
      'rehearsed',
      'upstream_unsupported',
      'upstream_content_filter',
    ]);
  });
});
