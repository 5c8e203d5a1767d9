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
  // Line ends stand between fields only: within texts they are escaped.
  return JSON.stringify(record, undefined, 1).replaceAll(
    /([[{]?)\n *([\]}]?)/g,
    (_all, opening: string, closing: string) => (opening !== '' ? opening : closing !== '' ? closing : ' '),
  );
}
