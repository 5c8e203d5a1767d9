import { expect, test } from 'vitest';
import { askedName, type HeaderFacts, readHeaderFacts } from './header-facts.ts';
import { groupIndex } from './ids.ts';

const nothing: HeaderFacts = {
  capability: undefined,
  priority: undefined,
  tags: [],
  qualityTier: undefined,
  minTier: undefined,
  retries: undefined,
};

test.each<[headers: Record<string, string>, facts: Partial<HeaderFacts>]>([
  [{}, {}],
  [{ 'x-capability': 'reasoning' }, { capability: 'reasoning' }],
  [{ 'x-priority': 'batch' }, { priority: 'batch' }],
  [
    { 'x-quality-tier': 'premium', 'x-signalbox-min-tier': 'local' },
    { qualityTier: 'premium', minTier: 'local' },
  ],
  [{ 'x-litellm-tags': 'free, paid ,' }, { tags: ['free', 'paid'] }],
  [{ 'x-capability': '', 'x-priority': ' ', 'x-quality-tier': '', 'x-signalbox-min-tier': '' }, {}],
  [{ 'x-litellm-num-retries': '3' }, { retries: 3 }],
  [{ 'x-litellm-num-retries': '1000' }, { retries: 10 }],
  [{ 'x-litellm-num-retries': '-1' }, {}],
])('1.1: the headers %o say %o, to traffic, explain and simulate alike', (headers, facts) => {
  expect(readHeaderFacts(new Map(Object.entries(headers)))).toEqual({ ...nothing, ...facts });
});

test.each([undefined, null, '', 'auto', 'default', 7])('1.1: %o names no model', (value) => {
  expect(askedName(value, { names: new Map() })).toBeUndefined();
});

test('1.1: auto and default are names where something is called so', () => {
  const names = new Map([['auto', { kind: 'group', group: groupIndex(0) } as const]]);
  expect([askedName('auto', { names }), askedName('default', { names })]).toEqual(['auto', undefined]);
});
