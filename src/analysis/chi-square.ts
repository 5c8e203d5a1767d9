/** Whether counts fit what was expected of them. */
export type Fit = {
  readonly statistic: number;
  readonly degrees: number;
  /** How often chance alone gives a difference at least as large; null where there are too few to tell. */
  readonly p: number | null;
  readonly verdict: 'fits' | 'differs' | 'too_few';
};

/** Below this a difference is taken to be no chance. */
export const significance = 0.01;
/** The test is not to be trusted where fewer are expected of any one. */
const leastExpected = 5;

/** Pearson's chi-square test of observed against expected counts; both in the same order. */
export function chiSquare(observed: readonly number[], expected: readonly number[]): Fit {
  const degrees = Math.max(0, expected.length - 1);
  let statistic = 0;
  expected.forEach((wanted, index) => {
    if (wanted > 0) statistic += ((observed[index] ?? 0) - wanted) ** 2 / wanted;
  });
  if (degrees === 0 || expected.some((one) => one < leastExpected))
    return { statistic, degrees, p: null, verdict: 'too_few' };
  const p = upperTail(degrees / 2, statistic / 2);
  return { statistic, degrees, p, verdict: p < significance ? 'differs' : 'fits' };
}

/** The regularised upper incomplete gamma function Q(a, x), by its series or its continued fraction. */
function upperTail(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < 500 && term > sum * 1e-14; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return Math.max(0, 1 - sum * scale);
  }
  // Lentz's method, as in Numerical Recipes, 6.2.
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 500; n++) {
    const factor = -n * (n - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return fraction * scale;
}

/** Lanczos' approximation with g = 7. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const [first = 0, ...others] = lanczos;
  const sum = others.reduce((so, one, index) => so + one / (z + index), first);
  const t = z + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (z - 0.5) * Math.log(t) - t + Math.log(sum);
}
