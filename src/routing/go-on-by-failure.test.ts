import { describe, expect, test } from 'vitest';
import { alone, checkPlay as check, pair, pool } from '../../test/support/check-play.ts';
import { factsOf, type PlanOf, planOf } from '../../test/support/plan-of.ts';
import { begin, half, type Play } from '../../test/support/play-attempts.ts';
import type { FailureKind } from '../plan/failure.ts';
import { failure } from '../plan/failure-catalogue.ts';
import { milliseconds, tokens } from '../plan/ids.ts';
import { decide } from './decide.ts';
import { goOn } from './go-on.ts';
import { createRoutingState } from './state.ts';

describe('2: failures with fallbacks of their own', () => {
  const contexts: PlanOf = {
    deployments: {
      'a/m': { contextTokens: tokens(4096) },
      'b/m': { contextTokens: tokens(2048) },
      'c/m': { contextTokens: tokens(8192) },
      'd/m': {},
      'e/m': { contextTokens: tokens(32_768) },
    },
    groups: { m: { members: ['a/m', 'b/m', 'c/m'], fallback: ['d/m', 'e/m'] } },
  };
  const declared: PlanOf = {
    ...contexts,
    groups: { m: { members: ['a/m', 'c/m'], contextFallbacks: ['long'], fallback: ['b/m'] }, long: ['d/m', 'e/m'] },
  };
  const filtered: PlanOf = {
    deployments: ['a/m', 'b/m', 'c/m', 'd/m'],
    groups: { m: { members: ['a/m', 'b/m'], fallback: ['c/m'], contentFallbacks: ['mild'] }, mild: ['d/m'] },
  };
  test.each<Play>([
    {
      name: 'a prompt that is too long goes to a larger context only',
      plan: contexts,
      answers: { a: 'context_length_exceeded', c: 'context_length_exceeded' },
      tried: 'a c e',
      ends: 'ok',
    },
    {
      name: 'though retries are turned off',
      plan: contexts,
      facts: { retries: 0 },
      answers: { a: 'context_length_exceeded' },
      tried: 'a c',
      ends: 'ok',
    },
    {
      name: 'which counts as a fallback',
      plan: { ...contexts, retry: { maxFallbacks: 1 } },
      answers: { a: 'context_length_exceeded', c: 'context_length_exceeded' },
      tried: 'a c',
      ends: 'context_length_exceeded',
    },
    {
      name: 'and ends where none is larger, be it equal or unknown',
      plan: {
        ...pool,
        deployments: {
          'a/m': { contextTokens: tokens(4096) },
          'b/m': {},
          'c/m': { contextTokens: tokens(4096) },
          'd/m': {},
        },
      },
      answers: { a: 'context_length_exceeded' },
      tried: 'a',
      ends: 'context_length_exceeded',
    },
    {
      name: 'context_window_fallbacks go first',
      plan: declared,
      answers: { a: 'context_length_exceeded' },
      tried: 'a d',
      ends: 'ok',
    },
    {
      name: 'what follows them after another failure takes more, too',
      plan: declared,
      answers: { a: 'context_length_exceeded', d: 'upstream_refused', e: 'upstream_refused' },
      tried: 'a d e c',
      ends: 'ok',
    },
    {
      name: 'a content filter goes to content_policy_fallbacks',
      plan: filtered,
      answers: { a: 'upstream_content_filter' },
      tried: 'a d',
      ends: 'ok',
    },
    {
      name: 'and to nobody else',
      plan: filtered,
      answers: { a: 'upstream_content_filter', d: 'upstream_refused' },
      tried: 'a d',
      ends: 'upstream_content_filter',
    },
    {
      name: 'unless the request turns fallbacks off',
      plan: filtered,
      facts: { disableFallbacks: true },
      answers: { a: 'upstream_content_filter' },
      tried: 'a',
      ends: 'upstream_content_filter',
    },
    {
      name: 'fallbacks for a failure are filtered as all others',
      plan: {
        ...filtered,
        deployments: { 'a/m': {}, 'b/m': {}, 'c/m': {}, 'd/m': { kind: 'embedding' } },
      },
      answers: { a: 'upstream_content_filter' },
      tried: 'a',
      ends: 'upstream_content_filter',
    },
  ])('$name', check);
});

