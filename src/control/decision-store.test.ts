import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromStored, toStored } from '../analysis/stored-decision.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';
import { createDecisionStore } from './decision-store.ts';

const record = (id: string, note = ''): DecisionRecord => ({
  id,
  time: null,
  asked: 'm',
  rule: { kind: 'name', text: '"m" is a known name' },
  group: 'm',
  strategy: 'direct',
  promptTokens: 1,
  complexity: null,
  facts: null,
  seed: null,
  plan: null,
  candidates: [],
  order: [],
  attempts: [],
  waits: [],
  answeredBy: null,
  degraded: null,
  refusal: null,
  state: 'completed',
  notes: [note],
  timing: { totalMs: 1, receiveMs: 0, decideMs: 0, waitMs: 0, firstTokenMs: 1, ownMs: 0 },
  usage: null,
  costUsd: null,
  cache: null,
});

test('6.1 a store gives back the newest records, whole and in order, however large they are', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1500, max: 6000 }),
      (notes, records, bytes) => {
        const store = createDecisionStore({ records, bytes });
        const all = notes.map((size, index) => record(`request-${index}`, 'é'.repeat(size)));
        for (const one of all) store.add(one);
        const kept = store.last(100);
        const fitting = all.filter((one) => Buffer.byteLength(JSON.stringify(toStored(one))) < bytes);
        expect(kept).toEqual(fitting.toReversed().slice(0, kept.length));
        expect(kept.length).toBeLessThanOrEqual(records);
        if (fitting.length > 0) expect(kept.length).toBeGreaterThan(0);
      },
    ),
  );
});

test('6.1 ten thousand records of the usual size are kept', () => {
  const store = createDecisionStore();
  for (let index = 0; index < 12_000; index++) store.add(record(`request-${index}`, 'x'.repeat(500)));
  expect(store.last(20_000)).toHaveLength(10_000);
});

test('6.1 a record is found by its id and by the beginning of it', () => {
  const store = createDecisionStore();
  for (const id of ['abcd-1', 'abcd-2', 'zz"zz']) store.add(record(id));
  expect(store.find('abcd-1')?.id).toBe('abcd-1');
  expect(store.find('abcd')?.id).toBe('abcd-2');
  expect(store.find('zz"z')?.id).toBe('zz"zz');
  expect(store.find('abc')).toBeUndefined();
  expect(store.find('abce')).toBeUndefined();
});

test('6.1 a record of thousands of candidates keeps the first ones and says so', () => {
  const store = createDecisionStore();
  const candidate = {
    deployment: 'a/m',
    provider: 'a',
    model: 'm',
    source: 'group',
    group: 'm',
    order: 1,
    weight: null,
    verdict: 'standby',
    position: 1,
    reason: null,
    detail: null,
    numbers: {},
  } as const;
  store.add({ ...record('many-1'), candidates: Array.from({ length: 2000 }, () => candidate) });
  const [kept] = store.last(1);
  expect(kept?.candidates).toHaveLength(200);
  expect(kept?.notes.at(-1)).toBe('1800 more candidates are left out of the record');
});

test('6.1 lines are taken once, whole and in order, as far as they are still kept', () => {
  const step = fc.record({ add: fc.integer({ min: 0, max: 15 }), size: fc.integer({ min: 0, max: 400 }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
      const store = createDecisionStore({ records: 10, bytes: 6000 });
      let id = 0;
      for (const { add, size } of steps) {
        const added = Array.from({ length: add }, () => record(`request-${id++}`, 'é'.repeat(size)));
        for (const one of added) store.add(one);
        const lines = Buffer.concat([...store.takeLines()])
          .toString()
          .split('\n')
          .slice(0, -1);
        const kept = Math.min(add, store.last(10).length);
        expect(lines.map((line) => fromStored(JSON.parse(line)))).toEqual(kept === 0 ? [] : added.slice(-kept));
      }
      expect([...store.takeLines()]).toEqual([]);
    }),
  );
});
