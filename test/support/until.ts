import { setTimeout as pause } from 'node:timers/promises';

/** Waits for something that another process does, looking often; after `limitMs` it gives up and says what it waited for. */
export async function until<Value>(
  what: string,
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
  limitMs = 20_000,
): Promise<Value> {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`Waited in vain: ${what}`);
    await pause(20);
  }
}
