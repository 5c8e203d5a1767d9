import { expect, test } from 'vitest';
import { Pieces } from './pieces.ts';

test.each([0, 1, 2, 255, 256, 257, 70_000])('spine 7: %i pieces come to one with the same bytes', (count) => {
  const pieces = new Pieces();
  for (let at = 0; at < count; at++) pieces.add(Uint8Array.of(at % 251));
  expect(pieces.join().equals(Buffer.from(Array.from({ length: count }, (_, at) => at % 251)))).toBe(true);
});

test('spine 7: a lone piece is not copied', () => {
  const pieces = new Pieces();
  const piece = Buffer.from('whole');
  pieces.add(piece);
  expect(pieces.join()).toBe(piece);
});

test('spine 7: a body that comes letter by letter takes no multiple of its size', () => {
  const letters = 2_000_000;
  const pieces = new Pieces();
  const before = heldMemory();
  for (let at = 0; at < letters; at++) pieces.add(new Uint8Array(1));
  // Kept apart, each would take more than a hundred bytes; what is garbage by now may be counted.
  expect(heldMemory() - before).toBeLessThan(letters * 50);
  expect(pieces.join().length).toBe(letters);
});

function heldMemory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
