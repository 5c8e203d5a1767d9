import { expect, test } from 'vitest';
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.ts';
import { milliseconds } from '../plan/ids.ts';
import { type GuardedStore, guardStore, type StoreState } from './guarded-store.ts';
import { createMemoryStore } from './memory-store.ts';

type Mood = 'works' | 'fails' | 'hangs' | 'is full';
type Guarded = {
  readonly clock: ManualClock;
  readonly store: GuardedStore;
  readonly changes: StoreState['kind'][];
  readonly asked: () => number;
  be(mood: Mood): void;
};

/** A guarded store whose inner one does as it is told. */
function guarded(): Guarded {
  const clock = createManualClock();
  const inner = createMemoryStore({ maxBytes: 100_000, time: clock });
  let mood: Mood = 'works';
  let asked = 0;
  const moody = <Value>(ask: () => Promise<Value>): Promise<Value> => {
    asked++;
    if (mood === 'fails') return Promise.reject(new Error('gone'));
    return mood === 'hangs' ? new Promise(() => {}) : ask();
  };
  const writing = (write: () => Promise<void>): Promise<void> =>
    mood === 'is full' ? Promise.reject(new Error('full')) : moody(write);
  const changes: StoreState['kind'][] = [];
  const store = guardStore(
    {
      ...inner,
      get: (key) => moody(() => inner.get(key)),
      set: (key, value, ttlMs) => writing(() => inner.set(key, value, ttlMs)),
      ping: () => writing(() => inner.ping()),
    },
    { deadlineMs: milliseconds(50), time: clock, onChange: ({ kind }) => changes.push(kind) },
  );
  return {
    clock,
    store,
    changes,
    asked: () => asked,
    be(next) {
      mood = next;
    },
  };
}

const key = { model: 'm', hash: 'k' };
const value = Buffer.from('x');

test('5: a store that hangs delays by its deadline and no longer', async () => {
  const { clock, store, be } = guarded();
  await store.set(key, value, milliseconds(1000));
  be('hangs');
  let answered: string | undefined;
  void store.get(key).then((found) => {
    answered = found === undefined ? 'miss' : 'hit';
  });
  await clock.advance(49);
  expect(answered).toBeUndefined();
  await clock.advance(1);
  expect(answered).toBe('miss');
});

test('5: a write that nobody waits for may take longer than a read', async () => {
  const { clock, store, changes, be } = guarded();
  be('hangs');
  const writes = Array.from({ length: 3 }, () => store.set(key, value, milliseconds(60_000)));
  await clock.advance(999);
  expect(store.state().kind).toBe('ready');
  await clock.advance(1);
  expect([await Promise.all(writes), changes]).toEqual([[false, false, false], ['resting']]);
});

test('5: a store that rests anew after a person has woken it is looked at once a second', async () => {
  const { clock, store, asked, be } = guarded();
  const fail = async (): Promise<void> => {
    be('fails');
    for (let count = 0; count < 3; count++) await store.get(key);
  };
  await fail();
  be('hangs');
  await clock.advance(1000);
  be('works');
  await store.ping();
  await fail();
  await clock.advance(60);
  const before = asked();
  await clock.advance(4000);
  expect(asked() - before).toBe(4);
});

test('5: after three failures in a row nobody asks it, until a ping of its own succeeds', async () => {
  const { clock, store, changes, asked, be } = guarded();
  await store.set(key, value, milliseconds(60_000));
  be('fails');
  for (let count = 0; count < 3; count++) expect(await store.get(key)).toBeUndefined();
  expect([store.state().kind, changes]).toEqual(['resting', ['resting']]);
  const before = asked();
  for (let count = 0; count < 100; count++) await store.get(key);
  expect(asked()).toBe(before);
  await clock.advance(1000);
  expect([asked(), store.state().kind]).toEqual([before + 1, 'resting']);
  be('works');
  await clock.advance(1000);
  expect([store.state().kind, changes]).toEqual(['ready', ['resting', 'ready']]);
  expect(await store.get(key)).toBeDefined();
});

test('5: a failure now and then does not make it rest', async () => {
  const { store, be } = guarded();
  for (let count = 0; count < 10; count++) {
    be(count % 2 === 0 ? 'fails' : 'works');
    await store.get(key);
  }
  expect(store.state()).toEqual({ kind: 'ready' });
});

test('5: a store that can be read and not written to counts nothing as kept, and rests', async () => {
  const { clock, store, changes, be } = guarded();
  expect(await store.set(key, value, milliseconds(60_000))).toBe(true);
  be('is full');
  for (let count = 0; count < 3; count++) {
    expect(await store.get(key)).toBeDefined();
    expect(await store.set({ ...key, hash: 'other' }, value, milliseconds(60_000))).toBe(false);
  }
  await clock.advance(1000);
  expect(changes).toEqual(['resting']);
  be('works');
  await clock.advance(1000);
  expect(changes).toEqual(['resting', 'ready']);
});
