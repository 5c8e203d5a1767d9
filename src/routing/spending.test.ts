import { expect, test } from 'vitest';
import { planOf } from '../../test/support/plan-of.ts';
import { groupIndex, milliseconds, providerId } from '../plan/ids.ts';
import type { Plan } from '../plan/plan.ts';
import { createSpendingState, spend, spentCap, spentWords } from './spending.ts';

const hour = 3_600_000;
const cloud = providerId('cloud');
const m = groupIndex(0);

/** A provider that may spend two dollars an hour, and a name that may spend one. */
function plan(): Plan {
  const { providers, groups, ...rest } = planOf({ deployments: ['cloud/m'], groups: { m: ['cloud/m'] } });
  const budget = (maxUsd: number) => ({ maxUsd, windowMs: milliseconds(hour) });
  return {
    ...rest,
    providers: new Map([...providers].map(([id, one]) => [id, { ...one, budget: budget(2) }])),
    groups: groups.map((one) => ({ ...one, budget: budget(1) })),
  };
}

type Spending = { readonly at: number; readonly usd: number; readonly by?: 'name' };

/** What is left of both budgets at a moment, after some spendings. */
function spentAt(at: number, spendings: readonly Spending[]): readonly string[] {
  const state = createSpendingState(plan());
  for (const { usd, by, at: when } of spendings)
    spend(state, { provider: cloud, groups: by === 'name' ? [m] : [] }, usd, milliseconds(when));
  return [state.ofProvider.get(cloud), state.ofGroup.get(m)].flatMap((place) => {
    const spent = spentCap(state, place, milliseconds(at));
    return spent === undefined ? [] : [spentWords(spent)];
  });
}

test.each<[what: string, at: number, spendings: readonly Spending[], spent: readonly string[]]>([
  ['nothing is spent at first', 0, [], []],
  ['less than the most leaves room', 10, [{ at: 0, usd: 1.99 }], []],
  [
    'the most is spent when it is reached',
    1000,
    [{ at: 0, usd: 2 }],
    ['the budget of provider "cloud" is spent: $2.00 of $2.00, new in 60 min'],
  ],
  [
    'sums add up within a window',
    hour - 1000,
    [
      { at: 0, usd: 1 },
      { at: hour / 2, usd: 1.5 },
    ],
    ['the budget of provider "cloud" is spent: $2.50 of $2.00, new in 1 s'],
  ],
  ['a window ends', hour, [{ at: 0, usd: 5 }], []],
  [
    'the next window begins with its first spending',
    3 * hour,
    [
      { at: 0, usd: 5 },
      { at: 2.5 * hour, usd: 2 },
    ],
    ['the budget of provider "cloud" is spent: $2.00 of $2.00, new in 30 min'],
  ],
  [
    'a name counts what was asked by it, a provider all',
    0,
    [{ at: 0, usd: 1, by: 'name' }],
    ['the budget of "m" is spent: $1.00 of $1.00, new in 60 min'],
  ],
])('1.4: budgets: %s', (_what, at, spendings, spent) => {
  expect(spentAt(at, spendings)).toEqual(spent);
});

test('1.4: budgets: another plan keeps what was spent, and counts what ends on the one before', () => {
  const first = createSpendingState(plan());
  spend(first, { provider: cloud, groups: [m] }, 1.5, milliseconds(7));
  const next = createSpendingState(plan(), first);
  spend(first, { provider: cloud, groups: [m] }, 0.25, milliseconds(8));
  expect(next.spent).toEqual([
    { usd: 1.75, since: 7 },
    { usd: 1.75, since: 7 },
  ]);
});
