import { type RequestId, requestId } from '../plan/ids.ts';
import type { GatewayRequest } from './request.ts';

/** What is kept of a request for explanations; thousands are, so nothing that only its answer needed. */
export type DecisionEntry = Pick<
  GatewayRequest,
  | 'id'
  | 'snapshot'
  | 'startedAt'
  | 'receivedAt'
  | 'decision'
  | 'outcomes'
  | 'answeredBy'
  | 'degradation'
  | 'firstTokenAt'
  | 'usage'
  | 'failure'
  | 'terminal'
> & { readonly asked: string | undefined; readonly endedAt: number };

/** The last decisions, newest first to ask for. */
export type DecisionRing = {
  add(entry: DecisionEntry): void;
  /** The one with this id, or the newest whose id begins with it. */
  find(id: string): DecisionEntry | undefined;
  /** The newest ones. */
  last(count: number): readonly DecisionEntry[];
};

/** How many decisions are kept in memory. */
const kept = 10_000;

/** Creates an empty ring. */
export function createDecisionRing(): DecisionRing {
  const entries: DecisionEntry[] = [];
  const byId = new Map<RequestId, DecisionEntry>();
  let next = 0;
  const newest = (count: number): readonly DecisionEntry[] => {
    const found: DecisionEntry[] = [];
    for (let back = 1; back <= Math.min(count, entries.length); back++) {
      const entry = entries[(next - back + kept) % kept];
      if (entry !== undefined) found.push(entry);
    }
    return found;
  };
  return {
    add(entry) {
      const old = entries[next];
      if (old !== undefined) byId.delete(old.id);
      entries[next] = entry;
      byId.set(entry.id, entry);
      next = (next + 1) % kept;
    },
    find(id) {
      // Ids are long; people type as much of one as they need.
      const exact = byId.get(requestId(id));
      return exact ?? (id.length < 4 ? undefined : newest(entries.length).find((entry) => entry.id.startsWith(id)));
    },
    last: newest,
  };
}
