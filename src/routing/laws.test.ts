import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemOf, systems } from '../../test/support/any-system.ts';
import { seededRandom } from '../../test/support/plan-of.ts';
import type { Decision } from '../plan/decision.ts';
import { milliseconds } from '../plan/ids.ts';
import { deploymentAt } from '../plan/plan.ts';
import { decide } from './decide.ts';
import { exclusionOf } from './filter.ts';

/* What holds of a decision for every plan, every state and every request. */

const now = milliseconds(100_000);
const runs = { numRuns: 500 };

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
