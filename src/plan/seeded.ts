/**
 * Random numbers in [0, 1) that follow from a seed (mulberry32): what was drawn once can be drawn
 * again. A routed request keeps its seed in its record, so its decision can be made again.
 */
export function seededRandom(seed: number): () => number {
  let at = seed | 0;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), at | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed out of one random number. */
export function seedOf(random: number): number {
  return Math.floor(random * 2 ** 32);
}
