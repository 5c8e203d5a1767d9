import { describe, expect, test } from 'vitest';
import { conditionOf, factsOf, planOf } from '../../test/support/plan-of.ts';
import type { Expression, Variable } from '../plan/condition.ts';
import { milliseconds, tokens } from '../plan/ids.ts';
import type { RequestFacts } from '../plan/request-facts.ts';
import { unseenEngine, unseenSpeeds } from '../plan/residency.ts';
import { type ConditionValue, holds } from './condition.ts';
import { complexityOf, createLookup } from './facts.ts';
import { createRoutingState } from './state.ts';

const literal = (value: string | number | boolean): Expression => ({ kind: 'literal', value });
const header = (name: string): Expression => ({ kind: 'variable', variable: { kind: 'header', name } });
const compare = (left: Expression, operator: '==' | '!=' | '<' | '<=' | '>' | '>=', right: Expression): Expression => ({
  kind: 'compare',
  operator,
  left,
  right,
});

describe('1.2: conditions', () => {
  const headers = new Map([
    ['x-priority', 'High'],
    ['x-count', '12'],
    ['x-flag', 'false'],
    ['x-empty', ''],
    ['x-off', 'FALSE'],
  ]);
  const lookup = (variable: Variable): ConditionValue =>
    variable.kind === 'header' ? headers.get(variable.name) : undefined;
  const yes = literal(true);
  const no = literal(false);
  test.each<[string, Expression, boolean]>([
    ['true', yes, true],
    ['0', literal(0), false],
    ['2', literal(2), true],
    ['a text', literal('x'), true],
    ['an empty header', header('x-empty'), false],
    ['a header that says false', header('x-flag'), false],
    ['a header that says it aloud', header('x-off'), false],
    ['one that says it aloud, compared', compare(header('x-off'), '==', no), true],
    ['not', { kind: 'not', operand: no }, true],
    ['and', { kind: 'and', operands: [yes, no] }, false],
    ['or', { kind: 'or', operands: [no, yes] }, true],
    ['equal texts, whatever their case', compare(header('x-priority'), '==', literal('high')), true],
    ['unequal texts', compare(header('x-priority'), '!=', literal('low')), true],
    ['a header as a number', compare(header('x-count'), '>', literal(9)), true],
    ['a header as a truth', compare(header('x-flag'), '==', literal(false)), true],
    ['a header that is no number', compare(header('x-priority'), '<', literal(9)), false],
    ['an empty header as a number', compare(header('x-empty'), '==', literal(0)), false],
    ['absent is not less', compare(header('x-none'), '<', literal(9)), false],
    ['absent is not equal', compare(header('x-none'), '==', literal('a')), false],
    ['absent is unequal', compare(header('x-none'), '!=', literal('a')), true],
    ['<= at its bound', compare(literal(8), '<=', literal(8)), true],
    ['>= below its bound', compare(literal(7.9), '>=', literal(8)), false],
  ])('%s', (_, expression, wanted) => expect(holds({ source: '', expression }, lookup)).toBe(wanted));
});

/** What a condition sees of a busy system: deployment 0 works on 3 requests, group `m` on 2 of them. */
const plan = planOf({
  providers: { off: { status: 'disabled' }, cloud: { tier: 'cloud_premium' } },
  deployments: {
    'local/m': { seats: 4, sizeBillions: 8 },
    'cloud/m': { seats: 1 },
    'off/m': {},
    'half/m': {},
    'half/n': {},
  },
  groups: { m: ['local/m', 'cloud/m'], 'other:70b': ['cloud/m'] },
});

