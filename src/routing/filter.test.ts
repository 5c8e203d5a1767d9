import { expect, test } from 'vitest';
import { conditionOf, factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import type { Deployment } from '../plan/deployment.ts';
import { milliseconds, tokens } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { unseenSpeeds } from '../plan/residency.ts';
import type { DeploymentHealth } from '../plan/routing-state.ts';
import { decide } from './decide.ts';
import { createRoutingState } from './state.ts';

/** One deployment besides a peer that nothing is wrong with, and what is found of it. */
type Row = {
  readonly deployment?: Partial<Deployment>;
  readonly peer?: Partial<Deployment>;
  readonly facts?: Partial<RequestFacts>;
  readonly health?: DeploymentHealth;
  readonly effectiveContext?: number;
  readonly condition?: ReturnType<typeof conditionOf>;
  readonly plan?: Pick<PlanOf, 'providers' | 'routing' | 'requestMs'>;
  /** Reason and detail, or `serves`. */
  readonly verdict: string;
};

const now = milliseconds(100_000);
const at = (ms: number): ReturnType<typeof milliseconds> => milliseconds(now + ms);
const unknown: Deployment['capabilities'] = {
  tools: undefined,
  vision: undefined,
  jsonSchema: undefined,
  reasoning: undefined,
};
const no: Deployment['capabilities'] = { tools: false, vision: false, jsonSchema: false, reasoning: false };
const needs = { tools: false, vision: false, jsonSchema: false };
const tagged: PlanOf['routing'] = { tagFiltering: { enabled: true, matchAny: true } };
const allTags: PlanOf['routing'] = { tagFiltering: { enabled: true, matchAny: false } };

function check({
  deployment = {},
  peer = {},
  facts,
  health,
  effectiveContext,
  condition,
  plan: settings,
  verdict,
}: Row): void {
  const plan = planOf({
    ...settings,
    deployments: { 'a/m': deployment, 'b/m': peer },
    groups: { m: [{ at: 'a/m', ...(condition === undefined ? {} : { condition }) }, 'b/m'] },
  });
  const state = createRoutingState(plan, milliseconds(0));
  if (health !== undefined) state.health[0] = health;
  state.observations[0] = {
    failures: [],
    residency: undefined,
    speeds: unseenSpeeds,
    effectiveContext: effectiveContext === undefined ? undefined : tokens(effectiveContext),
  };
  const decision = decide(plan, state, factsOf({ asked: 'm', ...facts }), now, () => 0.5);
  const found = decision.candidates.find((one) => plan.deployments[one.deployment]?.provider === 'a')?.verdict;
  expect(found?.kind === 'excluded' ? `${found.reason}: ${found.detail}` : 'serves').toBe(verdict);
  // What is excluded is never among the attempts, since the peer serves.
  expect(decision.attempts.some((one) => one.deployment === 0)).toBe(verdict === 'serves');
}

test.each<Row>([
  { verdict: 'serves' },
  { health: { kind: 'degraded', since: now, why: 'recovering' }, verdict: 'serves' },
  { health: { kind: 'missing', since: now }, verdict: 'serves' },
  { health: { kind: 'loading', since: now, readyAt: undefined }, verdict: 'serves' },
  { health: { kind: 'loading', since: now, readyAt: at(9000) }, plan: { requestMs: 10_000 }, verdict: 'serves' },
  {
    health: { kind: 'loading', since: now, readyAt: at(11_000) },
    plan: { requestMs: 10_000 },
    verdict: 'loading: it is loading, 11 s left',
  },
  {
    health: { kind: 'cooling', since: now, until: at(4200), why: 'failures', round: 0 },
    verdict: 'cooling: cooling after failures, 5 s left',
  },
  {
    health: { kind: 'cooling', since: now, until: at(1), why: 'rate_limited', round: 0 },
    verdict: 'cooling: cooling after a rate limit, 1 s left',
  },
  // A cooldown that is over lets a request through, which tests it.
  { health: { kind: 'cooling', since: now, until: now, why: 'failures', round: 0 }, verdict: 'serves' },
  { health: { kind: 'half_open', since: now, round: 0 }, verdict: 'half_open_busy: one request is testing it' },
  { health: { kind: 'down', since: now, why: 'no answer in time' }, verdict: 'down: no answer in time' },
  { health: { kind: 'draining', since: now }, verdict: 'draining: its provider "a" is draining' },
  { plan: { providers: { a: { status: 'disabled' } } }, verdict: 'disabled: its provider "a" is disabled' },

  { deployment: { kind: 'embedding' }, verdict: 'kind: it is for embedding, the request is for chat' },
  { deployment: { kind: 'embedding' }, facts: { endpoint: 'embeddings' }, verdict: 'serves' },
  { deployment: { kind: 'chat' }, facts: { endpoint: 'completions' }, verdict: 'serves' },
  {
    deployment: { kind: 'chat' },
    facts: { endpoint: 'embeddings' },
    verdict: 'kind: it is for chat, the request is for embeddings',
  },

  { deployment: { contextTokens: tokens(100) }, verdict: 'serves' },
  { deployment: { contextTokens: tokens(99) }, verdict: 'context: about 100 tokens are asked for, its context is 99' },
  {
    deployment: { contextTokens: tokens(150) },
    facts: { maxOutputTokens: tokens(51) },
    verdict: 'context: about 151 tokens are asked for, its context is 150',
  },
  // What the server grants goes before what is declared, in both directions.
  {
    deployment: { contextTokens: tokens(1000) },
    effectiveContext: 64,
    verdict: 'context: about 100 tokens are asked for, its context is 64',
  },
  { deployment: { contextTokens: tokens(64) }, effectiveContext: 1000, verdict: 'serves' },

  {
    deployment: { capabilities: unknown },
    facts: { needs: { tools: true, vision: true, jsonSchema: true } },
    verdict: 'serves',
  },
  { deployment: { capabilities: no }, verdict: 'serves' },
  {
    deployment: { capabilities: no },
    facts: { needs: { ...needs, tools: true } },
    verdict: 'capability: it has no tools',
  },
  {
    deployment: { capabilities: no },
    facts: { needs: { ...needs, vision: true } },
    verdict: 'capability: it reads no pictures',
  },
  {
    deployment: { capabilities: no },
    facts: { needs: { ...needs, jsonSchema: true } },
    verdict: 'capability: it keeps to no JSON schema',
  },

  { facts: { minTier: 'cloud_entry' }, verdict: 'min_tier: its tier is local, the request wants cloud_entry at least' },
  {
    facts: { minTier: 'cloud_entry' },
    plan: { providers: { a: { tier: 'cloud_premium' } } },
    verdict: 'serves',
  },
  // Each tier is enough for itself and for those below it; a universal one is as good as a local one.
  ...(
    [
      ['cloud_premium', 'cloud_premium', true],
      ['cloud_standard', 'cloud_premium', false],
      ['cloud_standard', 'cloud_standard', true],
      ['cloud_entry', 'cloud_standard', false],
      ['cloud_entry', 'cloud_entry', true],
      ['universal', 'cloud_entry', false],
      ['local', 'universal', true],
    ] as const
  ).map(
    ([tier, minTier, serves]): Row => ({
      facts: { minTier },
      plan: { providers: { a: { tier }, b: { tier: 'cloud_premium' } } },
      verdict: serves ? 'serves' : `min_tier: its tier is ${tier}, the request wants ${minTier} at least`,
    }),
  ),
  {
    facts: { minTier: 'platinum' },
    verdict: 'min_tier: "platinum" is no tier: write local, universal, cloud_entry, cloud_standard, cloud_premium',
  },

  { condition: conditionOf('tokens', '>', 50), verdict: 'serves' },
  { condition: conditionOf('stream', '==', true), verdict: 'condition: stream == true does not hold: stream = false' },

  // Tags, as LiteLLM routes by them: those that match, else `default`, else those without any tag.
  {
    deployment: { tags: ['eu'] },
    peer: { tags: ['us'] },
    facts: { tags: ['eu'] },
    plan: { routing: tagged },
    verdict: 'serves',
  },
  {
    deployment: { tags: ['eu'] },
    peer: { tags: ['us'] },
    facts: { tags: ['us'] },
    plan: { routing: tagged },
    verdict: 'tags: the request has the tags "us", it has "eu"',
  },
  { deployment: { tags: ['eu'] }, peer: { tags: ['us'] }, facts: { tags: ['us'] }, verdict: 'serves' },
  {
    deployment: { tags: ['eu'] },
    peer: { tags: ['us'] },
    facts: { tags: ['eu', 'fast'] },
    plan: { routing: tagged },
    verdict: 'serves',
  },
  {
    deployment: { tags: ['eu'] },
    facts: { tags: ['us'] },
    plan: { routing: tagged },
    verdict: 'tags: the request has the tags "us", it has "eu"',
  },
  {
    deployment: { tags: ['eu'] },
    peer: { tags: ['default'] },
    plan: { routing: allTags },
    verdict: 'tags: the request has the tags none, it has "eu"',
  },
  {
    deployment: { tags: ['eu'] },
    peer: { tags: ['eu', 'fast'] },
    facts: { tags: ['eu', 'fast'] },
    plan: { routing: allTags },
    verdict: 'tags: the request has the tags "eu", "fast", it has "eu"',
  },
  { deployment: { tags: ['default'] }, facts: { tags: ['us'] }, plan: { routing: tagged }, verdict: 'serves' },
  {
    deployment: { tags: ['default'] },
    peer: { tags: ['us'] },
    facts: { tags: ['us'] },
    plan: { routing: tagged },
    verdict: 'tags: the request has the tags "us", it has "default"',
  },
  {
    deployment: { tags: ['eu'] },
    peer: { tags: ['default'] },
    plan: { routing: tagged },
    verdict: 'tags: the request has the tags none, it has "eu"',
  },
  { deployment: { tags: ['eu'] }, peer: {}, plan: { routing: tagged }, verdict: 'serves' },
  { facts: { tags: ['us'] }, plan: { routing: tagged }, verdict: 'serves' },
])('1.2: filter $deployment $health $facts $condition: $verdict', (row) => check(row));
