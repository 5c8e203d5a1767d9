import { expect, test } from 'vitest';
import { type CacheControls, readCacheControls } from './cache-controls.ts';

const nothing: CacheControls = {
  noCache: false,
  noStore: false,
  useCache: false,
  ttlSeconds: undefined,
  maxAgeSeconds: undefined,
  namespace: undefined,
};

const cases: readonly [title: string, body: unknown, header: string | undefined, said: Partial<CacheControls>][] = [
  ['nothing', undefined, undefined, {}],
  [
    'every control of the body',
    { 'no-cache': true, 'no-store': true, 'use-cache': true },
    undefined,
    { noCache: true, noStore: true, useCache: true },
  ],
  [
    'times and namespace',
    { ttl: 60, 's-maxage': 10.5, namespace: 'n' },
    undefined,
    { ttlSeconds: 60, maxAgeSeconds: 10.5, namespace: 'n' },
  ],
  ['LiteLLM’s other spelling', { 's-max-age': 5 }, undefined, { maxAgeSeconds: 5 }],
  ['null is not said', { ttl: null, 'no-cache': null }, undefined, {}],
  ['the header', undefined, 'No-Cache, ttl=60', { noCache: true, ttlSeconds: 60 }],
  ['the body before the header', { 'no-cache': false }, 'no-cache', {}],
  ['a header of a browser', undefined, 'max-age=0, must-revalidate', {}],
  ['a body that is no map', true, undefined, {}],
];

test.each(cases)('5: cache controls: %s', (_title, body, header, said) => {
  expect(readCacheControls(body, header)).toEqual({ kind: 'controls', controls: { ...nothing, ...said } });
});

test.each([
  [{ 'no-store': 'yes' }, 'no-store'],
  [{ ttl: '60' }, 'ttl'],
  [{ ttl: -1 }, 'ttl'],
  [{ namespace: 5 }, 'namespace'],
])('5: a control of the wrong type is told: %j', (body, name) => {
  expect(readCacheControls(body, undefined)).toMatchObject({ kind: 'wrong', name });
});
