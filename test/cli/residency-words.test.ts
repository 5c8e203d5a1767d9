import { expect, test } from 'vitest';
import { residencyWords, speedWords } from '../../src/cli/residency-words.ts';

type Shown = Parameters<typeof residencyWords>[0];

const engine = { seats: 4, busySeats: 2, waiting: 1, memoryBytes: 456_000_000, expiresAt: null };

test.each<readonly [name: string, status: object, loaded: string, speed: string]>([
  ['nobody', { loaded: null, residency: null, speeds: null }, 'unknown', 'unknown'],
  [
    'a model out of memory',
    {
      loaded: false,
      residency: { state: 'unloaded' },
      speeds: { loadMs: 9000, prefillTokensPerSecond: 1200, decodeTokensPerSecond: 35 },
    },
    'no, loads in 9.0 s',
    '1200 in, 35 out',
  ],
  [
    'a model that loads',
    {
      loaded: false,
      residency: { state: 'loading' },
      speeds: { loadMs: 9000, prefillTokensPerSecond: null, decodeTokensPerSecond: 35 },
    },
    'loading, loads in 9.0 s',
    '35 out',
  ],
  [
    'a model in memory',
    { loaded: true, residency: { state: 'loaded', ...engine }, speeds: null },
    'yes, 2 of 4 busy, 1 waiting, 456 MB',
    'unknown',
  ],
])('3.3 what was learned of %s', (_name, status, loaded, speed) => {
  // Of a deployment only what the words are made of.
  const shown = status as Shown;
  expect([residencyWords(shown), speedWords(shown)]).toEqual([loaded, speed]);
});
