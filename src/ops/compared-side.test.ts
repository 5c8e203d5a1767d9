import { expect, test } from 'vitest';
import type { SeenRequest } from '../analysis/seen-request.ts';
import { readSide } from './compared-side.ts';

const now = Date.UTC(2026, 10, 24, 15);
const seen = (id: string, minutesAgo: number, plan: string): SeenRequest => ({
  id,
  at: now - minutesAgo * 60_000,
  asked: 'm',
  provider: 'a',
  deployment: 'a/m',
  isFallback: false,
  isCached: false,
  state: 'completed',
  totalMs: 1,
  firstTokenMs: null,
  costUsd: null,
  failed: [],
  plan,
});
const requests = [seen('one', 30, 'aaaaaa11'), seen('two', 10, 'aaaaaa11'), seen('three', 5, 'bbbbbb22')];

test.each([
  ['before', '10m', ['one']],
  ['after', '10m', ['two', 'three']],
  ['before', '40m..10m', ['one']],
  ['after', '10m..6m', ['two']],
  ['after', '10m..0s', ['two', 'three']],
  ['before', 'aaaaaa', ['one', 'two']],
  ['after', 'BBBBBB22', ['three']],
  ['after', '1m', []],
] as const)('6.2 the side --%s %s', (which, text, ids) => {
  const read = readSide(which, text, { requests, now });
  expect(read.kind === 'read' ? read.side.requests.map(({ id }) => id) : read.message).toEqual(ids);
});

test.each(['nonsense', 'aaaaa', '10m..', '..', '30m..20m..10m', 'cccccc'])('6.2 "%s" is no side', (text) => {
  const read = readSide('before', text, { requests, now });
  expect(read).toMatchObject({ kind: 'wrong', message: expect.stringContaining('aaaaaa11, bbbbbb22') });
});
