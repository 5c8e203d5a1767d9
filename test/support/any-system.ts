import fc from 'fast-check';
import { milliseconds, tokens } from '../../src/plan/ids.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RequestFacts } from '../../src/plan/request-facts.ts';
import type { DeploymentHealth, RoutingState } from '../../src/plan/routing-state.ts';
import { createRoutingState } from '../../src/routing/state.ts';
import { factsOf, type PlanOf, planOf } from './plan-of.ts';

/*
 * Any plan, any state and any request: random pools with fallbacks and chains, random health,
 * random needs.
 */

const names = ['a/m', 'b/m', 'c/m', 'd/m', 'e/m', 'f/m'];

/** Mostly the plain case, so that requests get far; now and then another. */
const mostly = <Value>(plain: Value, ...others: readonly Value[]): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(plain) }, { weight: 1, arbitrary: fc.constantFrom(plain, ...others) });

const strategy = fc.constantFrom(
  'direct',
  'simple_shuffle',
  'weighted_round_robin',
  'least_busy',
  'cost_based_routing',
  'most_capacity',
  'quality_based',
  'usage_based_routing',
  'usage_based',
  'latency_based_routing',
  'fastest_response',
  'adaptive_weighted',
  'soonest',
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
  chain: fc.oneof(
    fc.array(target, { maxLength: 4 }),
    fc.record({
      items: fc.array(target, { maxLength: 4 }),
      strategy: fc.constantFrom('immediate', 'retry_with_backoff', 'circuit_breaker'),
      retryAttempts: fc.constantFrom(undefined, 1, 2),
      retryDelayMs: fc.constantFrom(undefined, milliseconds(200)),
    }),
  ),
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
  retry: fc.record({
    retries: fc.integer({ min: 0, max: 4 }),
    maxFallbacks: fc.integer({ min: 0, max: 5 }),
    policy: mostly(new Map(), new Map([['BadRequestError', 2]]), new Map([['Default', 1]])),
  }),
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

/** A plan as it is written, what is known of its deployments, and a request. */
export const systems: fc.Arbitrary<Sample> = fc.record({
  written: plans,
  facts: requests,
  healths: fc.array(health, { minLength: names.length, maxLength: names.length }),
  inFlight: fc.array(fc.nat(9), { minLength: names.length, maxLength: names.length }),
  seed: fc.nat(),
});

/** What one run is made of. */
export type Sample = {
  readonly written: PlanOf;
  readonly facts: Partial<RequestFacts>;
  readonly healths: readonly (DeploymentHealth | undefined)[];
  readonly inFlight: readonly number[];
  readonly seed: number;
};

/** The same as it would run. */
export type System = { readonly plan: Plan; readonly state: RoutingState; readonly facts: RequestFacts };

/** Compiles a sample. */
export function systemOf({ written, facts, healths, inFlight }: Sample): System {
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
