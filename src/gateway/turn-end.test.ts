import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atTurnEnd } from './turn-end.ts';

test('spine 7: what throws at the end of a turn is told to its owner, and the others go on in their order', async () => {
  const seen: unknown[] = [];
  const fault = new Error('a fault');
  const ask = (name: string, thrown?: Error): void =>
    atTurnEnd(
      () => {
        seen.push(name);
        if (thrown !== undefined) throw thrown;
        // What is asked for meanwhile waits for the next turn.
        atTurnEnd(() => seen.push(`after ${name}`), seen.push);
      },
      (error) => seen.push(error),
    );
  ask('first');
  ask('second', fault);
  ask('third');
  expect(seen).toEqual([]);
  await nextTurn();
  expect(seen).toEqual(['first', 'second', fault, 'third']);
  await nextTurn();
  expect(seen.slice(4)).toEqual(['after first', 'after third']);
});
