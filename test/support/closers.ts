import { afterEach } from 'vitest';

/** What ends the things that a test started. */
export type Closers = (() => unknown)[];

/** A list that is emptied after each test of the file, the last that was started first. */
export function closersAfterEach(): Closers {
  const closers: Closers = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  return closers;
}