test.each<[Variable, Partial<RequestFacts>, ConditionValue]>([
  [{ kind: 'fact', name: 'stream' }, { stream: true }, true],
  [{ kind: 'fact', name: 'tokens' }, {}, 100],
  [{ kind: 'fact', name: 'length' }, { maxOutputTokens: tokens(900) }, 900],
  [{ kind: 'fact', name: 'length' }, { maxOutputTokens: tokens(9) }, 100],
  [{ kind: 'fact', name: 'batch_size' }, { batchSize: 3 }, 3],
  [{ kind: 'fact', name: 'batch_mode' }, { batchSize: 2 }, true],
  [{ kind: 'fact', name: 'batch_mode' }, { headers: new Map([['x-batch', '1']]) }, true],
  [{ kind: 'fact', name: 'batch_mode' }, { headers: new Map([['x-batch', 'false']]) }, false],
  [{ kind: 'fact', name: 'batch_mode' }, {}, false],
  [{ kind: 'fact', name: 'request_count' }, {}, 2],
  [{ kind: 'fact', name: 'concurrent_requests' }, {}, 3],
  [{ kind: 'fact', name: 'complexity' }, { promptTokens: tokens(250) }, 'high'],
  [{ kind: 'fact', name: 'quality' }, { qualityTier: 'premium' }, 'premium'],
  [{ kind: 'fact', name: 'quality_tier' }, {}, undefined],
  [{ kind: 'fact', name: 'model_size' }, {}, 8],
  [{ kind: 'fact', name: 'model_size' }, { asked: 'other:70b' }, 70],
  [{ kind: 'fact', name: 'local_saturated' }, {}, false],
  [{ kind: 'fact', name: 'always' }, {}, true],
  [{ kind: 'header', name: 'x-a' }, { headers: new Map([['x-a', 'b']]) }, 'b'],
  [{ kind: 'provider_unavailable', provider: 'local' }, {}, false],
  [{ kind: 'provider_unavailable', provider: 'off' }, {}, true],
  [{ kind: 'provider_unavailable', provider: 'cloud' }, {}, true],
  // One of its two models is passed over.
  [{ kind: 'provider_unavailable', provider: 'half' }, {}, false],
])('1.2: the variable %j for %j is %s', (variable, overrides, wanted) => {
  const state = createRoutingState(plan, milliseconds(0));
  state.inFlight[0] = 3;
  state.groupInFlight[0] = 2;
  for (const index of [1, 3]) state.health[index] = { kind: 'down', since: milliseconds(0), why: 'probe' };
  const facts = factsOf({ asked: 'm', ...overrides });
  const group = plan.groups.find((one) => one.name === facts.asked);
  expect(createLookup({ plan, state, facts, now: milliseconds(0) }, group)(variable)).toBe(wanted);
});

test('1.2: local deployments are saturated at four fifths of their seats', () => {
  const state = createRoutingState(plan, milliseconds(0));
  const isSaturated = (busy: number): boolean => {
    state.inFlight[0] = busy;
    const lookup = createLookup({ plan, state, facts: factsOf(), now: milliseconds(0) }, plan.groups[0]);
    return holds(conditionOf('local_saturated', '==', true), lookup);
  };
  expect([3, 4].map(isSaturated)).toEqual([false, true]);
  // As an engine tells of its seats, and of requests of others.
  const told = planOf({ deployments: ['local/m'], groups: { m: ['local/m'] } });
  const seen = createRoutingState(told, milliseconds(0));
  const isFull = (foreign: number): ConditionValue => {
    const engine = { ...unseenEngine, seats: 5, foreign };
    const residency = { kind: 'loaded', at: milliseconds(0), engine } as const;
    seen.observations[0] = { failures: [], effectiveContext: undefined, speeds: unseenSpeeds, residency };
    return createLookup(
      { plan: told, state: seen, facts: factsOf(), now: milliseconds(0) },
      undefined,
    )({ kind: 'fact', name: 'local_saturated' });
  };
  expect([3, 4].map(isFull)).toEqual([false, true]);
});

test.each([
  ['code, streamed', { hasCodeFence: true, stream: true }, { tokens: 40, concurrent: 3, code: 10, stream: -5 }, 48],
  ['neither', {}, { tokens: 40, concurrent: 3, code: 0, stream: 0 }, 43],
])('1.2: a complexity shows its terms: %s', (_, asked, terms, score) => {
  const state = createRoutingState(plan, milliseconds(0));
  state.inFlight[0] = 10;
  const facts = factsOf({ promptTokens: tokens(100), ...asked });
  expect(complexityOf(plan, state, facts, undefined)).toEqual({ score, level: 'low', terms });
});
