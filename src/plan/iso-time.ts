/** Creates a function that writes wall times as text; the requests of one millisecond share theirs. */
export function createIsoTime(): (wallMs: number) => string {
  let last = Number.NaN;
  let text = '';
  return (wallMs) => {
    if (wallMs !== last) {
      text = new Date(wallMs).toISOString();
      last = wallMs;
    }
    return text;
  };
}
