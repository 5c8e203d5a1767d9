/** A wait in whole seconds, as messages and comments of a stream tell it: "4 s". */
export function inSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
