const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `10m`, `90s` or `1.5h`, in milliseconds. */
export function readDuration(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/.exec(text.trim());
  return parts === null ? undefined : Number(parts[1]) * (units[parts[2] ?? ''] ?? Number.NaN);
}

/** How far ahead a moment is: in so long (`90s`), at a time of today or an ISO time; undefined where it is past. */
export function readAhead(text: string, now: number): number | undefined {
  const ahead = readDuration(text.replace(/^\+/, '')) ?? (readMoment(text, now) ?? Number.NaN) - now;
  return ahead >= 0 ? ahead : undefined;
}

/** A moment, in milliseconds since 1970: so long ago (`10m`), a time of today (`14:30`), or an ISO time. */
export function readMoment(text: string, now: number): number | undefined {
  const ago = readDuration(text);
  if (ago !== undefined) return now - ago;
  if (/^\d{1,2}:\d{2}(:\d{2})?$/.test(text)) {
    const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
    return hours > 23 || minutes > 59 || seconds > 59 ? undefined : new Date(now).setHours(hours, minutes, seconds, 0);
  }
  const parsed = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}
