import { durationWords, secondsWords } from '../plan/in-words.ts';
import type { Terminal } from './terminal.ts';

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 };

/** Paints text where the terminal shows colours, and leaves it alone elsewhere. */
export function paint(terminal: Pick<Terminal, 'colour'>, style: keyof typeof codes, text: string): string {
  return terminal.colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
}

/** A state with the colour that it has in every view; the word itself says it without colour. */
export function paintState(terminal: Pick<Terminal, 'colour'>, state: string, text: string = state): string {
  switch (state) {
    case 'ready':
      return paint(terminal, 'green', text);
    case 'degraded':
    case 'loading':
    case 'half_open':
    case 'cooling':
    case 'missing':
    case 'draining':
      return paint(terminal, 'yellow', text);
    case 'down':
      return paint(terminal, 'red', text);
    default:
      return paint(terminal, 'dim', text);
  }
}

/** "1 name", "2 names". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** The time of day of a moment, where the reader is: as options take it, such as --since. */
export function clock(time: string): string {
  const moment = new Date(time);
  return [moment.getHours(), moment.getMinutes(), moment.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** A number with the four digits that say something, however small it is: "0.7", "0.00003", "59607". */
export function figure(value: number): string {
  if (Math.abs(value) < 1e-12) return '0';
  const digits = 3 - Math.floor(Math.log10(Math.abs(value)));
  return digits > 0 ? value.toFixed(digits).replace(/\.?0+$/, '') : String(Math.round(value));
}

/** How long ago a moment was, in its largest unit: "3 min". */
export function elapsed(time: string, now: number = Date.now()): string {
  return secondsWords(Math.max(0, now - Date.parse(time)));
}

/** A state with its reason. */
export function stateText(terminal: Pick<Terminal, 'colour'>, state: string, why: string | null): string {
  return `${paintState(terminal, state)}${why === null ? '' : paint(terminal, 'dim', `: ${why}`)}`;
}

/** A size in bytes, in the unit that makes it short. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** Milliseconds as a person reads them. */
export function duration(ms: number | null): string {
  if (ms === null) return 'unknown';
  return durationWords(ms);
}

/** A part of one as a person reads it. */
export function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
