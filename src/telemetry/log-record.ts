/**
 * Telemetry: what the product tells about itself. It formats and writes; it never decides, never
 * stands in a request's way and never prints a secret. Start reading at `request-log.ts`.
 */
import type { Json } from '../plan/json.ts';

/** How serious a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line of the log. The order of its fields is the order on the line. */
export type LogRecord = {
  readonly timestamp: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly [field: string]: Json | undefined;
};

/**
 * A record as one JSON line with one space after each colon and comma, as Python's json module
 * writes it: tools that cut log lines with awk expect `"provider": "x"`.
 */
export function renderJsonLine(record: LogRecord): string {
  return renderObject(record);
}

function renderObject(object: { readonly [key: string]: Json | undefined }): string {
  let text = '';
  for (const key in object) {
    const value = object[key];
    // A field without a value is left out, as JSON.stringify does.
    if (value === undefined) continue;
    if (text !== '') text += ', ';
    text += fieldStart(key) + renderValue(value);
  }
  return `{${text}}`;
}

/** Field names are few and come back with every line. */
const fieldStarts = new Map<string, string>();
const mostStarts = 1000;

function fieldStart(key: string): string {
  const known = fieldStarts.get(key);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(key)}: `;
  if (fieldStarts.size < mostStarts) fieldStarts.set(key, text);
  return text;
}

/** Longest text that is looked through letter by letter, which saves a short one a call into the engine. */
const mostLooked = 64;

function quoted(text: string): string {
  if (text.length > mostLooked) return JSON.stringify(text);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isPlain = code >= 0x20 && code <= 0x7e && code !== quote && code !== backslash;
    if (!isPlain) return JSON.stringify(text);
  }
  return `"${text}"`;
}

const quote = 0x22;
const backslash = 0x5c;

function renderValue(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value);
  return isList(value) ? `[${value.map(renderValue).join(', ')}]` : renderObject(value);
}

/** `Array.isArray` does not narrow readonly lists. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
