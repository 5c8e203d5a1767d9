import type { Milliseconds } from '../plan/ids.ts';
import type { Exchange } from './exchange.ts';
import type { Snapshot } from './snapshot.ts';

/** What a view shows: what is in force, at a time. */
export type Seen = {
  readonly snapshot: Snapshot;
  readonly now: Milliseconds;
};

/** What a view is given. */
export type ViewInput = Seen & {
  readonly exchange: Exchange;
  readonly isDraining: boolean;
  readonly path: string;
};

/** Sends a value as JSON. */
export function sendJson(exchange: Exchange, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  exchange.answer(
    status,
    ['content-type', 'application/json', 'content-length', String(body.length), ...exchange.extraHeaders],
    body,
  );
}

/** The path as the tables have it: without `/v1` and a trailing slash. */
export function withoutVersion(path: string): string {
  const bare = path.startsWith('/v1/') ? path.slice(3) : path;
  return bare.length > 1 && bare.endsWith('/') ? bare.slice(0, -1) : bare;
}
