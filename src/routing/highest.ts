/**
 * Indices of the highest values, the highest first, equals in their order. Each is inserted where it
 * belongs: for the few members of a pool that is three times as quick as a sort with a comparison.
 */
export function highest(values: Float64Array, most: number): Int32Array {
  const least = leastOfHighest(values, most);
  const indices = new Int32Array(values.length);
  let count = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? lowest;
    if (value < least) continue;
    let at = count++;
    for (; at > 0 && (values[indices[at - 1] ?? 0] ?? lowest) < value; at--) indices[at] = indices[at - 1] ?? 0;
    indices[at] = index;
  }
  return indices.subarray(0, Math.min(count, most));
}

const lowest = Number.NEGATIVE_INFINITY;

/** The lowest of so many highest values. It is sought among what is high by a sample, where that is enough. */
function leastOfHighest(values: Float64Array, most: number): number {
  if (values.length <= most) return lowest;
  const step = Math.ceil(values.length / sampled);
  const sample = new Float64Array(Math.floor(values.length / step));
  for (let index = 0; index < sample.length; index++) sample[index] = values[index * step] ?? lowest;
  const enough = (2 * most * sample.length) / values.length;
  const high = notBelow(values, enough < sample.length ? nthHighest(sample, Math.ceil(enough)) : lowest);
  return nthHighest(high.length < most ? values.slice() : high, most);
}

const sampled = 128;

function notBelow(values: Float64Array, least: number): Float64Array {
  const kept = new Float64Array(values.length);
  let count = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? lowest;
    if (value >= least) kept[count++] = value;
  }
  return kept.subarray(0, count);
}

/** The nth highest of values, which are moved about: Hoare's find, which sorts only the part that it is in. */
function nthHighest(values: Float64Array, nth: number): number {
  const wanted = nth - 1;
  let from = 0;
  let to = values.length - 1;
  while (from < to) {
    const pivot = values[(from + to) >> 1] ?? lowest;
    let low = from;
    let high = to;
    while (low <= high) {
      while ((values[low] ?? lowest) > pivot) low++;
      while ((values[high] ?? lowest) < pivot) high--;
      if (low > high) break;
      const moved = values[low] ?? lowest;
      values[low++] = values[high] ?? lowest;
      values[high--] = moved;
    }
    if (wanted <= high) to = high;
    else if (wanted >= low) from = low;
    else break;
  }
  return values[wanted] ?? lowest;
}
