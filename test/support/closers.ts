import { afterAll, afterEach } from 'vitest';

/** What ends the things that a test started. */
export type Closers = (() => unknown)[];

/** A list that is emptied after each test of the file, the last that was started first. */
export function closersAfterEach(): Closers {
  const closers: Closers = [];
  afterEach(() => closeAll(closers));
  return closers;
}

/** A list that is emptied after all tests of the file, which may then run beside one another. */
export function closersAfterAll(): Closers {
  const closers: Closers = [];
  afterAll(() => closeAll(closers));
  return closers;
}

async function closeAll(closers: Closers): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
