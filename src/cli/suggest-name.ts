import { nearest } from '../plan/nearest.ts';
import type { Terminal } from './terminal.ts';

/** Says which of the names that can be asked for are nearly one that cannot. */
export function suggestName(name: string, known: readonly string[], terminal: Terminal): void {
  const near = known.includes(name) ? [] : nearest(name, known);
  if (near.length > 0) terminal.err(`Did you mean ${near.map((one) => `"${one}"`).join(', ')}?`);
}
