import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factsOf, type PlanOf, planOf, seededRandom } from '../../test/support/plan-of.ts';
import type { AttemptOutcome, Decision } from '../plan/decision.ts';
import type { FailureKind } from '../plan/failure.ts';
import { failure, failureCatalogue } from '../plan/failure-catalogue.ts';
import { milliseconds, tokens } from '../plan/ids.ts';
import { deploymentAt, type Plan } from '../plan/plan.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../plan/routing-state.ts';
import { decide } from './decide.ts';
import { exclusionOf } from './filter.ts';
import { goOn } from './go-on.ts';
import { applyAttemptEnded, applyAttemptStarted, applyBudget, applyFailure, createRoutingState } from './state.ts';

/*
 * What holds for every plan, every state and every request: random pools with fallbacks and
 * chains, random health, random needs.
 */

const now = milliseconds(100_000);
const runs = { numRuns: 500 };
const names = ['a/m', 'b/m', 'c/m', 'd/m', 'e/m', 'f/m'];

/** Mostly the plain case, so that requests get far; now and then another. */
const mostly = <Value>(plain: Value, ...others: readonly Value[]): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(plain) }, { weight: 1, arbitrary: fc.constantFrom(plain, ...others) });

const strategy = fc.constantFrom(
  'direct',
  'simple_shuffle',
  'weighted_round_robin',
  'least_busy',
  'cost_based',
  'most_capacity',
  'quality_based',
);

const deployment = fc.record({
  kind: mostly<'chat' | 'embedding' | undefined>(undefined, 'chat', 'embedding'),
  contextTokens: mostly(undefined, tokens(64), tokens(4096)),
  capabilities: fc.record({
    tools: mostly<boolean | undefined>(undefined, true, false),
    vision: mostly<boolean | undefined>(undefined, true, false),
    jsonSchema: fc.constant(undefined),
    reasoning: fc.constant(undefined),
  }),
  tags: fc.subarray(['eu', 'default']),
  retries: fc.constantFrom(undefined, 0, 4),
});

const member = fc.record({
  at: fc.constantFrom(...names),
  order: fc.constantFrom(1, 1, 2),
  weight: fc.constantFrom(undefined, 0, 0.3, 5),
});

const target = fc.constantFrom('m', 'n', ...names);

const group = fc.record({
  members: fc.uniqueArray(member, { minLength: 1, maxLength: 5, selector: (one) => one.at }),
  strategy,
  fallback: fc.array(target, { maxLength: 3 }),
  chain: fc.array(target, { maxLength: 4 }),
  contextFallbacks: fc.array(target, { maxLength: 2 }),
  contentFallbacks: fc.array(target, { maxLength: 2 }),
});

const plans: fc.Arbitrary<PlanOf> = fc.record({
  providers: fc.record({ a: fc.record({ status: mostly<'active' | 'disabled'>('active', 'disabled') }) }),
  deployments: fc.record(Object.fromEntries(names.map((name) => [name, deployment]))),
  groups: fc.record({ m: group, n: group }),
  routing: fc.record({
    defaultFallbacks: fc.array(target, { maxLength: 2 }),
    tagFiltering: fc.record({ enabled: mostly(false, true), matchAny: fc.boolean() }),
  }),
  retry: fc.record({ retries: fc.integer({ min: 0, max: 4 }), maxFallbacks: fc.integer({ min: 0, max: 5 }) }),
});

const time = fc.integer({ min: 90_000, max: 110_000 }).map(milliseconds);

const health: fc.Arbitrary<DeploymentHealth | undefined> = fc.oneof(
  { weight: 20, arbitrary: fc.constant(undefined) },
  fc.record({ kind: fc.constant('missing'), since: time }),
  fc.record({ kind: fc.constant('loading'), since: time, readyAt: fc.constantFrom(undefined, milliseconds(9e9)) }),
  fc.record({
    kind: fc.constant('cooling'),
    since: time,
    until: time,
    why: fc.constantFrom('failures', 'rate_limited', 'refused', 'configuration'),
    round: fc.nat(3),
  }),
  fc.record({ kind: fc.constant('half_open'), since: time, round: fc.nat(3) }),
  fc.record({ kind: fc.constant('down'), since: time, why: fc.constant('probe') }),
  fc.record({ kind: fc.constant('degraded'), since: time, why: fc.constant('recovering') }),
);

const requests: fc.Arbitrary<Partial<RequestFacts>> = fc.record({
  asked: mostly('m', 'n', 'a/m', 'nobody'),
  endpoint: mostly<'chat' | 'embeddings'>('chat', 'embeddings'),
  promptTokens: mostly(tokens(10), tokens(100), tokens(9000)),
  maxOutputTokens: mostly(undefined, tokens(60), tokens(5000)),
  needs: fc.record({ tools: mostly(false, true), vision: mostly(false, true), jsonSchema: fc.constant(false) }),
  tags: fc.subarray(['eu', 'us']),
  disableFallbacks: mostly(false, true),
  retries: fc.constantFrom(undefined, 0, 3),
});

const systems = fc.record({
  written: plans,
  facts: requests,
  healths: fc.array(health, { minLength: names.length, maxLength: names.length }),
  inFlight: fc.array(fc.nat(9), { minLength: names.length, maxLength: names.length }),
  seed: fc.nat(),
});

type Sample = typeof systems extends fc.Arbitrary<infer One> ? One : never;
type System = { readonly plan: Plan; readonly state: RoutingState; readonly facts: RequestFacts };