describe('2: LiteLLM’s retry policies execute as written', () => {
  test.each<Play>([
    {
      name: 'a number for bad requests',
      plan: { ...pool, retry: { policy: new Map([['BadRequestError', 1]]) } },
      answers: 'upstream_bad_request',
      tried: 'a b',
      ends: 'upstream_bad_request',
    },
    {
      name: 'which leads to no fallback',
      plan: { ...pair, retry: { policy: new Map([['BadRequestError', 1]]) } },
      answers: 'upstream_bad_request',
      tried: 'a +437.5 a',
      ends: 'upstream_bad_request',
    },
    {
      name: 'none for timeouts',
      plan: { ...pool, retry: { policy: new Map([['TimeoutError', 0]]) } },
      answers: 'upstream_timeout_total',
      tried: 'a',
      ends: 'upstream_timeout_total',
    },
    {
      name: 'the group’s own number goes first',
      plan: {
        ...pool,
        retry: {
          policy: new Map([['InternalServerError', 0]]),
          groupPolicy: new Map([['m', new Map([['InternalServerError', 3]])]]),
        },
      },
      answers: 'upstream_error',
      tried: 'a b c d',
      ends: 'upstream_error',
    },
    {
      name: 'the number for everything else repeats no content filter’s refusal',
      plan: { ...alone, retry: { policy: new Map([['Default', 3]]) } },
      answers: { a: 'upstream_content_filter' },
      tried: 'a',
      ends: 'upstream_content_filter',
    },
    {
      name: 'a number of its own does',
      plan: { ...alone, retry: { policy: new Map([['ContentPolicyViolationError', 1]]) } },
      answers: { a: ['upstream_content_filter', 'ok'] },
      tried: 'a +437.5 a',
      ends: 'ok',
    },
    {
      name: 'the number for everything else repeats nothing that only the client can mend',
      plan: { ...pool, retry: { policy: new Map([['Default', 3]]) } },
      answers: { a: 'upstream_error', b: 'upstream_bad_request' },
      tried: 'a b',
      ends: 'upstream_error',
    },
  ])('$name', check);
});

describe('1.2 mock_testing_fallbacks: the whole group counts as failed', () => {
  const behind: PlanOf = {
    deployments: ['a/m', 'b/m', 'z/m'],
    groups: { m: { members: ['a/m', 'b/m'], fallback: ['z/m'] } },
    retry: { policy: new Map([['Default', 3]]) },
  };
  test.each<Play>([
    { name: 'its fallback answers at once', plan: behind, answers: { a: 'rehearsed' }, tried: 'a z', ends: 'ok' },
    {
      name: 'a later order is part of the group',
      plan: { ...behind, groups: { m: { members: ['a/m', { at: 'b/m', order: 2 }], fallback: ['z/m'] } } },
      answers: { a: 'rehearsed' },
      tried: 'a z',
      ends: 'ok',
    },
    { name: 'nobody stands in', plan: pool, answers: { a: 'rehearsed' }, tried: 'a', ends: 'rehearsed' },
  ])('$name', check);
});

test('2: the message names every attempt’s provider and class, the name’s rule where it is to blame', () => {
  const failed = (routing: PlanOf['routing'], ...kinds: readonly FailureKind[]): string => {
    const plan = planOf({ deployments: ['a/*', 'b/*'], ...(routing === undefined ? {} : { routing }) });
    const state = createRoutingState(plan, begin);
    const facts = factsOf({ asked: 'Qwen/x-7b' });
    const decision = decide(plan, state, facts, begin, half);
    const outcomes = decision.attempts.map((attempt, place) => ({
      attempt,
      failure: failure(kinds[place] ?? 'internal'),
      startedAt: begin,
      endedAt: begin,
    }));
    const deadline = milliseconds(begin + 1000);
    const next = goOn({ plan, state, facts, decision, outcomes, deadline, now: begin, random: half });
    return next.kind === 'stop' ? `${next.failure.kind}: ${next.failure.message}` : 'goes on';
  };
  const missing = 'upstream_model_missing';
  const pattern = { pattern: /^Qwen/, target: 'a/*' };
  const size = { source: '7B - 13B', minBillions: 7, maxBillions: 13, target: 'a/*' };
  expect(failed({ patterns: [pattern] }, missing)).toBe(
    'model_not_found: The model "Qwen/x-7b" does not exist where the pattern ^Qwen sends it',
  );
  expect(failed({ sizes: [size] }, missing)).toBe(
    'model_not_found: The model "Qwen/x-7b" does not exist where 7B - 13B sends it',
  );
  const two = { patterns: [{ ...pattern, fallback: ['b/*'] }] };
  expect(failed(two, missing, 'upstream_refused')).toMatch(
    /^upstream_model_missing: .* \(tried a: upstream_model_missing, b: upstream_refused\)$/,
  );
});
