import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conditionOf, factsOf, planOf, seededRandom } from '../../test/support/plan-of.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import { deploymentIndex, milliseconds } from '../plan/ids.ts';
import { decide } from '../routing/decide.ts';
import { createRoutingState } from '../routing/state.ts';
import { describeDecision } from './describe-decision.ts';
import { recordOf } from './fixtures/record-of.ts';
import { fromStored, readStored, toStored } from './stored-decision.ts';

const again = (record: DecisionRecord): DecisionRecord => fromStored(JSON.parse(JSON.stringify(toStored(record))));

test('6.1 a decision is the same after it was kept: with what is excluded, fallbacks of other groups, what is tried in despair', () => {
  const names = ['a/m', 'b/m', 'c/n'];
  const plan = planOf({
    deployments: names,
    groups: {
      m: {
        members: ['a/m', { at: 'b/m', condition: conditionOf('stream', '==', true) }],
        fallback: ['c/n'],
        chain: ['n'],
      },
      n: { members: ['c/n'] },
    },
  });
  const health = fc.constantFrom('ready', 'cooling', 'down');
  fc.assert(
    fc.property(fc.array(health, { minLength: 3, maxLength: 3 }), fc.boolean(), fc.integer(), (kinds, stream, seed) => {
      const now = milliseconds(1000);
      const state = createRoutingState(plan, now);
      kinds.forEach((kind, index) => {
        const at = deploymentIndex(index);
        if (kind === 'down') state.health[at] = { kind, since: now, why: 'its probe failed' };
        if (kind === 'cooling')
          state.health[at] = { kind, since: now, until: milliseconds(9000), why: 'failures', round: 0 };
      });
      const decision = decide(plan, state, factsOf({ asked: 'm', stream }), now, seededRandom(seed));
      const record = describeDecision(plan, decision);
      expect(again(record)).toEqual(record);
    }),
  );
});

test('6.1 what became of a request is kept with it', () => {
  const record: DecisionRecord = {
    ...recordOf({ id: 'r-1', tried: [['a/m', 'answered', 12]] }),
    attempts: [
      {
        deployment: 'a/m',
        provider: 'a',
        source: 'group',
        startMs: 0,
        ms: 12,
        outcome: 'upstream_reset',
        detail: 'The provider cut the connection',
      },
      { deployment: 'b/m', provider: 'b', source: 'fallback', startMs: 12, ms: 40, outcome: 'answered', detail: null },
    ],
    order: ['b/m', 'a/m'],
    waits: [{ deployment: 'a/m', ms: 3, position: 2, predictedMs: null }],
    notes: ['a note'],
    refusal: { code: 'rate_limit_exceeded', message: 'full' },
    degraded: 'tier: from a to b',
    usage: { promptTokens: 1, completionTokens: null },
    costUsd: 0,
  };
  expect(again(record)).toEqual(record);
});

test('6.1 a decision takes six tenths of its bytes where it is kept', () => {
  const record = recordOf({
    id: 'r-1',
    tried: [['a/m', 'answered', 12]],
    members: [
      ['a/m', 0.7, 0.7],
      ['b/m', 0.3, 0.3],
    ],
  });
  expect(JSON.stringify(toStored(record)).length).toBeLessThan(JSON.stringify(record).length * 0.6);
});

test('6.1 a line of JSON that is no decision is no record', () => {
  const record = recordOf({ id: 'r-1', tried: [['a/m', 'answered', 12]] });
  const kept = JSON.parse(JSON.stringify(toStored(record)));
  expect(readStored(kept)).toEqual(record);
  for (const line of [{}, { id: 'x', at: 'never' }, { ...kept, rule: 1 }, { ...kept, time: 'never' }])
    expect(readStored(line)).toBeUndefined();
});
