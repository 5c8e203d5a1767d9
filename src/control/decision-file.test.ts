import { expect, test } from 'vitest';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { createDecisionFile } from './decision-file.ts';

/** A file that remembers what was appended, and a store that has as many lines as were added. */
function setUp(): { add(text: string): void; readonly written: string[]; readonly closed: () => boolean } & {
  readonly clock: ReturnType<typeof createManualClock>;
  readonly file: ReturnType<typeof createDecisionFile>;
} {
  const clock = createManualClock();
  const written: string[] = [];
  let waiting: string[] = [];
  let isClosed = false;
  const file = createDecisionFile({
    clock,
    store: { takeLines: () => waiting.splice(0).map((text) => Buffer.from(text)) },
    file: {
      append(bytes, done) {
        written.push(Buffer.from(bytes).toString());
        done();
      },
      close: () => {
        isClosed = true;
        return Promise.resolve();
      },
    },
  });
  const add = (text: string): void => {
    waiting = [...waiting, text];
    file.soon();
  };
  return { add, written, closed: () => isClosed, clock, file };
}

test('6.1 decisions are written every few seconds, not with each request', async () => {
  const { add, written, clock } = setUp();
  add('one');
  add('two');
  await clock.advance(2900);
  expect(written).toEqual([]);
  await clock.advance(200);
  expect(written).toEqual(['one', 'two']);
  await clock.advance(60_000);
  add('three');
  await clock.advance(3100);
  expect(written).toEqual(['one', 'two', 'three']);
});

test('6.1 what is kept when the gateway ends is written first', async () => {
  const { add, written, closed, clock, file } = setUp();
  add('last');
  await file.close();
  expect([written, closed()]).toEqual([['last'], true]);
  await clock.advance(10_000);
  expect(written).toEqual(['last']);
});
