import { type Milliseconds, milliseconds } from '../plan/ids.ts';
import type { Store, StoreTime } from './store.ts';
import { storeProblem } from './store-problem.ts';

/** Whether a store is used; one that rests is tried again by itself, at nobody's expense. */
export type StoreState =
  | { readonly kind: 'ready' }
  /** `since` is wall time in milliseconds. */
  | { readonly kind: 'resting'; readonly since: number; readonly why: string };

/** A store that never rejects a `get` or a `set`, and never takes longer than its deadline for a `get`. */
export type GuardedStore = Omit<Store, 'set'> & {
  readonly state: () => StoreState;
  /** Whether the store took the value. */
  set(...entry: Parameters<Store['set']>): Promise<boolean>;
};

export type GuardOptions = {
  readonly deadlineMs: Milliseconds;
  readonly time: StoreTime;
  readonly onChange: (state: StoreState) => void;
};

/** Failures in a row after which a store rests. */
const mostFailures = 3;
/** Time between two looks at a store that rests. */
const lookEveryMs = milliseconds(1000);
/** Nobody waits for a write, and a large value takes its time on a slow line; it is held in memory as long. */
const writeMs = milliseconds(1000);
/** What people ask for may take longer than what requests wait for. */
const patienceMs = milliseconds(5000);

/**
 * Guards a store: what it does not answer within the deadline is not there, and after a few such
 * failures nobody asks it until a ping, sent in the background, succeeds.
 */
export function guardStore(store: Store, options: GuardOptions): GuardedStore {
  const { deadlineMs, time } = options;
  let state: StoreState = { kind: 'ready' };
  // A full disk is read from as ever, so what fails is counted for reads and for writes.
  const failures = { get: 0, set: 0 };
  let timer: { stop(): void } | undefined;
  let isClosed = false;
  const change = (next: StoreState): void => {
    state = next;
    if (!isClosed) options.onChange(next);
  };
  const succeeded = (): void => {
    failures.get = 0;
    failures.set = 0;
    if (state.kind === 'resting') change({ kind: 'ready' });
  };
  const failed = (verb: keyof typeof failures, error: unknown): void => {
    failures[verb]++;
    if (state.kind === 'resting' || failures[verb] < mostFailures || isClosed) return;
    change({ kind: 'resting', since: time.wall(), why: storeProblem(error) });
    lookSoon();
  };
  const lookSoon = (): void => {
    timer?.stop();
    timer = time.after(lookEveryMs, () => {
      within(time, deadlineMs, store.ping()).then(succeeded, () => {
        if (!isClosed && state.kind === 'resting') lookSoon();
      });
    });
  };
  const limits = { get: deadlineMs, set: writeMs };
  const quickly = async <Value>(verb: keyof typeof failures, ask: () => Promise<Value>): Promise<Value | undefined> => {
    if (state.kind === 'resting') return undefined;
    try {
      const value = await within(time, limits[verb], ask());
      failures[verb] = 0;
      return value;
    } catch (error) {
      failed(verb, error);
      return undefined;
    }
  };
  const patiently = <Value>(ask: () => Promise<Value>): Promise<Value> =>
    within(time, patienceMs, ask()).catch((error: unknown) => {
      throw new Error(storeProblem(error));
    });
  return {
    kind: store.kind,
    state: () => state,
    get: (key) => quickly('get', () => store.get(key)),
    set: async (key, value, ttlMs) =>
      (await quickly('set', () => store.set(key, value, ttlMs).then(() => true))) === true,
    flush: (model) => patiently(() => store.flush(model)),
    measure: () => patiently(store.measure),
    ping: () => patiently(store.ping).then(succeeded),
    close() {
      isClosed = true;
      timer?.stop();
      return store.close();
    },
  };
}

/** A promise that is given up after a time. */
function within<Value>(time: StoreTime, limit: Milliseconds, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = time.after(limit, () => {
      // After a stall the answer may be here already and unread: it is looked at before it counts as late.
      setImmediate(() => reject(new Error(`no answer within ${limit} ms`)));
    });
    promise.then(
      (value) => {
        late.stop();
        resolve(value);
      },
      (error: Error) => {
        late.stop();
        reject(error);
      },
    );
  });
}
