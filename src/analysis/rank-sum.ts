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

/** Whether two parts of a whole differ: the two-sided z-test of proportions. */
export function proportions(a: number, ofA: number, b: number, ofB: number): number {
  const together = (a + b) / (ofA + ofB);
  const variance = together * (1 - together) * (1 / ofA + 1 / ofB);
  return variance <= 0 ? 1 : twoSided(Math.abs(a / ofA - b / ofB) / Math.sqrt(variance));
}

/** How often a normal value lies further out, on either side (Abramowitz and Stegun 7.1.26). */
function twoSided(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.min(1, poly * Math.exp(-x * x));
}
