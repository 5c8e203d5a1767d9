import { expect, test } from 'vitest';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { milliseconds } from '../plan/ids.ts';
import { createMemoryStore } from './memory-store.ts';

test('5: an entry keeps its own bytes in memory and nobody else’s', async () => {
  const store = createMemoryStore({ maxBytes: 100_000, time: createManualClock() });
  const value = Buffer.from('an answer');
  expect(value.buffer.byteLength).toBeGreaterThan(value.length);
  await store.set({ model: 'm', hash: 'h' }, value, milliseconds(1000));
  const kept = await store.get({ model: 'm', hash: 'h' });
  expect([Buffer.from(kept ?? []).toString(), kept?.buffer.byteLength]).toEqual(['an answer', value.length]);
});
