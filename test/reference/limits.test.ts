import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  largestAnswer,
  largestAssembled,
  largestError,
  largestEvent,
  largestOpening,
  largestPreamble,
  mostParts,
} from '../../src/wire/limits.ts';

const page = readFileSync(new URL('../../docs/explanation/streams-and-time.md', import.meta.url), 'utf8');
const mebibytes = (bytes: number): string => `${bytes / 1024 / 1024} MiB`;

test.each([
  ['one event or line of a stream', mebibytes(largestEvent)],
  ['what a stream says before its first event that means something', mebibytes(largestOpening)],
  ['all that comes before it, comments too', mebibytes(largestPreamble)],
  ['a whole answer', mebibytes(largestAnswer)],
  ['an answer that is put together from a stream, its text and calls', mebibytes(largestAssembled)],
  ["an error's body", `${largestError / 1024} KiB`],
  ['choices, and calls of tools', String(mostParts)],
])('spine 7: what is held is documented as it is: %s, %s', (what, most) => {
  expect(page).toContain(`| ${what} | ${most} |`);
});
