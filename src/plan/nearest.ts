/**
 * Known names nearest to a misspelt one, best first: small edit distance (a swap of neighbours
 * counts one), one name within the other, or one model with another tag. Empty when nothing is near enough to be a typing error.
 */
export function nearest(name: string, known: Iterable<string>, most = 3): string[] {
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const found: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of known) {
    const distance = distanceBetween(wanted, candidate.toLowerCase(), limit);
    if (distance <= limit) found.push({ candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate, 'en'));
  return found.slice(0, most).map((entry) => entry.candidate);
}

/** Length of names beyond which they are not compared by letters: the table would grow with the square. */
const longestCompared = 256;

function distanceBetween(a: string, b: string, limit: number): number {
  const letters = lettersBetween(a, b, limit);
  if (a.length >= 3 && b.length >= 3 && (a.includes(b) || b.includes(a))) return Math.min(limit, letters);
  const isOtherTag = a.includes(':') && a.split(':', 1)[0] === b.split(':', 1)[0];
  return isOtherTag ? Math.min(limit, letters) : letters;
}

function lettersBetween(a: string, b: string, limit: number): number {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) > limit || a.length > longestCompared || b.length > longestCompared)
    return limit + 1;
  return editDistance(a, b);
}

/** Optimal string alignment: insert, delete, replace, swap neighbours. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      current[column] = best;
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
