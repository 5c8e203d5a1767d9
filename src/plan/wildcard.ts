import type { Wildcard } from './plan.ts';

/** What the stars of a wildcard stand for in a name, in order; undefined where its pieces do not stand in it. */
export function wildcardRest({ pieces }: Pick<Wildcard, 'pieces'>, name: string): readonly string[] | undefined {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return undefined;
  const rest: string[] = [];
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > name.length - last.length) return undefined;
    rest.push(name.slice(at, found));
    at = found + piece.length;
  }
  rest.push(name.slice(at, name.length - last.length));
  return rest;
}
