import type { JsonShapes } from '../contract/json-shapes.ts';
import type { Terminal } from './terminal.ts';

/** Prints what a verb gives with `--json`: one object on one line, in the shape that the contract gives it. */
export function printJson<Verb extends keyof JsonShapes>(
  terminal: Pick<Terminal, 'out'>,
  shape: JsonShapes[Verb],
): void {
  terminal.out(JSON.stringify(shape));
}
