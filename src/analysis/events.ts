/** What happens at moments of a virtual clock, in the order of time, then of being added. */
export type Events = {
  add(at: number, happen: () => void): void;
  /** Lets everything happen, and what follows from it; gives the last moment. */
  run(): number;
};

type Event = { readonly at: number; readonly number: number; readonly happen: () => void };

/** Creates an empty timetable: a binary heap, since a day has hundreds of thousands of events. */
export function createEvents(): Events {
  const heap: Event[] = [];
  let added = 0;
  const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.number < b.number);
  const rise = (from: number): void => {
    for (let i = from; i > 0; ) {
      const up = (i - 1) >> 1;
      const [own, above] = [heap[i], heap[up]];
      if (own === undefined || above === undefined || !isBefore(own, above)) return;
      heap[i] = above;
      heap[up] = own;
      i = up;
    }
  };
  const sink = (): void => {
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const [own, a, b] = [heap[i], heap[left], heap[right]];
      const least = b !== undefined && a !== undefined && isBefore(b, a) ? right : left;
      const below = least === right ? b : a;
      if (own === undefined || below === undefined || !isBefore(below, own)) return;
      heap[i] = below;
      heap[least] = own;
      i = least;
    }
  };
  const take = (): Event | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    sink();
    return first;
  };
  return {
    add(at, happen) {
      heap.push({ at, number: added++, happen });
      rise(heap.length - 1);
    },
    run() {
      let now = 0;
      for (let next = take(); next !== undefined; next = take()) {
        now = next.at;
        next.happen();
      }
      return now;
    },
  };
}
