import { fromStored, type StoredDecision, toStored } from '../analysis/stored-decision.ts';
import type { DecisionRecord } from '../contract/decision-record.ts';

/** The decisions of the last requests. */
export type DecisionStore = {
  add(record: DecisionRecord): void;
  /** The one with this id, or the newest whose id begins so: people type as much of an id as they need. */
  find(id: string): DecisionRecord | undefined;
  /** The newest ones, newest first. */
  last(count: number): readonly DecisionRecord[];
  /**
   * What was added before this call, was not taken yet and is still here: lines of JSON, oldest
   * first, in pieces that are copied as they are asked for.
   */
  takeLines(): Iterable<Uint8Array>;
};

/** How much is kept; what comes first ends it. */
export type DecisionBounds = { readonly records: number; readonly bytes: number };

const usual: DecisionBounds = { records: 10_000, bytes: 8 * 1024 * 1024 };
/** A pool of thousands would fill the store with a few decisions; the first candidates are those that matter. */
const mostCandidates = 200;
const fewestLetters = 4;
const lineEnd = 0x0a;
/** A piece of lines has no more than this and one line. */
const pieceBytes = 256 * 1024;

/**
 * Creates an empty store. Records are held as JSON in one ring of bytes outside the heap: ten
 * thousand decisions as objects would cost every request more in garbage collection than all of
 * its routing.
 */
export function createDecisionStore({ records, bytes }: DecisionBounds = usual): DecisionStore {
  // Its pages are taken from the system only as they are written.
  const ring = Buffer.allocUnsafeSlow(bytes);
  const starts = new Uint32Array(records);
  const ends = new Uint32Array(records);
  let added = 0;
  /** The oldest record that is whole still. */
  let oldest = 0;
  let at = 0;
  /** The first record that was not taken as a line. */
  let untaken = 0;

  const claim = (size: number): number => {
    const start = at + size > bytes ? 0 : at;
    // Wrapping leaves the rest of the ring's end unused, and what stood there is the oldest.
    if (start === 0) while (oldest < added && startOf(oldest) >= at && at > 0) oldest++;
    while (oldest < added && startOf(oldest) < start + size && endOf(oldest) > start) oldest++;
    at = start + size;
    return start;
  };
  const startOf = (record: number): number => starts[record % records] ?? 0;
  const endOf = (record: number): number => ends[record % records] ?? 0;
  // What stands in the ring was written by `add`.
  const read = (record: number): DecisionRecord =>
    fromStored(JSON.parse(ring.toString('utf8', startOf(record), endOf(record))) as StoredDecision);
  /** The last of the records from one on that stand side by side in the ring and fit into a piece. */
  const runFrom = (first: number, end: number): number => {
    let last = first;
    while (last + 1 < end && startOf(last + 1) === endOf(last) && endOf(last) - startOf(first) < pieceBytes) last++;
    return last;
  };

  return {
    add(record) {
      const text = JSON.stringify(toStored(shortened(record)));
      const size = Buffer.byteLength(text) + 1;
      if (size > bytes) return;
      if (added - oldest === records) oldest++;
      const start = claim(size);
      // A text with a line end added would be copied first; where each letter is a byte, writing costs a fifth.
      ring.write(text, start, size - 1 === text.length ? 'latin1' : 'utf8');
      ring[start + size - 1] = lineEnd;
      starts[added % records] = start;
      ends[added % records] = start + size;
      added++;
    },
    find(id) {
      if (id.length < fewestLetters) return undefined;
      // A record begins with its id, so that nothing is parsed that was not asked for.
      const wanted = Buffer.from(`{"id":${JSON.stringify(id).slice(0, -1)}`);
      for (let record = added - 1; record >= oldest; record--) {
        const start = startOf(record);
        if (ring.subarray(start, Math.min(start + wanted.length, endOf(record))).equals(wanted)) return read(record);
      }
      return undefined;
    },
    last(count) {
      const found: DecisionRecord[] = [];
      for (let record = added - 1; record >= oldest && found.length < count; record--) found.push(read(record));
      return found;
    },
    *takeLines() {
      const end = added;
      for (let first = Math.max(untaken, oldest); first < end; first = Math.max(untaken, oldest)) {
        const last = runFrom(first, end);
        untaken = last + 1;
        // A copy: the ring goes on to be written.
        yield Uint8Array.prototype.slice.call(ring, startOf(first), endOf(last));
      }
    },
  };
}

function shortened(record: DecisionRecord): DecisionRecord {
  const { candidates, notes } = record;
  if (candidates.length <= mostCandidates) return record;
  const left = candidates.length - mostCandidates;
  return {
    ...record,
    candidates: candidates.slice(0, mostCandidates),
    notes: [...notes, `${left} more candidates are left out of the record`],
  };
}