function systemOf({ written, facts, healths, inFlight }: Sample): System {
  const plan = planOf(written);
  const state = createRoutingState(plan, milliseconds(0));
  healths.forEach((one, index) => {
    if (one !== undefined && state.health[index]?.kind !== 'disabled') state.health[index] = one;
  });
  inFlight.forEach((count, index) => {
    state.inFlight[index] = count;
  });
  return { plan, state, facts: factsOf(facts) };
}

test('spine 5.4: decide never picks what a filter excluded, and each deployment once', () => {
  fc.assert(
    fc.property(systems, (sample) => {
      const { plan, state, facts } = systemOf(sample);
      const { attempts, candidates, refusal } = decide(plan, state, facts, now, seededRandom(sample.seed));
      expect(new Set(attempts.map((one) => one.deployment)).size).toBe(attempts.length);
      expect(refusal === undefined).toBe(attempts.length > 0);
      for (const { deployment, source } of attempts) {
        const excluded = exclusionOf({ plan, state, facts, now }, deploymentAt(plan, deployment));
        if (source === 'desperate') {
          expect(['cooling', 'half_open_busy', 'context']).toContain(excluded?.reason);
          expect(attempts.every((one) => one.source === 'desperate')).toBe(true);
        } else {
          expect(excluded).toBeUndefined();
          const verdicts = candidates.filter((one) => one.deployment === deployment).map((one) => one.verdict);
          expect(verdicts.filter((one) => one.kind !== 'excluded')).toHaveLength(1);
        }
      }
    }),
    runs,
  );
});

test('spine 5.4: decide is the same for the same input, and changes nothing', () => {
  fc.assert(
    fc.property(systems, (sample) => {
      const { plan, state, facts } = systemOf(sample);
      const before = structuredClone(state);
      const choose = (): Decision => decide(plan, state, facts, now, seededRandom(sample.seed));
      expect(choose()).toEqual(choose());
      expect(state).toEqual(before);
    }),
    runs,
  );
});

const failures: readonly FailureKind[] = [
  'upstream_refused',
  'upstream_error',
  'upstream_rate_limited',
  'upstream_model_missing',
  'upstream_bad_request',
  'upstream_content_filter',
  'context_length_exceeded',
  'upstream_loading',
];

/** Attempts one request until it ends, each attempt failing as the next of `kinds` says. */
function attemptAll({ plan, state, facts }: System, kinds: readonly FailureKind[], seed: number): AttemptOutcome[] {
  const random = seededRandom(seed);
  const decision = decide(plan, state, facts, now, random);
  const deadline = milliseconds(now + 600_000);
  const outcomes: AttemptOutcome[] = [];
  let at = now;
  for (let attempt = decision.attempts[0]; attempt !== undefined; ) {
    const failed = failure(kinds[outcomes.length % kinds.length] ?? 'upstream_error');
    const { deployment } = attempt;
    expect(['down', 'disabled', 'draining']).not.toContain(state.health[deployment]?.kind);
    applyAttemptStarted(state, attempt, at);
    applyAttemptEnded(state, attempt);
    const alone = decision.attempts.length === 1;
    applyFailure(state, { plan, deployment, failure: failed, now: at, alone, random: random() });
    outcomes.push({ attempt, failure: failed, startedAt: at, endedAt: at });
    const next = goOn({ plan, state, facts, decision, outcomes, deadline, now: at, random });
    if (next.kind === 'stop') break;
    if (next.retry) applyBudget(state, 'retries', at);
    at = milliseconds(at + next.delayMs);
    expect(at).toBeLessThan(deadline);
    attempt = next.attempt;
  }
  return outcomes;
}

const plays = fc.record({
  system: systems,
  kinds: fc.array(fc.constantFrom(...failures), { minLength: 1, maxLength: 4 }),
});

/** Largest number of retries that anything in the random systems declares. */
const mostRetries = 4;

test('spine 5.4: a request never exceeds its attempt budget, nor goes on after a fault of the client', () => {
  fc.assert(
    fc.property(plays, ({ system, kinds }) => {
      const played = systemOf(system);
      const outcomes = attemptAll(played, kinds, system.seed);
      const { maxFallbacks } = played.plan.settings.retry;
      const tries = new Map<string, number>();
      for (const { attempt } of outcomes) {
        const key = attempt.source === 'desperate' ? 'desperate' : `${attempt.group ?? `only ${attempt.deployment}`}`;
        tries.set(key, (tries.get(key) ?? 0) + 1);
      }
      expect(tries.size).toBeLessThanOrEqual(1 + maxFallbacks);
      for (const count of tries.values()) expect(count).toBeLessThanOrEqual(1 + Math.max(mostRetries, maxFallbacks));
      for (const { failure: failed } of outcomes.slice(0, -1)) {
        const kind = failed?.kind ?? 'internal';
        expect(failureCatalogue[kind].goesOn).toBe(true);
      }
    }),
    runs,
  );
});

test('spine 5.4: what follows a failure lacks nothing that the request needs', () => {
  fc.assert(
    fc.property(plays, ({ system, kinds }) => {
      const played = systemOf(system);
      // Before the attempts change it: health passes, needs do not.
      const lacking = played.plan.deployments.map((one) => {
        const ready = { ...played.state, health: played.plan.deployments.map(() => ({ kind: 'ready' as const })) };
        return exclusionOf({ plan: played.plan, state: ready, facts: played.facts, now }, one)?.reason;
      });
      for (const { attempt } of attemptAll(played, kinds, system.seed)) {
        const reason = lacking[attempt.deployment];
        expect(attempt.source === 'desperate' && reason === 'context' ? undefined : reason).toBeUndefined();
      }
    }),
    runs,
  );
});
