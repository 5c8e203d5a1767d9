import type { Json } from '../plan/json.ts';
import type { BodyScan } from './scan-body.ts';

/** One change to a root member of a body. */
export type BodyEdit =
  | { readonly kind: 'set'; readonly key: string; readonly value: Json }
  /** Sets the member only where the body has none. */
  | { readonly kind: 'default'; readonly key: string; readonly value: Json }
  | { readonly kind: 'remove'; readonly key: string };

/**
 * Applies edits to a scanned body and keeps every other byte as it came. Each key may stand in the
 * edits once. Gives the body itself back where nothing changes.
 */
export function spliceBody(bytes: Uint8Array, scan: BodyScan, edits: readonly BodyEdit[]): Uint8Array {
  const cuts: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  const added: string[] = [];
  const removed = new Set<string>();
  for (const edit of edits) {
    const member = scan.members.get(edit.key);
    if (edit.kind === 'remove') {
      if (member !== undefined) removed.add(edit.key);
    } else if (member === undefined) added.push(`${JSON.stringify(edit.key)}:${JSON.stringify(edit.value)}`);
    else if (edit.kind === 'set')
      cuts.push({ from: member.value.start, to: member.value.end, text: JSON.stringify(edit.value) });
  }
  for (const range of removals(scan, removed)) cuts.push({ ...range, text: '' });
  if (added.length > 0) {
    const kept = scan.members.size - removed.size;
    // Before the closing brace, so that what follows the last member stays where it is.
    const at = kept > 0 ? lastKeptEnd(scan, removed) : scan.open;
    cuts.push({ from: at, to: at, text: `${kept > 0 ? ',' : ''}${added.join(',')}` });
  }
  return cuts.length === 0 ? bytes : join(bytes, cuts);
}

/** A removed member goes with the comma behind it, or, where the last ones go, the comma before them. */
function removals(scan: BodyScan, removed: ReadonlySet<string>): { from: number; to: number }[] {
  if (removed.size === 0) return [];
  const members = [...scan.members];
  if (removed.size === members.length) return [{ from: scan.open, to: scan.close }];
  const lastKept = members.findLastIndex(([key]) => !removed.has(key));
  const ranges: { from: number; to: number }[] = [];
  for (let at = 0; at < lastKept; at++) {
    const [key, member] = members[at] ?? ['', undefined];
    const next = members[at + 1]?.[1];
    if (member !== undefined && next !== undefined && removed.has(key))
      ranges.push({ from: member.start, to: next.start });
  }
  const keptEnd = members[lastKept]?.[1].value.end;
  const removedEnd = members.at(-1)?.[1].value.end;
  if (keptEnd !== undefined && removedEnd !== undefined && removedEnd > keptEnd)
    ranges.push({ from: keptEnd, to: removedEnd });
  return ranges;
}

function lastKeptEnd(scan: BodyScan, removed: ReadonlySet<string>): number {
  let end = scan.open;
  for (const [key, member] of scan.members) if (!removed.has(key)) end = member.value.end;
  return end;
}

function join(bytes: Uint8Array, cuts: { from: number; to: number; text: string }[]): Uint8Array {
  cuts.sort((a, b) => a.from - b.from || a.to - b.to);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const cut of cuts) {
    pieces.push(bytes.subarray(at, cut.from));
    if (cut.text !== '') pieces.push(Buffer.from(cut.text));
    at = cut.to;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}
