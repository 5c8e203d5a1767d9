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
  let text = '{';
  for (const key in object) {
    const value = object[key];
    // A field without a value is left out, as JSON.stringify does.
    if (value !== undefined) text += `${text === '{' ? '' : ', '}${quoted(key)}: ${renderValue(value)}`;
  }
  return `${text}}`;
}

/** Field names are few and come back with every line. */
const quotedKeys = new Map<string, string>();
const mostQuoted = 1000;

function quoted(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const text = JSON.stringify(key);
  if (quotedKeys.size < mostQuoted) quotedKeys.set(key, text);
  return text;
}

function renderValue(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value);
  return isList(value) ? `[${value.map(renderValue).join(', ')}]` : renderObject(value);
}

/** `Array.isArray` does not narrow readonly lists. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
