/**
 * Indices of the highest values, the highest first, equals in their order. Each is inserted where it
 * belongs: for the few members of a pool that is three times as quick as a sort with a comparison.
 */
export function highest(values: Float64Array, most: number): readonly number[] {
  const contenders = values.length > most ? contendersIn(values, most) : undefined;
  const least = contenders === undefined ? lowest : nthHighest(valuesAt(contenders, values), most);
  const count = contenders?.length ?? values.length;
  const indices: number[] = [];
  for (let nth = 0; nth < count; nth++) {
    const index = contenders?.[nth] ?? nth;
    const value = values[index] ?? lowest;
    if (value < least) continue;
    let at = indices.length;
    if (at < most) indices.push(index);
    // All places are taken, and what equals the last of them came later.
    else if (value === least) continue;
    else at--;
    for (; at > 0 && (values[indices[at - 1] ?? 0] ?? lowest) < value; at--) indices[at] = indices[at - 1] ?? 0;
    indices[at] = index;
  }
  return indices;
}

const lowest = Number.NEGATIVE_INFINITY;

/** Indices among which so many highest are: those of what is high by a sample, where that is enough. */
function contendersIn(values: Float64Array, most: number): Int32Array {
  const step = Math.ceil(values.length / sampled);
  const sample = new Float64Array(Math.floor(values.length / step));
  for (let index = 0; index < sample.length; index++) sample[index] = values[index * step] ?? lowest;
  const enough = (2 * most * sample.length) / values.length;
  const high = notBelow(values, enough < sample.length ? nthHighest(sample, Math.ceil(enough)) : lowest);
  return high.length < most ? notBelow(values, lowest) : high;
}

const sampled = 128;

function notBelow(values: Float64Array, least: number): Int32Array {
  const kept = new Int32Array(values.length);
  let count = 0;
  for (let index = 0; index < values.length; index++) {
    if ((values[index] ?? lowest) >= least) kept[count++] = index;
  }
  return kept.subarray(0, count);
}

function valuesAt(indices: Int32Array, values: Float64Array): Float64Array {
  const found = new Float64Array(indices.length);
  for (let nth = 0; nth < found.length; nth++) found[nth] = values[indices[nth] ?? 0] ?? lowest;
  return found;
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
