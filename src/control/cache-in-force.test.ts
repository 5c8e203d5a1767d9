import { expect, test } from 'vitest';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { planOf } from '../../test/support/plan-of.ts';
import { seconds } from '../plan/ids.ts';
import type { CacheSettings } from '../plan/settings.ts';
import { createMemoryStore } from '../stores/memory-store.ts';
import { cacheInForce } from './cache-in-force.ts';

const settings: CacheSettings = { ...planOf({ deployments: ['a/x'] }).settings.cache, enabled: true };

const changes: readonly [title: string, change: Partial<CacheSettings>, becomes: 'kept' | 'opened anew' | 'gone'][] = [
  ['a longer ttl', { ttlMs: seconds(7200) }, 'kept'],
  ['a ttl by name', { modelTtlMs: new Map([['x', seconds(5)]]) }, 'kept'],
  ['another mode', { mode: 'default_off' }, 'kept'],
  ['another bound', { maxBytes: 1 }, 'opened anew'],
  ['another kind', { kind: 'disk' }, 'opened anew'],
  ['another namespace', { namespace: 'other' }, 'opened anew'],
  ['another Redis', { redis: { ...settings.redis, port: 1 } }, 'opened anew'],
  ['no cache', { enabled: false }, 'gone'],
];
test.each(changes)('F5: when the configuration changes, what is kept: %s', (_title, change, becomes) => {
  const clock = createManualClock();
  const options = {
    openStore: ({ maxBytes }: CacheSettings) => createMemoryStore({ maxBytes, time: clock }),
    clock,
    log: { event: () => {} },
  };
  const before = cacheInForce(options, settings, undefined);
  const after = cacheInForce(options, { ...settings, ...change }, before);
  expect(before).toBeDefined();
  expect(after === undefined ? 'gone' : after === before ? 'kept' : 'opened anew').toBe(becomes);
});
