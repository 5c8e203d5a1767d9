/**
 * The rank-sum test of Mann and Whitney: how often chance alone parts two samples of the same
 * distribution as much, by its normal approximation with ties corrected. It asks nothing of the
 * shape of the times, which are never normal.
 */
export function rankSum(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, isA: true })), ...b.map((value) => ({ value, isA: false }))];
  all.sort((one, other) => one.value - other.value);
  const [n, m, total] = [a.length, b.length, all.length];
  let ranks = 0;
  let ties = 0;
  for (let first = 0; first < total; ) {
    let last = first;
    while (last + 1 < total && all[last + 1]?.value === all[first]?.value) last++;
    const size = last - first + 1;
    ties += size ** 3 - size;
    const middle = (first + last) / 2 + 1;
    for (let at = first; at <= last; at++) if (all[at]?.isA === true) ranks += middle;
    first = last + 1;
  }
  const u = ranks - (n * (n + 1)) / 2;
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) return 1;
  const distance = Math.max(0, Math.abs(u - (n * m) / 2) - 0.5);
  return twoSided(distance / Math.sqrt(variance));
}

/** So many of so many. */
type Proportion = { readonly part: number; readonly of: number };

/** How often chance alone parts two proportions as much: the two-sided z-test. */
export function proportions(a: Proportion, b: Proportion): number {
  const together = (a.part + b.part) / (a.of + b.of);
  const variance = together * (1 - together) * (1 / a.of + 1 / b.of);
  return variance <= 0 ? 1 : twoSided(Math.abs(a.part / a.of - b.part / b.of) / Math.sqrt(variance));
}

/** How often a normal value lies further out, on either side (Abramowitz and Stegun 7.1.26). */
function twoSided(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.min(1, poly * Math.exp(-x * x));
}
