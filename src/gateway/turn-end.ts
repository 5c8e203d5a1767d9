/** What is to be done, and who is told where it throws. */
type Deferred = { readonly work: () => void; readonly failed: (error: unknown) => void };

let waiting: Deferred[] = [];

/**
 * Calls back at the end of this turn of the event loop, in the order of asking. What is written
 * back to back reaches a peer that is awake already: waking it for each of a turn's requests costs
 * a busy gateway a fifth of its time (bench/gateway), and a lone request waits for nobody. What one
 * throws is its own affair, and reaches neither the others of the turn nor the process.
 */
export function atTurnEnd(work: () => void, failed: (error: unknown) => void): void {
  if (waiting.push({ work, failed }) === 1) setImmediate(runAll);
}

function runAll(): void {
  const all = waiting;
  waiting = [];
  for (const { work, failed } of all) {
    try {
      work();
    } catch (error) {
      failed(error);
    }
  }
}
